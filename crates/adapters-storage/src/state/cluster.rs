//! Clusters: each one's entity, and a place for everything that lives in it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use kecs_domain::Scope;
use kecs_domain::arn::{ClusterKey, ServiceKey, TaskKey};
use kecs_domain::cluster::{Cluster, ClusterCounts, ClusterStatus};
use kecs_domain::name::ClusterName;
use kecs_domain::pagination::{Page, PageRequest};
use kecs_domain::task::Task;
use kecs_usecases::ports::{Version, Versioned};

use super::State;
use super::service::ServiceIndex;
use super::sorted::{after, rest};
use super::task::TaskIndex;

/// What a cluster has. Exists while anything is in it, whether or not the cluster's own entity is stored.
#[derive(Default)]
pub(super) struct ClusterSlot {
    pub(super) cluster: Option<Versioned<Cluster>>,
    pub(super) tasks: TaskIndex,
    pub(super) services: ServiceIndex,
    pub(super) counts: ClusterCounts,
}

/// All clusters.
#[derive(Default)]
pub(super) struct Clusters {
    slots: BTreeMap<ClusterKey, Box<ClusterSlot>>,
    active: BTreeMap<Scope, BTreeSet<ClusterName>>,
}

impl Clusters {
    pub(super) fn get(&self, key: &ClusterKey) -> Option<&ClusterSlot> {
        self.slots.get(key).map(|slot| &**slot)
    }

    /// The place for what is put into cluster `key`.
    pub(super) fn slot(&mut self, key: &ClusterKey) -> &mut ClusterSlot {
        // Two look-ups, because the entry API would clone the key each time.
        if !self.slots.contains_key(key) {
            self.slots.insert(key.clone(), Box::default());
        }
        self.slots.get_mut(key).expect("it was put in above")
    }

    /// Changes what is in cluster `key`, and forgets the place once it is empty.
    pub(super) fn change<R>(
        &mut self,
        key: &ClusterKey,
        change: impl FnOnce(&mut ClusterSlot) -> Option<R>,
    ) -> Option<R> {
        let slot = self.slots.get_mut(key)?;
        let result = change(slot);
        if slot.cluster.is_none() && slot.tasks.is_empty() && slot.services.is_empty() {
            self.slots.remove(key);
        }
        result
    }

    pub(super) fn put(&mut self, cluster: Versioned<Cluster>) -> Option<Version> {
        let key = cluster.key.clone();
        self.set_active(&key, cluster.status == ClusterStatus::Active);
        self.slot(&key).cluster.replace(cluster).map(|old| old.version)
    }

    pub(super) fn remove(&mut self, key: &ClusterKey) -> Option<Version> {
        self.set_active(key, false);
        self.change(key, |slot| slot.cluster.take().map(|old| old.version))
    }

    fn set_active(&mut self, key: &ClusterKey, active: bool) {
        if active {
            self.active.entry(key.scope.clone()).or_default().insert(key.name.clone());
        } else if let Some(names) = self.active.get_mut(&key.scope) {
            names.remove(&key.name);
            if names.is_empty() {
                self.active.remove(&key.scope);
            }
        }
    }

    /// Every cluster that anything is in, from `first` on.
    fn from(&self, first: Option<&ClusterKey>) -> impl Iterator<Item = (&ClusterKey, &ClusterSlot)> {
        let start = first.map_or(Bound::Unbounded, Bound::Included);
        self.slots.range((start, Bound::Unbounded)).map(|(key, slot)| (key, &**slot))
    }
}

impl State {
    pub(crate) fn clusters(&self, keys: &[ClusterKey]) -> Vec<Option<Versioned<Cluster>>> {
        keys.iter().map(|key| self.clusters.get(key)?.cluster.clone()).collect()
    }

    pub(crate) fn list_clusters(&self, scope: &Scope, page: &PageRequest<ClusterName>) -> Page<ClusterName> {
        let names = self.clusters.active.get(scope);
        Page::take(names.into_iter().flat_map(|names| rest(names, page.after.as_ref())).cloned(), page.limit)
    }

    pub(crate) fn cluster_counts(&self, key: &ClusterKey) -> ClusterCounts {
        self.clusters.get(key).map(|slot| slot.counts).unwrap_or_default()
    }

    pub(crate) fn unfinished_tasks(&self, page: &PageRequest<TaskKey>) -> Page<Versioned<Task>> {
        let last = page.after.as_ref();
        let tasks = self.clusters.from(last.map(|last| &last.cluster)).flat_map(|(key, slot)| {
            let last = last.filter(|last| last.cluster == *key).map(|last| &last.id);
            slot.tasks.unfinished(last)
        });
        Page::take(tasks, page.limit)
    }

    pub(crate) fn unfinished_services(&self, page: &PageRequest<ServiceKey>) -> Page<ServiceKey> {
        let last = page.after.as_ref();
        let services = self.clusters.from(last.map(|last| &last.cluster)).flat_map(|(cluster, slot)| {
            let last = last.filter(|last| last.cluster == *cluster).map(|last| &last.name);
            let names = slot.services.unfinished.range(after(last));
            names.map(|name| ServiceKey { cluster: cluster.clone(), name: name.clone() })
        });
        Page::take(services, page.limit)
    }
}
