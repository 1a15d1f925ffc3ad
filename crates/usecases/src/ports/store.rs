//! The stores: one for reading each kind of resource, and one unit of work for writing all of them.
//!
//! Writing has one port, because what is acknowledged together must be kept together: RunTask saves ten tasks and
//! the token that keeps a retry from running ten more.

use std::sync::Arc;

use async_trait::async_trait;
use kecs_domain::arn::{
    ClusterKey, ServiceDeploymentKey, ServiceKey, ServiceRevisionKey, TaskDefinitionKey, TaskKey,
};
use kecs_domain::cluster::{Cluster, ClusterCounts};
use kecs_domain::idempotency::{TokenKey, TokenRecord};
use kecs_domain::model::{LaunchType, ResourceManagementType, SchedulingStrategy, ServiceDeploymentStatus};
use kecs_domain::name::{ClusterName, FamilyName, HexId, ServiceName, TaskId};
use kecs_domain::pagination::{Page, PageRequest};
use kecs_domain::resource::{Resource, ResourceKey, ResourceKind};
use kecs_domain::service::{Service, ServiceDeployment, ServiceRevision};
use kecs_domain::task::{DesiredStatus, Task};
use kecs_domain::task_definition::{TaskDefinition, TaskDefinitionFamily, TaskDefinitionState};
use kecs_domain::{Scope, Timestamp};

use super::PortError;

/// Which save of an entity it is. Rises with every save of the same key, also across a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

/// An entity as it is stored. Cheap to clone.
#[derive(Debug, PartialEq)]
pub struct Versioned<T> {
    /// The entity, shared with the store.
    pub value: Arc<T>,
    /// Its version, for [`Expect::Version`].
    pub version: Version,
}

impl<T> Clone for Versioned<T> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), version: self.version }
    }
}

impl<T> std::ops::Deref for Versioned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

macro_rules! entities {
    ($($variant:ident($entity:ty, $key:ty, $of:expr)),* $(,)?) => {
        /// Anything that is stored.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "each variant is named as its entity")]
        pub enum Entity {
            $($variant(Arc<$entity>)),*
        }

        /// The key of anything that is stored.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[allow(missing_docs, reason = "each variant is named as its entity")]
        pub enum EntityKey {
            $($variant($key)),*
        }

        impl Entity {
            /// Its key.
            pub fn key(&self) -> EntityKey {
                match self {
                    $(Self::$variant(entity) => EntityKey::$variant($of(entity))),*
                }
            }

            /// The name of its kind, as stores write it.
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($variant)),*
                }
            }

            /// The document, as stores write it.
            ///
            /// # Errors
            /// When the entity can't be written as JSON, which would be a defect.
            pub fn to_json(&self) -> Result<String, serde_json::Error> {
                match self {
                    $(Self::$variant(entity) => serde_json::to_string(&**entity)),*
                }
            }

            /// Reads a document that [`Entity::to_json`] wrote.
            ///
            /// # Errors
            /// When `kind` is unknown or `json` is not such an entity.
            pub fn from_json(kind: &str, json: &str) -> Result<Self, serde_json::Error> {
                match kind {
                    $(stringify!($variant) => Ok(Self::$variant(Arc::new(serde_json::from_str(json)?))),)*
                    other => Err(serde::de::Error::custom(format_args!("unknown kind of entity {other:?}"))),
                }
            }
        }

        $(impl From<$entity> for Entity {
            fn from(entity: $entity) -> Self {
                Self::$variant(Arc::new(entity))
            }
        })*
    };
}

/// The key of a family.
pub type FamilyKey = (Scope, FamilyName);

entities! {
    Cluster(Cluster, ClusterKey, |e: &Cluster| e.key.clone()),
    Family(TaskDefinitionFamily, FamilyKey, |e: &TaskDefinitionFamily| (e.scope.clone(), e.family.clone())),
    TaskDefinition(TaskDefinition, TaskDefinitionKey, |e: &TaskDefinition| e.key.clone()),
    Task(Task, TaskKey, |e: &Task| e.key.clone()),
    Service(Service, ServiceKey, |e: &Service| e.key.clone()),
    ServiceDeployment(ServiceDeployment, ServiceDeploymentKey, |e: &ServiceDeployment| e.key.clone()),
    ServiceRevision(ServiceRevision, ServiceRevisionKey, |e: &ServiceRevision| e.key.clone()),
    Token(TokenRecord, TokenKey, |e: &TokenRecord| e.key.clone()),
    Resource(Resource, ResourceKey, |e: &Resource| e.key.clone()),
}

/// What must be true of a key for a change of it to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing is stored under it.
    Absent,
    /// This version is stored under it.
    Version(Version),
    /// Anything.
    Any,
}

/// Changes that are made together or not at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Saved, each if its expectation holds.
    pub puts: Vec<(Entity, Expect)>,
    /// Removed for good (retention), each if its expectation holds.
    pub deletes: Vec<(EntityKey, Expect)>,
    /// Conditions on entities that aren't changed: a service can only be made while its cluster is as it was read.
    pub requires: Vec<(EntityKey, Expect)>,
}

