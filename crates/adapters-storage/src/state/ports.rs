//! The read ports, for a store that answers from a [`super::State`].

/// Implements every read port for a store that has `fn read(&self) -> impl Deref<Target = State>`.
///
/// Answers are copied out under the lock, which is held for that alone: never across an await.
macro_rules! implement_reads {
    ($store:ty) => {
        const _: () = {
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
            use kecs_usecases::ports::store::{FamilyKey, FamilyQuery, ServiceDeploymentQuery};
            use kecs_usecases::ports::{
                ClusterStore, PortError, ResourceQuery, ResourceStore, ServiceQuery, ServiceStore,
                TaskDefinitionQuery, TaskDefinitionStore, TaskQuery, TaskStore, TokenStore, Versioned,
            };

            type Result<T> = std::result::Result<T, PortError>;

            #[async_trait::async_trait]
            impl ClusterStore for $store {
                async fn clusters(&self, keys: &[ClusterKey]) -> Result<Vec<Option<Versioned<Cluster>>>> {
                    Ok(self.read().clusters(keys))
                }

                async fn list_clusters(
                    &self,
                    scope: &Scope,
                    page: PageRequest<ClusterName>,
                ) -> Result<Page<ClusterName>> {
                    Ok(self.read().list_clusters(scope, &page))
                }

                async fn cluster_counts(&self, key: &ClusterKey) -> Result<ClusterCounts> {
                    Ok(self.read().cluster_counts(key))
                }
            }

            #[async_trait::async_trait]
            impl TaskDefinitionStore for $store {
                async fn family(&self, key: &FamilyKey) -> Result<Option<Versioned<TaskDefinitionFamily>>> {
                    Ok(self.read().family(key))
                }

                async fn task_definition(
                    &self,
                    key: &TaskDefinitionKey,
                ) -> Result<Option<Versioned<TaskDefinition>>> {
                    Ok(self.read().task_definition(key))
                }

                async fn latest_active(&self, key: &FamilyKey) -> Result<Option<Versioned<TaskDefinition>>> {
                    Ok(self.read().latest_active(key))
                }

                async fn list_task_definitions(
                    &self,
                    query: &TaskDefinitionQuery,
                    page: PageRequest<(FamilyName, i32)>,
                ) -> Result<Page<(FamilyName, i32)>> {
                    Ok(self.read().list_task_definitions(query, &page))
                }

                async fn list_families(
                    &self,
                    query: &FamilyQuery,
                    page: PageRequest<FamilyName>,
                ) -> Result<Page<FamilyName>> {
                    Ok(self.read().list_families(query, &page))
                }
            }

            #[async_trait::async_trait]
            impl TaskStore for $store {
                async fn tasks(&self, keys: &[TaskKey]) -> Result<Vec<Option<Versioned<Task>>>> {
                    Ok(self.read().tasks(keys))
                }

                async fn list_tasks(
                    &self,
                    query: &TaskQuery,
                    page: PageRequest<TaskId>,
                ) -> Result<Page<TaskId>> {
                    Ok(self.read().list_tasks(query, &page))
                }

                async fn tasks_of_service(&self, service: &ServiceKey) -> Result<Vec<Versioned<Task>>> {
                    Ok(self.read().tasks_of_service(service))
                }

                async fn unfinished_tasks(
                    &self,
                    page: PageRequest<TaskKey>,
                ) -> Result<Page<Versioned<Task>>> {
                    Ok(self.read().unfinished_tasks(&page))
                }

                async fn stopped_before(
                    &self,
                    before: Timestamp,
                    limit: usize,
                ) -> Result<Vec<Versioned<Task>>> {
                    Ok(self.read().stopped_before(before, limit))
                }
            }

            #[async_trait::async_trait]
            impl ServiceStore for $store {
                async fn services(&self, keys: &[ServiceKey]) -> Result<Vec<Option<Versioned<Service>>>> {
                    Ok(self.read().services(keys))
                }

                async fn list_services(
                    &self,
                    query: &ServiceQuery,
                    page: PageRequest<ServiceName>,
                ) -> Result<Page<ServiceName>> {
                    Ok(self.read().list_services(query, &page))
                }

                async fn unfinished_services(
                    &self,
                    page: PageRequest<ServiceKey>,
                ) -> Result<Page<ServiceKey>> {
                    Ok(self.read().unfinished_services(&page))
                }

                async fn service_deployment(
                    &self,
                    key: &ServiceDeploymentKey,
                ) -> Result<Option<Versioned<ServiceDeployment>>> {
                    Ok(self.read().service_deployment(key))
                }

                async fn list_service_deployments(
                    &self,
                    query: &ServiceDeploymentQuery,
                    page: PageRequest<(Timestamp, String)>,
                ) -> Result<Page<Versioned<ServiceDeployment>>> {
                    Ok(self.read().list_service_deployments(query, &page))
                }

                async fn service_revision(
                    &self,
                    key: &ServiceRevisionKey,
                ) -> Result<Option<Versioned<ServiceRevision>>> {
                    Ok(self.read().service_revision(key))
                }
            }

            #[async_trait::async_trait]
            impl TokenStore for $store {
                async fn token(&self, key: &TokenKey) -> Result<Option<Versioned<TokenRecord>>> {
                    Ok(self.read().token(key))
                }

                async fn tokens_before(&self, before: Timestamp, limit: usize) -> Result<Vec<TokenKey>> {
                    Ok(self.read().tokens_before(before, limit))
                }
            }

            #[async_trait::async_trait]
            impl ResourceStore for $store {
                async fn resources(&self, keys: &[ResourceKey]) -> Result<Vec<Option<Versioned<Resource>>>> {
                    Ok(self.read().resources(keys))
                }

                async fn list_resources(
                    &self,
                    query: &ResourceQuery,
                    page: PageRequest<(String, String)>,
                ) -> Result<Page<Versioned<Resource>>> {
                    Ok(self.read().list_resources(query, &page))
                }

                async fn resources_everywhere(
                    &self,
                    kind: ResourceKind,
                    page: PageRequest<ResourceKey>,
                ) -> Result<Page<Versioned<Resource>>> {
                    Ok(self.read().resources_everywhere(kind, &page))
                }
            }
        };
    };
}

pub(crate) use implement_reads;
