//! Task definitions by scope: families, their revisions, and which of them are in which state.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use kecs_domain::Scope;
use kecs_domain::arn::TaskDefinitionKey;
use kecs_domain::name::FamilyName;
use kecs_domain::pagination::{Page, PageRequest};
use kecs_domain::task_definition::{TaskDefinition, TaskDefinitionFamily, TaskDefinitionState};
use kecs_usecases::ports::store::{FamilyKey, FamilyQuery};
use kecs_usecases::ports::{TaskDefinitionQuery, Version, Versioned};

use super::State;

/// Revisions by family: what a list of one state walks.
type Revisions = BTreeMap<FamilyName, BTreeSet<i32>>;

#[derive(Default)]
struct FamilySlot {
    family: Option<Versioned<TaskDefinitionFamily>>,
    revisions: BTreeMap<i32, Versioned<TaskDefinition>>,
}

#[derive(Default)]
struct ScopeSlot {
    families: BTreeMap<FamilyName, FamilySlot>,
    by_state: BTreeMap<TaskDefinitionState, Revisions>,
    /// Stored families with an ACTIVE revision, and without one.
    active: BTreeSet<FamilyName>,
    inactive: BTreeSet<FamilyName>,
}

impl ScopeSlot {
    fn in_state(&self, state: TaskDefinitionState, family: &FamilyName) -> Option<&BTreeSet<i32>> {
        self.by_state.get(&state)?.get(family)
    }

    fn set_state(
        &mut self,
        key: &TaskDefinitionKey,
        old: Option<TaskDefinitionState>,
        new: Option<TaskDefinitionState>,
    ) {
        if old == new {
            return;
        }
        if let Some(old) = old
            && let Some(families) = self.by_state.get_mut(&old)
            && let Some(revisions) = families.get_mut(&key.family)
        {
            revisions.remove(&key.revision);
            if revisions.is_empty() {
                families.remove(&key.family);
            }
        }
        if let Some(new) = new {
            let families = self.by_state.entry(new).or_default();
            families.entry(key.family.clone()).or_default().insert(key.revision);
        }
        self.settle(&key.family);
    }

    /// Puts a family where lists look for it, or forgets it when nothing of it is left.
    fn settle(&mut self, name: &FamilyName) {
        let Some(slot) = self.families.get(name) else { return };
        let listed = slot.family.is_some();
        let gone = !listed && slot.revisions.is_empty();
        let active = self.in_state(TaskDefinitionState::Active, name).is_some();
        for (set, belongs) in [(&mut self.active, listed && active), (&mut self.inactive, listed && !active)]
        {
            if !belongs {
                set.remove(name);
            } else if !set.contains(name) {
                set.insert(name.clone());
            }
        }
        if gone {
            self.families.remove(name);
        }
    }

    fn list(
        &self,
        query: &TaskDefinitionQuery,
        page: &PageRequest<(FamilyName, i32)>,
    ) -> Page<(FamilyName, i32)> {
        let empty = Revisions::new();
        let families = self.by_state.get(&query.state).unwrap_or(&empty);
        let last = page.after.as_ref();
        let (mut least, mut most) = (Bound::Unbounded, Bound::Unbounded);
        if let Some(family) = &query.family {
            (least, most) = (Bound::Included(family), Bound::Included(family));
        }
        if let Some((family, _)) = last {
            // A page's start beyond the one family that is asked for has nothing after it.
            let beyond = query
                .family
                .as_ref()
                .is_some_and(|only| if query.descending { family < only } else { family > only });
            if beyond {
                return Page { items: Vec::new(), more: false };
            }
            if query.family.is_none() {
                if query.descending {
                    most = Bound::Included(family)
                } else {
                    least = Bound::Included(family)
                };
            }
        }
        let bounds = |family: &FamilyName| match last {
            Some((at, revision)) if at == family && query.descending => {
                (Bound::Unbounded, Bound::Excluded(*revision))
            }
            Some((at, revision)) if at == family => (Bound::Excluded(*revision), Bound::Unbounded),
            _ => (Bound::Unbounded, Bound::Unbounded),
        };
        let range = families.range::<FamilyName, _>((least, most));
        if query.descending {
            let found = range.rev().flat_map(|(family, revisions)| {
                revisions.range(bounds(family)).rev().map(|revision| (family.clone(), *revision))
            });
            Page::take(found, page.limit)
        } else {
            let found = range.flat_map(|(family, revisions)| {
                revisions.range(bounds(family)).map(|revision| (family.clone(), *revision))
            });
            Page::take(found, page.limit)
        }
    }

