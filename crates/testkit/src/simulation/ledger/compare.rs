//! The ledger against the store: what was committed is what is read, and the store's counts and indexes agree with a
//! count one by one.

use futures::FutureExt;
use kecs_adapters_storage::MemoryStore;
use kecs_domain::arn::ServiceKey;
use kecs_domain::cluster::invariant::counts;
use kecs_domain::pagination::PageRequest;
use kecs_domain::service::ServiceStatus;
use kecs_usecases::ports::{
    ClusterStore, Entity, EntityKey, PortError, ResourceStore, ServiceStore, TaskDefinitionStore, TaskStore,
    TokenStore, Version, Versioned,
};

use super::{Commit, Ledger, Shown};

/// More than there ever is.
const EVERYTHING: usize = 1_000_000;

impl Ledger {
    /// Whether the store shows what a commit has put into it.
    pub(crate) fn compare(&mut self, commit: &Commit<'_>, store: &MemoryStore) {
        for ((entity, _), version) in commit.changes.puts.iter().zip(commit.versions) {
            let read = read(store, &entity.key());
            if read.as_ref().is_none_or(|(stored, at)| stored != entity || at != version) {
                self.violate("what is committed is read", format!("{} is read as {read:?}", Shown(entity)));
            }
        }
        for (key, _) in &commit.changes.deletes {
            if read(store, key).is_some() {
                self.violate("what is committed is read", format!("{key:?} is removed, but there"));
            }
        }
    }

    /// Whether the store's counts and indexes agree with what was entered, for clusters that were changed.
    pub(crate) fn compare_counts(&mut self, store: &MemoryStore) {
        for cluster in std::mem::take(&mut self.touched) {
            let tasks = self.tasks.values().filter(|task| task.key.cluster == cluster).map(|task| &**task);
            let services = self.services.values().filter(|service| service.key.cluster == cluster);
            let services: Vec<_> = services.cloned().collect();
            let counted = counts(tasks, services.iter().map(|service| &**service));
            let shown = now(store.cluster_counts(&cluster));
            if shown.as_ref() != Some(&counted) {
                let text = format!("cluster {} shows {shown:?}, it has {counted:?}", cluster.name);
                self.violate("counts add up", text);
            }
            for service in services {
                self.compare_tasks(&service.key, store);
            }
        }
    }

    fn compare_tasks(&mut self, service: &ServiceKey, store: &MemoryStore) {
        let indexed = now(store.tasks_of_service(service)).unwrap_or_default();
        let indexed: Vec<_> = indexed.into_iter().map(|task| task.value.key.clone()).collect();
        let entered: Vec<_> = self.open_tasks(service).map(|task| task.key.clone()).collect();
        if indexed != entered {
            let text = format!(
                "service {} has {} open tasks, found are {}",
                service.name,
                entered.len(),
                indexed.len()
            );
            self.violate("indexes are complete", text);
        }
    }

    /// Whether the lists of what is unfinished are complete.
    pub(crate) fn compare_unfinished(&mut self, store: &MemoryStore) {
        let all = PageRequest { after: None, limit: EVERYTHING };
        let tasks = now(store.unfinished_tasks(all)).map(|page| page.items).unwrap_or_default();
        let tasks: Vec<_> = tasks.iter().map(|task| task.key.clone()).collect();
        let entered: Vec<_> = self.unfinished().map(|task| task.key.clone()).collect();
        if tasks != entered {
            let text = format!("{} tasks are unfinished, found are {}", entered.len(), tasks.len());
            self.violate("indexes are complete", text);
        }
        let all = PageRequest { after: None, limit: EVERYTHING };
        let services = now(store.unfinished_services(all)).map(|page| page.items).unwrap_or_default();
        let entered = self.services.values().filter(|service| service.status != ServiceStatus::Inactive);
        let entered: Vec<_> = entered.map(|service| service.key.clone()).collect();
        if services != entered {
            let text = format!("{} services are unfinished, found are {}", entered.len(), services.len());
            self.violate("indexes are complete", text);
        }
    }
}

/// The memory store's answer, which is there at once.
fn now<T>(answer: impl Future<Output = Result<T, PortError>>) -> Option<T> {
    answer.now_or_never()?.ok()
}

fn read(store: &MemoryStore, key: &EntityKey) -> Option<(Entity, Version)> {
    fn found<T>(read: Versioned<T>, entity: fn(std::sync::Arc<T>) -> Entity) -> (Entity, Version) {
        (entity(read.value), read.version)
    }
    match key {
        EntityKey::Cluster(key) => {
            let read = now(store.clusters(std::slice::from_ref(key)))?.pop()??;
            Some(found(read, Entity::Cluster))
        }
        EntityKey::Family(key) => Some(found(now(store.family(key))??, Entity::Family)),
        EntityKey::TaskDefinition(key) => {
            Some(found(now(store.task_definition(key))??, Entity::TaskDefinition))
        }
        EntityKey::Task(key) => {
            let read = now(store.tasks(std::slice::from_ref(key)))?.pop()??;
            Some(found(read, Entity::Task))
        }
        EntityKey::Service(key) => {
            let read = now(store.services(std::slice::from_ref(key)))?.pop()??;
            Some(found(read, Entity::Service))
        }
        EntityKey::ServiceDeployment(key) => {
            Some(found(now(store.service_deployment(key))??, Entity::ServiceDeployment))
        }
        EntityKey::ServiceRevision(key) => {
            Some(found(now(store.service_revision(key))??, Entity::ServiceRevision))
        }
        EntityKey::Token(key) => Some(found(now(store.token(key))??, Entity::Token)),
        EntityKey::Resource(key) => {
            let read = now(store.resources(std::slice::from_ref(key)))?.pop()??;
            Some(found(read, Entity::Resource))
        }
    }
}
