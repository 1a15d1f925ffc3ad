//! Services of one cluster, with their deployments and revisions.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use kecs_domain::Timestamp;
use kecs_domain::arn::{ServiceDeploymentKey, ServiceKey, ServiceRevisionKey};
use kecs_domain::cluster::ClusterCounts;
use kecs_domain::model::{LaunchType, ResourceManagementType, SchedulingStrategy};
use kecs_domain::name::{DeploymentId, ServiceName};
use kecs_domain::pagination::{Page, PageRequest};
use kecs_domain::service::{Service, ServiceDeployment, ServiceRevision, ServiceStatus};
use kecs_usecases::ports::store::ServiceDeploymentQuery;
use kecs_usecases::ports::{ServiceQuery, Version, Versioned};

use super::State;
use super::sorted::{rest, union};

/// A service with what belongs to it. Exists while any of it is stored.
#[derive(Default)]
struct ServiceSlot {
    service: Option<Versioned<Service>>,
    deployments: HashMap<String, Versioned<ServiceDeployment>>,
    /// When the deployments were made.
    by_time: BTreeSet<(Timestamp, String)>,
    revisions: BTreeMap<DeploymentId, Versioned<ServiceRevision>>,
}

impl ServiceSlot {
    fn is_empty(&self) -> bool {
        self.service.is_none() && self.deployments.is_empty() && self.revisions.is_empty()
    }
}

/// What ListServices filters by.
type Facet = (Option<LaunchType>, SchedulingStrategy, ResourceManagementType);

/// The services of a cluster.
#[derive(Default)]
pub(super) struct ServiceIndex {
    slots: HashMap<ServiceName, Box<ServiceSlot>>,
    /// ACTIVE services, apart by what lists filter by: a handful of sets.
    active: BTreeMap<Facet, BTreeSet<ServiceName>>,
    /// Services that are not INACTIVE.
    pub(super) unfinished: BTreeSet<ServiceName>,
}

impl ServiceIndex {
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub(super) fn service(&self, name: &ServiceName) -> Option<&Versioned<Service>> {
        self.slots.get(name)?.service.as_ref()
    }

    pub(super) fn deployment(&self, key: &ServiceDeploymentKey) -> Option<&Versioned<ServiceDeployment>> {
        self.slots.get(&key.service.name)?.deployments.get(&key.id)
    }

    pub(super) fn revision(&self, key: &ServiceRevisionKey) -> Option<&Versioned<ServiceRevision>> {
        self.slots.get(&key.service.name)?.revisions.get(&key.id)
    }

    pub(super) fn put(&mut self, service: Versioned<Service>, counts: &mut ClusterCounts) -> Option<Version> {
        let name = service.key.name.clone();
        let old = self.slot(&name).service.replace(service.clone());
        self.reindex(&name, old.as_deref(), Some(&service), counts);
        old.map(|old| old.version)
    }

    pub(super) fn remove(&mut self, name: &ServiceName, counts: &mut ClusterCounts) -> Option<Version> {
        let old = self.change(name, |slot| slot.service.take())?;
        self.reindex(name, Some(&old), None, counts);
        Some(old.version)
    }

    pub(super) fn put_deployment(&mut self, deployment: Versioned<ServiceDeployment>) -> Option<Version> {
        let slot = self.slot(&deployment.key.service.name);
        let (id, at) = (deployment.key.id.clone(), deployment.created_at());
        let old = slot.deployments.insert(id.clone(), deployment);
        if let Some(old) = &old {
            slot.by_time.remove(&(old.created_at(), id.clone()));
        }
        slot.by_time.insert((at, id));
        old.map(|old| old.version)
    }

    pub(super) fn remove_deployment(&mut self, key: &ServiceDeploymentKey) -> Option<Version> {
        self.change(&key.service.name, |slot| {
            let old = slot.deployments.remove(&key.id)?;
            slot.by_time.remove(&(old.created_at(), key.id.clone()));
            Some(old.version)
        })
    }

    pub(super) fn put_revision(&mut self, revision: Versioned<ServiceRevision>) -> Option<Version> {
        let slot = self.slot(&revision.key.service.name);
        slot.revisions.insert(revision.key.id, revision).map(|old| old.version)
    }

    pub(super) fn remove_revision(&mut self, key: &ServiceRevisionKey) -> Option<Version> {
        self.change(&key.service.name, |slot| slot.revisions.remove(&key.id).map(|old| old.version))
    }

    fn slot(&mut self, name: &ServiceName) -> &mut ServiceSlot {
        if !self.slots.contains_key(name) {
            self.slots.insert(name.clone(), Box::default());
        }
        self.slots.get_mut(name).expect("it was put in above")
    }

    fn change<R>(
        &mut self,
        name: &ServiceName,
        change: impl FnOnce(&mut ServiceSlot) -> Option<R>,
    ) -> Option<R> {
        let slot = self.slots.get_mut(name)?;
        let result = change(slot);
        if slot.is_empty() {
            self.slots.remove(name);
        }
        result
    }

