//! Everything that has no index of its own, by key.

use std::collections::BTreeMap;
use std::ops::Bound;

use kecs_domain::pagination::{Page, PageRequest};
use kecs_domain::resource::{Resource, ResourceKey, ResourceKind};
use kecs_usecases::ports::store::ResourceQuery;
use kecs_usecases::ports::{Version, Versioned};

use super::State;

/// The resources of every scope. Their keys sort by kind, scope, parent and id, so that each list is a range.
#[derive(Default)]
pub(super) struct Resources(BTreeMap<ResourceKey, Versioned<Resource>>);

impl Resources {
    pub(super) fn get(&self, key: &ResourceKey) -> Option<&Versioned<Resource>> {
        self.0.get(key)
    }

    pub(super) fn put(&mut self, resource: Versioned<Resource>) -> Option<Version> {
        self.0.insert(resource.key.clone(), resource).map(|old| old.version)
    }

    pub(super) fn remove(&mut self, key: &ResourceKey) -> Option<Version> {
        self.0.remove(key).map(|old| old.version)
    }

    /// What follows `start`, while it is part of the list.
    fn page(
        &self,
        start: Bound<ResourceKey>,
        limit: usize,
        is_in: impl Fn(&ResourceKey) -> bool,
    ) -> Page<Versioned<Resource>> {
        let rest = self.0.range((start, Bound::Unbounded)).take_while(|(key, _)| is_in(key));
        Page::take(rest.map(|(_, resource)| resource.clone()), limit)
    }
}

impl State {
    pub(crate) fn resources(&self, keys: &[ResourceKey]) -> Vec<Option<Versioned<Resource>>> {
        keys.iter().map(|key| self.resources.get(key).cloned()).collect()
    }

    pub(crate) fn list_resources(
        &self,
        query: &ResourceQuery,
        page: &PageRequest<(String, String)>,
    ) -> Page<Versioned<Resource>> {
        let ResourceQuery { kind, scope, parent } = query;
        let key = |parent: &str, id: &str| ResourceKey {
            kind: *kind,
            scope: scope.clone(),
            parent: parent.to_owned(),
            id: id.to_owned(),
        };
        let first = key(parent.as_deref().unwrap_or(""), "");
        let start = match &page.after {
            // A position before the list's begin would show what isn't in it.
            Some((parent, id)) if key(parent, id) >= first => Bound::Excluded(key(parent, id)),
            _ => Bound::Included(first),
        };
        self.resources.page(start, page.limit, |key| {
            key.kind == *kind
                && key.scope == *scope
                && parent.as_ref().is_none_or(|parent| key.parent == *parent)
        })
    }

    pub(crate) fn resources_everywhere(
        &self,
        kind: ResourceKind,
        page: &PageRequest<ResourceKey>,
    ) -> Page<Versioned<Resource>> {
        let start = match &page.after {
            Some(key) if key.kind == kind => Bound::Excluded(key.clone()),
            _ => Bound::Included(ResourceKey {
                kind,
                scope: kecs_domain::Scope::new("", ""),
                parent: String::new(),
                id: String::new(),
            }),
        };
        self.resources.page(start, page.limit, |key| key.kind == kind)
    }
}