    fn list_families(&self, query: &FamilyQuery, page: &PageRequest<FamilyName>) -> Page<FamilyName> {
        let (active, inactive) = match query.active {
            Some(true) => (Some(&self.active), None),
            Some(false) => (None, Some(&self.inactive)),
            None => (Some(&self.active), Some(&self.inactive)),
        };
        let prefix = FamilyName::parse(&query.prefix);
        if prefix.is_none() && !query.prefix.is_empty() {
            // No name begins with what no name may contain.
            return Page { items: Vec::new(), more: false };
        }
        let start = match (&page.after, &prefix) {
            (Some(last), Some(prefix)) if last < prefix => Bound::Included(prefix),
            (Some(last), _) => Bound::Excluded(last),
            (None, Some(prefix)) => Bound::Included(prefix),
            (None, None) => Bound::Unbounded,
        };
        let sets = active.into_iter().chain(inactive);
        let found =
            super::sorted::union(sets.map(|set| set.range::<FamilyName, _>((start, Bound::Unbounded))));
        Page::take(found.take_while(|name| name.as_str().starts_with(&query.prefix)).cloned(), page.limit)
    }
}

/// The task definitions of every scope.
#[derive(Default)]
pub(super) struct TaskDefinitions(BTreeMap<Scope, ScopeSlot>);

impl TaskDefinitions {
    pub(super) fn family(&self, (scope, name): &FamilyKey) -> Option<&Versioned<TaskDefinitionFamily>> {
        self.0.get(scope)?.families.get(name)?.family.as_ref()
    }

    pub(super) fn revision(&self, key: &TaskDefinitionKey) -> Option<&Versioned<TaskDefinition>> {
        self.0.get(&key.scope)?.families.get(&key.family)?.revisions.get(&key.revision)
    }

    pub(super) fn put_family(&mut self, family: Versioned<TaskDefinitionFamily>) -> Option<Version> {
        let name = family.family.clone();
        let scope = self.0.entry(family.scope.clone()).or_default();
        let old = scope.families.entry(name.clone()).or_default().family.replace(family);
        scope.settle(&name);
        old.map(|old| old.version)
    }

    pub(super) fn remove_family(&mut self, (scope, name): &FamilyKey) -> Option<Version> {
        let scope = self.0.get_mut(scope)?;
        let old = scope.families.get_mut(name)?.family.take()?;
        scope.settle(name);
        Some(old.version)
    }

    pub(super) fn put_revision(&mut self, definition: Versioned<TaskDefinition>) -> Option<Version> {
        let key = definition.key.clone();
        let state = definition.state;
        let scope = self.0.entry(key.scope.clone()).or_default();
        let old =
            scope.families.entry(key.family.clone()).or_default().revisions.insert(key.revision, definition);
        scope.set_state(&key, old.as_ref().map(|old| old.state), Some(state));
        old.map(|old| old.version)
    }

    pub(super) fn remove_revision(&mut self, key: &TaskDefinitionKey) -> Option<Version> {
        let scope = self.0.get_mut(&key.scope)?;
        let old = scope.families.get_mut(&key.family)?.revisions.remove(&key.revision)?;
        scope.set_state(key, Some(old.state), None);
        Some(old.version)
    }
}

impl State {
    pub(crate) fn family(&self, key: &FamilyKey) -> Option<Versioned<TaskDefinitionFamily>> {
        self.definitions.family(key).cloned()
    }

    pub(crate) fn task_definition(&self, key: &TaskDefinitionKey) -> Option<Versioned<TaskDefinition>> {
        self.definitions.revision(key).cloned()
    }

    pub(crate) fn latest_active(&self, (scope, name): &FamilyKey) -> Option<Versioned<TaskDefinition>> {
        let scope = self.definitions.0.get(scope)?;
        let newest = scope.in_state(TaskDefinitionState::Active, name)?.last()?;
        scope.families.get(name)?.revisions.get(newest).cloned()
    }

    pub(crate) fn list_task_definitions(
        &self,
        query: &TaskDefinitionQuery,
        page: &PageRequest<(FamilyName, i32)>,
    ) -> Page<(FamilyName, i32)> {
        match self.definitions.0.get(&query.scope) {
            Some(scope) => scope.list(query, page),
            None => Page { items: Vec::new(), more: false },
        }
    }

    pub(crate) fn list_families(
        &self,
        query: &FamilyQuery,
        page: &PageRequest<FamilyName>,
    ) -> Page<FamilyName> {
        match self.definitions.0.get(&query.scope) {
            Some(scope) => scope.list_families(query, page),
            None => Page { items: Vec::new(), more: false },
        }
    }
}