impl Changes {
    /// No change yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a new entity: its key must be free.
    pub fn create(&mut self, entity: impl Into<Entity>) -> &mut Self {
        self.puts.push((entity.into(), Expect::Absent));
        self
    }

    /// Adds a changed entity: the stored one must be the version that was read.
    pub fn update(&mut self, entity: impl Into<Entity>, read: Version) -> &mut Self {
        self.puts.push((entity.into(), Expect::Version(read)));
        self
    }

    /// Adds a condition.
    pub fn require(&mut self, key: EntityKey, read: Version) -> &mut Self {
        self.requires.push((key, Expect::Version(read)));
        self
    }

    /// Whether there is nothing to save.
    pub fn is_empty(&self) -> bool {
        self.puts.is_empty() && self.deletes.is_empty()
    }
}

/// Saves changes.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait UnitOfWork: Send + Sync {
    /// Makes all of `changes` or none. MUST return only when they are durable and visible to every read that
    /// begins afterwards; the versions are those of `puts`, in order. MUST return Conflict, and change nothing, if
    /// an expectation does not hold. MUST be safe to drop at any await: the changes are then made wholly or not at
    /// all. MUST return Permanent, and change nothing, if one key is saved or removed more than once: which of the
    /// two is meant to stay can't be told.
    async fn commit(&self, changes: Changes) -> Result<Vec<Version>, PortError>;
}

/// Reads clusters.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait ClusterStore: Send + Sync {
    /// The clusters of `keys`, in their order; None for one that isn't there.
    async fn clusters(&self, keys: &[ClusterKey]) -> Result<Vec<Option<Versioned<Cluster>>>, PortError>;
    /// ACTIVE clusters by name.
    async fn list_clusters(
        &self,
        scope: &Scope,
        page: PageRequest<ClusterName>,
    ) -> Result<Page<ClusterName>, PortError>;
    /// What the cluster has at this moment. MUST agree with the stored tasks and services.
    async fn cluster_counts(&self, key: &ClusterKey) -> Result<ClusterCounts, PortError>;
}

/// Which revisions of task definitions are listed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TaskDefinitionQuery {
    /// Whose.
    pub scope: Scope,
    /// Only this family.
    pub family: Option<FamilyName>,
    /// Only in this state.
    pub state: TaskDefinitionState,
    /// Largest first instead of smallest first, by family and then by revision.
    pub descending: bool,
}

/// Which families are listed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FamilyQuery {
    /// Whose.
    pub scope: Scope,
    /// Only those whose name begins so.
    pub prefix: String,
    /// Some(true): with an ACTIVE revision. Some(false): without one. None: all.
    pub active: Option<bool>,
}

/// Reads task definitions.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait TaskDefinitionStore: Send + Sync {
    /// The family, for its last revision.
    async fn family(&self, key: &FamilyKey) -> Result<Option<Versioned<TaskDefinitionFamily>>, PortError>;
    /// One revision.
    async fn task_definition(
        &self,
        key: &TaskDefinitionKey,
    ) -> Result<Option<Versioned<TaskDefinition>>, PortError>;
    /// The newest ACTIVE revision of a family.
    async fn latest_active(&self, key: &FamilyKey) -> Result<Option<Versioned<TaskDefinition>>, PortError>;
    /// Revisions, sorted by family and revision (as a number).
    async fn list_task_definitions(
        &self,
        query: &TaskDefinitionQuery,
        page: PageRequest<(FamilyName, i32)>,
    ) -> Result<Page<(FamilyName, i32)>, PortError>;
    /// Families, sorted by name.
    async fn list_families(
        &self,
        query: &FamilyQuery,
        page: PageRequest<FamilyName>,
    ) -> Result<Page<FamilyName>, PortError>;
}

/// Which tasks are listed. All conditions must hold.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TaskQuery {
    /// The cluster.
    pub cluster: ClusterKey,
    /// Of this family.
    pub family: Option<FamilyName>,
    /// Of this service.
    pub service: Option<ServiceName>,
    /// With this `startedBy`.
    pub started_by: Option<String>,
    /// With this desired status.
    pub desired: Option<DesiredStatus>,
    /// With this launch type.
    pub launch_type: Option<LaunchType>,
    /// On this instance.
    pub instance: Option<HexId>,
}

impl TaskQuery {
    /// Every task of a cluster.
    pub fn of_cluster(cluster: &ClusterKey) -> Self {
        Self {
            cluster: cluster.clone(),
            family: None,
            service: None,
            started_by: None,
            desired: None,
            launch_type: None,
            instance: None,
        }
    }
}

