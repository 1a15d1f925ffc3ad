//! The memory store behind the door. Whatever is committed goes into the ledger.

use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use kecs_adapters_storage::MemoryStore;
use kecs_domain::arn::{
    ClusterKey, ServiceDeploymentKey, ServiceKey, ServiceRevisionKey, TaskDefinitionKey, TaskKey,
};
use kecs_domain::cluster::{Cluster, ClusterCounts};
use kecs_domain::idempotency::{TokenKey, TokenRecord};
use kecs_domain::name::{ClusterName, FamilyName, ServiceName, TaskId};
use kecs_domain::pagination::{Page, PageRequest};
use kecs_domain::resource::{Resource, ResourceKey, ResourceKind};
use kecs_domain::service::{Service, ServiceDeployment, ServiceRevision};
use kecs_domain::task::Task;
use kecs_domain::task_definition::{TaskDefinition, TaskDefinitionFamily};
use kecs_domain::{Scope, Timestamp};
use kecs_usecases::ports::{
    Changes, ClusterStore, FamilyKey, FamilyQuery, PortError, ResourceQuery, ResourceStore,
    ServiceDeploymentQuery, ServiceQuery, ServiceStore, TaskDefinitionQuery, TaskDefinitionStore, TaskQuery,
    TaskStore, TokenStore, UnitOfWork, Version, Versioned, WakeKey,
};

use super::plant::plant;
use crate::simulation::ledger::Commit;
use crate::simulation::shared::{Origin, Place, Shared};

/// A store whose calls take time, fail, and may be the last thing that the process does.
pub(crate) struct FaultyStore {
    inner: Arc<MemoryStore>,
    shared: Arc<Shared>,
}

impl FaultyStore {
    pub(crate) fn new(inner: Arc<MemoryStore>, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }
}

/// Asks the real store: the answer is of the moment between the two waits, and may be old when it arrives.
macro_rules! ask {
    ($self:ident, $what:literal, $call:expr) => {{
        $self.shared.pass(Place::Ask($what)).await?;
        let answer = $call.await;
        $self.shared.pass(Place::Answer($what)).await?;
        answer
    }};
}

#[async_trait]
impl UnitOfWork for FaultyStore {
    async fn commit(&self, changes: Changes) -> Result<Vec<Version>, PortError> {
        self.shared.pass(Place::Commit).await?;
        let wanted = changes.puts.len();
        let changes = plant(&self.shared, changes);
        let committed = self.inner.commit(changes.clone()).now_or_never();
        // The memory store never waits; if it did, the order of commits would not be ours to decide.
        let mut versions = committed.unwrap_or_else(|| Err(PortError::permanent("a commit had to wait")))?;
        let now = Timestamp::from_millis(self.shared.millis());
        {
            let mut shared = self.shared.lock();
            let shared = &mut *shared;
            let commit = Commit { changes: &changes, versions: &versions, job: &shared.job, now };
            shared.ledger.commit(&commit, &mut shared.trace);
            shared.ledger.compare(&commit, &self.inner);
        }
        // What a planted bug has left out was acknowledged all the same.
        versions.resize(wanted.max(versions.len()), Version(0));
        versions.truncate(wanted);
        self.shared.pass(Place::Committed).await?;
        Ok(versions)
    }
}

#[async_trait]
impl ClusterStore for FaultyStore {
    async fn clusters(&self, keys: &[ClusterKey]) -> Result<Vec<Option<Versioned<Cluster>>>, PortError> {
        ask!(self, "clusters", self.inner.clusters(keys))
    }

    async fn list_clusters(
        &self,
        scope: &Scope,
        page: PageRequest<ClusterName>,
    ) -> Result<Page<ClusterName>, PortError> {
        ask!(self, "list_clusters", self.inner.list_clusters(scope, page))
    }

    async fn cluster_counts(&self, key: &ClusterKey) -> Result<ClusterCounts, PortError> {
        ask!(self, "cluster_counts", self.inner.cluster_counts(key))
    }
}

#[async_trait]
impl TaskDefinitionStore for FaultyStore {
    async fn family(&self, key: &FamilyKey) -> Result<Option<Versioned<TaskDefinitionFamily>>, PortError> {
        ask!(self, "family", self.inner.family(key))
    }

    async fn task_definition(
        &self,
        key: &TaskDefinitionKey,
    ) -> Result<Option<Versioned<TaskDefinition>>, PortError> {
        ask!(self, "task_definition", self.inner.task_definition(key))
    }

    async fn latest_active(&self, key: &FamilyKey) -> Result<Option<Versioned<TaskDefinition>>, PortError> {
        ask!(self, "latest_active", self.inner.latest_active(key))
    }

    async fn list_task_definitions(
        &self,
        query: &TaskDefinitionQuery,
        page: PageRequest<(FamilyName, i32)>,
    ) -> Result<Page<(FamilyName, i32)>, PortError> {
        ask!(self, "list_task_definitions", self.inner.list_task_definitions(query, page))
    }