    fn reindex(
        &mut self,
        name: &ServiceName,
        old: Option<&Service>,
        new: Option<&Service>,
        counts: &mut ClusterCounts,
    ) {
        for (service, by) in
            old.map(|service| (service, -1)).into_iter().chain(new.map(|service| (service, 1)))
        {
            match service.status {
                ServiceStatus::Active => *counts.active_services.of(service.launch_type()) += by,
                ServiceStatus::Draining => *counts.draining_services.of(service.launch_type()) += by,
                ServiceStatus::Inactive => {}
            }
        }
        match new {
            Some(service) if service.status != ServiceStatus::Inactive => {
                self.unfinished.insert(name.clone());
            }
            _ => {
                self.unfinished.remove(name);
            }
        }
        let (was, is) = (old.and_then(facet), new.and_then(facet));
        if was != is {
            if let Some(facet) = was
                && let Some(names) = self.active.get_mut(&facet)
            {
                names.remove(name);
                if names.is_empty() {
                    self.active.remove(&facet);
                }
            }
            if let Some(facet) = is {
                self.active.entry(facet).or_default().insert(name.clone());
            }
        }
    }

    fn list(&self, query: &ServiceQuery, page: &PageRequest<ServiceName>) -> Page<ServiceName> {
        let sets = self.active.iter().filter(|((launch_type, strategy, management), _)| {
            query.launch_type.is_none_or(|asked| *launch_type == Some(asked))
                && query.scheduling_strategy.is_none_or(|asked| *strategy == asked)
                && query.management.is_none_or(|asked| *management == asked)
        });
        let names = union(sets.map(|(_, names)| rest(names, page.after.as_ref())));
        Page::take(names.cloned(), page.limit)
    }

    fn list_deployments(
        &self,
        query: &ServiceDeploymentQuery,
        page: &PageRequest<(Timestamp, String)>,
    ) -> Page<Versioned<ServiceDeployment>> {
        let Some(slot) = self.slots.get(&query.service.name) else {
            return Page { items: Vec::new(), more: false };
        };
        let oldest = query.created_after.unwrap_or(Timestamp::MIN);
        let newest = query.created_before.unwrap_or(Timestamp::MAX);
        // The first place in the order that is too new, so that a walk back begins at the newest answer.
        let too_new = (newest < Timestamp::MAX)
            .then(|| (Timestamp::from_millis(newest.as_millis() + 1), String::new()));
        let end = match (&page.after, &too_new) {
            (Some(last), Some(too_new)) => Bound::Excluded(last.min(too_new)),
            (Some(end), None) | (None, Some(end)) => Bound::Excluded(end),
            (None, None) => Bound::Unbounded,
        };
        let found = slot.by_time.range((Bound::Unbounded, end)).rev();
        let found = found.take_while(|(at, _)| *at >= oldest);
        let found = found.map(|(_, id)| &slot.deployments[id]);
        let found = found.filter(|it| query.status.is_empty() || query.status.contains(&it.status()));
        Page::take(found.cloned(), page.limit)
    }
}

/// Where lists have a service; None unless it is ACTIVE.
fn facet(service: &Service) -> Option<Facet> {
    let active = service.status == ServiceStatus::Active;
    active.then(|| (service.launch_type(), service.scheduling_strategy(), service.management()))
}

impl State {
    pub(crate) fn services(&self, keys: &[ServiceKey]) -> Vec<Option<Versioned<Service>>> {
        keys.iter().map(|key| self.clusters.get(&key.cluster)?.services.service(&key.name).cloned()).collect()
    }

    pub(crate) fn list_services(
        &self,
        query: &ServiceQuery,
        page: &PageRequest<ServiceName>,
    ) -> Page<ServiceName> {
        match self.clusters.get(&query.cluster) {
            Some(slot) => slot.services.list(query, page),
            None => Page { items: Vec::new(), more: false },
        }
    }

    pub(crate) fn service_deployment(
        &self,
        key: &ServiceDeploymentKey,
    ) -> Option<Versioned<ServiceDeployment>> {
        self.clusters.get(&key.service.cluster)?.services.deployment(key).cloned()
    }

    pub(crate) fn service_revision(&self, key: &ServiceRevisionKey) -> Option<Versioned<ServiceRevision>> {
        self.clusters.get(&key.service.cluster)?.services.revision(key).cloned()
    }

    pub(crate) fn list_service_deployments(
        &self,
        query: &ServiceDeploymentQuery,
        page: &PageRequest<(Timestamp, String)>,
    ) -> Page<Versioned<ServiceDeployment>> {
        match self.clusters.get(&query.service.cluster) {
            Some(slot) => slot.services.list_deployments(query, page),
            None => Page { items: Vec::new(), more: false },
        }
    }
}
