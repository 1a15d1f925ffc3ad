//! The calls that clients make, and what comes back.

use std::fmt;

use kecs_domain::model;
use kecs_usecases::{Context, Ecs, Error};

use crate::simulation::trace::hash;

macro_rules! calls {
    ($($name:ident: $request:ident -> $response:ident = $resource:ident.$method:ident,)*) => {
        /// A call.
        #[derive(Clone, Debug)]
        pub(crate) enum Request {
            $($name(Box<model::$request>),)*
        }

        /// Its answer.
        #[derive(Clone, Debug)]
        pub(crate) enum Answer {
            $($name(Box<model::$response>),)*
        }

        impl Request {
            /// The operation's name.
            pub(crate) const fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name),)*
                }
            }

            /// Makes the call.
            pub(crate) async fn make(self, ecs: &Ecs, ctx: &Context) -> Result<Answer, Error> {
                match self {
                    $(Self::$name(request) => {
                        let answer = ecs.$resource().$method(ctx, *request).await?;
                        Ok(Answer::$name(Box::new(answer)))
                    })*
                }
            }
        }

        impl Request {
            /// As it would be written on the wire.
            fn json(&self) -> String {
                let json = match self {
                    $(Self::$name(request) => serde_json::to_string(request),)*
                };
                json.unwrap_or_else(|error| format!("no JSON: {error}"))
            }
        }

        impl Answer {
            /// As it would be written on the wire.
            fn json(&self) -> String {
                let json = match self {
                    $(Self::$name(answer) => serde_json::to_string(answer),)*
                };
                json.unwrap_or_else(|error| format!("no JSON: {error}"))
            }
        }

        $(impl From<model::$request> for Request {
            fn from(request: model::$request) -> Self {
                Self::$name(Box::new(request))
            }
        })*
    };
}

calls! {
    CreateCluster: CreateClusterRequest -> CreateClusterResponse = clusters.create,
    DeleteCluster: DeleteClusterRequest -> DeleteClusterResponse = clusters.delete,
    DescribeClusters: DescribeClustersRequest -> DescribeClustersResponse = clusters.describe,
    UpdateClusterSettings: UpdateClusterSettingsRequest -> UpdateClusterSettingsResponse = clusters.update_settings,
    RegisterTaskDefinition: RegisterTaskDefinitionRequest -> RegisterTaskDefinitionResponse = task_definitions.register,
    DeregisterTaskDefinition: DeregisterTaskDefinitionRequest -> DeregisterTaskDefinitionResponse
        = task_definitions.deregister,
    DeleteTaskDefinitions: DeleteTaskDefinitionsRequest -> DeleteTaskDefinitionsResponse = task_definitions.delete,
    RunTask: RunTaskRequest -> RunTaskResponse = tasks.run,
    StopTask: StopTaskRequest -> StopTaskResponse = tasks.stop,
    DescribeTasks: DescribeTasksRequest -> DescribeTasksResponse = tasks.describe,
    ListTasks: ListTasksRequest -> ListTasksResponse = tasks.list,
    CreateService: CreateServiceRequest -> CreateServiceResponse = services.create,
    UpdateService: UpdateServiceRequest -> UpdateServiceResponse = services.update,
    DeleteService: DeleteServiceRequest -> DeleteServiceResponse = services.delete,
    DescribeServices: DescribeServicesRequest -> DescribeServicesResponse = services.describe,
    ListServices: ListServicesRequest -> ListServicesResponse = services.list,
    ListServiceDeployments: ListServiceDeploymentsRequest -> ListServiceDeploymentsResponse
        = services.list_deployments,
    StopServiceDeployment: StopServiceDeploymentRequest -> StopServiceDeploymentResponse
        = services.stop_deployment,
    UpdateTaskProtection: UpdateTaskProtectionRequest -> UpdateTaskProtectionResponse = tasks.update_protection,
    TagResource: TagResourceRequest -> TagResourceResponse = tags.tag,
    UntagResource: UntagResourceRequest -> UntagResourceResponse = tags.untag,
    CreateCapacityProvider: CreateCapacityProviderRequest -> CreateCapacityProviderResponse = capacity_providers.create,
    DeleteCapacityProvider: DeleteCapacityProviderRequest -> DeleteCapacityProviderResponse = capacity_providers.delete,
    PutClusterCapacityProviders: PutClusterCapacityProvidersRequest -> PutClusterCapacityProvidersResponse
        = clusters.put_capacity_providers,
    UpdateContainerInstancesState: UpdateContainerInstancesStateRequest -> UpdateContainerInstancesStateResponse
        = container_instances.update_state,
    DeregisterContainerInstance: DeregisterContainerInstanceRequest -> DeregisterContainerInstanceResponse
        = container_instances.deregister,
    RegisterContainerInstance: RegisterContainerInstanceRequest -> RegisterContainerInstanceResponse
        = container_instances.register,
    DescribeContainerInstances: DescribeContainerInstancesRequest -> DescribeContainerInstancesResponse
        = container_instances.describe,
    CreateTaskSet: CreateTaskSetRequest -> CreateTaskSetResponse = task_sets.create,
    UpdateTaskSet: UpdateTaskSetRequest -> UpdateTaskSetResponse = task_sets.update,
    DeleteTaskSet: DeleteTaskSetRequest -> DeleteTaskSetResponse = task_sets.delete,
    UpdateServicePrimaryTaskSet: UpdateServicePrimaryTaskSetRequest -> UpdateServicePrimaryTaskSetResponse
        = task_sets.promote,
    RegisterDaemonTaskDefinition: RegisterDaemonTaskDefinitionRequest -> RegisterDaemonTaskDefinitionResponse
        = daemon_task_definitions.register,
    DeleteDaemonTaskDefinition: DeleteDaemonTaskDefinitionRequest -> DeleteDaemonTaskDefinitionResponse
        = daemon_task_definitions.delete,
    CreateDaemon: CreateDaemonRequest -> CreateDaemonResponse = daemons.create,
    UpdateDaemon: UpdateDaemonRequest -> UpdateDaemonResponse = daemons.update,
    DeleteDaemon: DeleteDaemonRequest -> DeleteDaemonResponse = daemons.delete,
    DescribeDaemon: DescribeDaemonRequest -> DescribeDaemonResponse = daemons.describe,
    CreateExpressGatewayService: CreateExpressGatewayServiceRequest -> CreateExpressGatewayServiceResponse
        = express.create,
    UpdateExpressGatewayService: UpdateExpressGatewayServiceRequest -> UpdateExpressGatewayServiceResponse
        = express.update,
    DeleteExpressGatewayService: DeleteExpressGatewayServiceRequest -> DeleteExpressGatewayServiceResponse
        = express.delete,
}