/// Reads tasks.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait TaskStore: Send + Sync {
    /// The tasks of `keys`, in their order; None for one that isn't there.
    async fn tasks(&self, keys: &[TaskKey]) -> Result<Vec<Option<Versioned<Task>>>, PortError>;
    /// Tasks by id. Its cost MUST follow the answer's size, not the number of tasks in the cluster, for every
    /// single filter.
    async fn list_tasks(
        &self,
        query: &TaskQuery,
        page: PageRequest<TaskId>,
    ) -> Result<Page<TaskId>, PortError>;
    /// Every task of a service that is not STOPPED, and those STOPPED ones whose end its scheduler has not
    /// accounted for (`accounted` is false).
    async fn tasks_of_service(&self, service: &ServiceKey) -> Result<Vec<Versioned<Task>>, PortError>;
    /// Every task of every scope that is not STOPPED, by key: what a start has to take up again.
    async fn unfinished_tasks(&self, page: PageRequest<TaskKey>) -> Result<Page<Versioned<Task>>, PortError>;
    /// STOPPED tasks that stopped before `before`, oldest first, at most `limit`: what retention removes.
    async fn stopped_before(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<Versioned<Task>>, PortError>;
}

/// Which services are listed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ServiceQuery {
    /// The cluster.
    pub cluster: ClusterKey,
    /// With this launch type.
    pub launch_type: Option<LaunchType>,
    /// With this scheduling strategy.
    pub scheduling_strategy: Option<SchedulingStrategy>,
    /// Managed by ECS (the Express services) or by its users.
    pub management: Option<ResourceManagementType>,
}

/// Which service deployments are listed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ServiceDeploymentQuery {
    /// The service.
    pub service: ServiceKey,
    /// With one of these; empty for all.
    pub status: Vec<ServiceDeploymentStatus>,
    /// Made at this time or later.
    pub created_after: Option<Timestamp>,
    /// Made at this time or earlier.
    pub created_before: Option<Timestamp>,
}

/// Reads services and what belongs to them.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait ServiceStore: Send + Sync {
    /// The services of `keys`, in their order; None for one that isn't there.
    async fn services(&self, keys: &[ServiceKey]) -> Result<Vec<Option<Versioned<Service>>>, PortError>;
    /// ACTIVE services by name.
    async fn list_services(
        &self,
        query: &ServiceQuery,
        page: PageRequest<ServiceName>,
    ) -> Result<Page<ServiceName>, PortError>;
    /// Every service of every scope that is not INACTIVE, by key: what a start and the slow timer go through.
    async fn unfinished_services(&self, page: PageRequest<ServiceKey>)
    -> Result<Page<ServiceKey>, PortError>;
    /// One service deployment.
    async fn service_deployment(
        &self,
        key: &ServiceDeploymentKey,
    ) -> Result<Option<Versioned<ServiceDeployment>>, PortError>;
    /// Service deployments, newest first.
    async fn list_service_deployments(
        &self,
        query: &ServiceDeploymentQuery,
        page: PageRequest<(Timestamp, String)>,
    ) -> Result<Page<Versioned<ServiceDeployment>>, PortError>;
    /// One service revision.
    async fn service_revision(
        &self,
        key: &ServiceRevisionKey,
    ) -> Result<Option<Versioned<ServiceRevision>>, PortError>;
}

/// Reads idempotency tokens.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// The record of a used token.
    async fn token(&self, key: &TokenKey) -> Result<Option<Versioned<TokenRecord>>, PortError>;
    /// Tokens used before `before`, at most `limit`: what retention removes.
    async fn tokens_before(&self, before: Timestamp, limit: usize) -> Result<Vec<TokenKey>, PortError>;
}

/// Which resources are listed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ResourceQuery {
    /// Of this kind.
    pub kind: ResourceKind,
    /// Whose.
    pub scope: Scope,
    /// Of this parent; None for those of every parent.
    pub parent: Option<String>,
}

/// Reads the resources that have no store port of their own.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait ResourceStore: Send + Sync {
    /// The resources of `keys`, in their order; None for one that isn't there.
    async fn resources(&self, keys: &[ResourceKey]) -> Result<Vec<Option<Versioned<Resource>>>, PortError>;
    /// Resources by parent and id, each compared byte by byte. A page goes on after `(parent, id)`. Its cost MUST
    /// follow the answer's size.
    async fn list_resources(
        &self,
        query: &ResourceQuery,
        page: PageRequest<(String, String)>,
    ) -> Result<Page<Versioned<Resource>>, PortError>;
    /// The resources of a kind in every scope, by key: what a start has to take up again.
    async fn resources_everywhere(
        &self,
        kind: ResourceKind,
        page: PageRequest<ResourceKey>,
    ) -> Result<Page<Versioned<Resource>>, PortError>;
}

/// A whole store: every read port and the unit of work.
pub trait Store:
    ClusterStore + TaskDefinitionStore + TaskStore + ServiceStore + TokenStore + ResourceStore + UnitOfWork
{
}

impl<S> Store for S where
    S: ClusterStore
        + TaskDefinitionStore
        + TaskStore
        + ServiceStore
        + TokenStore
        + ResourceStore
        + UnitOfWork
{
}