    async fn list_families(
        &self,
        query: &FamilyQuery,
        page: PageRequest<FamilyName>,
    ) -> Result<Page<FamilyName>, PortError> {
        ask!(self, "list_families", self.inner.list_families(query, page))
    }
}

#[async_trait]
impl TaskStore for FaultyStore {
    async fn tasks(&self, keys: &[TaskKey]) -> Result<Vec<Option<Versioned<Task>>>, PortError> {
        ask!(self, "tasks", self.inner.tasks(keys))
    }

    async fn list_tasks(
        &self,
        query: &TaskQuery,
        page: PageRequest<TaskId>,
    ) -> Result<Page<TaskId>, PortError> {
        ask!(self, "list_tasks", self.inner.list_tasks(query, page))
    }

    async fn tasks_of_service(&self, service: &ServiceKey) -> Result<Vec<Versioned<Task>>, PortError> {
        self.shared.pass(Place::Ask("tasks_of_service")).await?;
        let answer = self.inner.tasks_of_service(service).await?;
        {
            let mut shared = self.shared.lock();
            let number = shared.job.number;
            shared.ledger.saw_tasks(number, answer.iter().map(|task| task.value.clone()).collect());
        }
        self.shared.pass(Place::Answer("tasks_of_service")).await?;
        Ok(answer)
    }

    async fn unfinished_tasks(&self, page: PageRequest<TaskKey>) -> Result<Page<Versioned<Task>>, PortError> {
        ask!(self, "unfinished_tasks", self.inner.unfinished_tasks(page))
    }

    async fn stopped_before(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<Versioned<Task>>, PortError> {
        ask!(self, "stopped_before", self.inner.stopped_before(before, limit))
    }
}

#[async_trait]
impl ServiceStore for FaultyStore {
    async fn services(&self, keys: &[ServiceKey]) -> Result<Vec<Option<Versioned<Service>>>, PortError> {
        self.shared.pass(Place::Ask("services")).await?;
        let answer = self.inner.services(keys).await?;
        if let [Some(service)] = &answer[..] {
            let mut shared = self.shared.lock();
            let number = shared.job.number;
            // A scheduler looks at other services too, but decides on its own one only.
            let origin = Arc::clone(&shared.job.origin);
            if !matches!(&*origin, Origin::Reconcile(WakeKey::Service(own)) if *own != service.key) {
                shared.ledger.saw_service(number, &service.value);
            }
        }
        self.shared.pass(Place::Answer("services")).await?;
        Ok(answer)
    }

    async fn list_services(
        &self,
        query: &ServiceQuery,
        page: PageRequest<ServiceName>,
    ) -> Result<Page<ServiceName>, PortError> {
        ask!(self, "list_services", self.inner.list_services(query, page))
    }

    async fn unfinished_services(
        &self,
        page: PageRequest<ServiceKey>,
    ) -> Result<Page<ServiceKey>, PortError> {
        ask!(self, "unfinished_services", self.inner.unfinished_services(page))
    }

    async fn service_deployment(
        &self,
        key: &ServiceDeploymentKey,
    ) -> Result<Option<Versioned<ServiceDeployment>>, PortError> {
        ask!(self, "service_deployment", self.inner.service_deployment(key))
    }

    async fn list_service_deployments(
        &self,
        query: &ServiceDeploymentQuery,
        page: PageRequest<(Timestamp, String)>,
    ) -> Result<Page<Versioned<ServiceDeployment>>, PortError> {
        ask!(self, "list_service_deployments", self.inner.list_service_deployments(query, page))
    }

    async fn service_revision(
        &self,
        key: &ServiceRevisionKey,
    ) -> Result<Option<Versioned<ServiceRevision>>, PortError> {
        ask!(self, "service_revision", self.inner.service_revision(key))
    }
}

#[async_trait]
impl TokenStore for FaultyStore {
    async fn token(&self, key: &TokenKey) -> Result<Option<Versioned<TokenRecord>>, PortError> {
        ask!(self, "token", self.inner.token(key))
    }

    async fn tokens_before(&self, before: Timestamp, limit: usize) -> Result<Vec<TokenKey>, PortError> {
        ask!(self, "tokens_before", self.inner.tokens_before(before, limit))
    }
}

#[async_trait]
impl ResourceStore for FaultyStore {
    async fn resources(&self, keys: &[ResourceKey]) -> Result<Vec<Option<Versioned<Resource>>>, PortError> {
        ask!(self, "resources", self.inner.resources(keys))
    }

    async fn list_resources(
        &self,
        query: &ResourceQuery,
        page: PageRequest<(String, String)>,
    ) -> Result<Page<Versioned<Resource>>, PortError> {
        ask!(self, "list_resources", self.inner.list_resources(query, page))
    }

    async fn resources_everywhere(
        &self,
        kind: ResourceKind,
        page: PageRequest<ResourceKey>,
    ) -> Result<Page<Versioned<Resource>>, PortError> {
        ask!(self, "resources_everywhere", self.inner.resources_everywhere(kind, page))
    }
}