/// How a call came out, as its caller sees it.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It was acknowledged.
    Acknowledged(Answer),
    /// It was refused: nothing was done.
    Refused(String),
    /// Something broke. It was done or it wasn't.
    Unknown(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // A hash of the answer is enough to tell one history from another.
            Self::Acknowledged(answer) => write!(f, "acknowledged, {:016x}", hash(&answer.json())),
            Self::Refused(why) => write!(f, "refused, {why}"),
            Self::Unknown(why) => write!(f, "unknown, {why}"),
        }
    }
}

/// A call in a line: what tells it from others of its kind.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn or<'a>(text: Option<&'a String>, other: &'a str) -> &'a str {
            text.map_or(other, String::as_str)
        }
        f.write_str(self.name())?;
        match self {
            Self::CreateCluster(it) => write!(f, " {}", or(it.cluster_name.as_ref(), "default")),
            Self::DeleteCluster(it) => write!(f, " {}", it.cluster),
            Self::UpdateClusterSettings(it) => write!(f, " {} {:?}", it.cluster, it.settings[0].value),
            Self::RegisterTaskDefinition(it) => {
                let labels = it.container_definitions.iter().flat_map(|it| it.docker_labels.iter().flatten());
                write!(f, " {} {:?}", it.family, labels.collect::<Vec<_>>())
            }
            Self::DeregisterTaskDefinition(it) => write!(f, " {}", it.task_definition),
            Self::DeleteTaskDefinitions(it) => write!(f, " {:?}", it.task_definitions),
            Self::RunTask(it) => {
                let (count, token) = (it.count.unwrap_or(1), or(it.client_token.as_ref(), "none"));
                write!(f, " {} x {count}, token {token}", it.task_definition)
            }
            Self::StopTask(it) => write!(f, " {}", it.task),
            Self::CreateService(it) => {
                let (cluster, definition) =
                    (or(it.cluster.as_ref(), ""), or(it.task_definition.as_ref(), ""));
                write!(f, " {cluster}/{} {definition} x {:?}", it.service_name, it.desired_count)?;
                write!(f, " {}", Configured(it.deployment_configuration.as_ref()))
            }
            Self::UpdateService(it) => {
                let (cluster, definition) =
                    (or(it.cluster.as_ref(), ""), or(it.task_definition.as_ref(), "same"));
                let force = if it.force_new_deployment == Some(true) { " forced" } else { "" };
                write!(f, " {cluster}/{} {definition} x {:?}{force}", it.service, it.desired_count)?;
                write!(f, " {}", Configured(it.deployment_configuration.as_ref()))
            }
            Self::DeleteService(it) => {
                write!(f, " {}/{} force {:?}", or(it.cluster.as_ref(), ""), it.service, it.force)
            }
            Self::StopServiceDeployment(it) => {
                write!(f, " {} {:?}", it.service_deployment_arn, it.stop_type)
            }
            Self::UpdateTaskProtection(it) => {
                write!(f, " {:?} {} {:?}", it.tasks, it.protection_enabled, it.expires_in_minutes)
            }
            Self::TagResource(it) => write!(f, " {} {:?}", it.resource_arn, it.tags[0].value),
            Self::UntagResource(it) => write!(f, " {} {:?}", it.resource_arn, it.tag_keys),
            Self::DescribeClusters(_)
            | Self::DescribeTasks(_)
            | Self::ListTasks(_)
            | Self::DescribeServices(_)
            | Self::ListServices(_)
            | Self::ListServiceDeployments(_) => Ok(()),
            other => write!(f, " {}", other.json()),
        }
    }
}

/// A deployment configuration in a few words.
struct Configured<'a>(Option<&'a model::DeploymentConfiguration>);

impl fmt::Display for Configured<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(it) = self.0 else { return Ok(()) };
        let (least, most) = (it.minimum_healthy_percent, it.maximum_percent);
        write!(f, "{least:?}..{most:?}")?;
        let breaker = it.deployment_circuit_breaker.as_ref();
        breaker
            .map_or(Ok(()), |breaker| write!(f, " breaker {} rollback {}", breaker.enable, breaker.rollback))
    }
}
