//! What can be tagged: from an ARN to the stored entity, and back into the store with other tags.

use kecs_domain::arn::{
    Arn, BadTaskDefinitionRef, ClusterKey, TaskDefinitionKey, container_instance_ref, gateway_ref,
    service_child_ref, service_ref, task_definition_ref, task_ref,
};
use kecs_domain::capacity_provider::{CapacityProvider, does_not_exist, is_predefined};
use kecs_domain::cluster::Cluster;
use kecs_domain::container_instance::ContainerInstance;
use kecs_domain::daemon::{
    Daemon, DaemonState, DaemonTaskDefinition, daemon_ref, daemon_task_definition_ref, definition_key,
};
use kecs_domain::gateway::Gateway;
use kecs_domain::model::Tag;
use kecs_domain::name::{ClusterName, DeploymentId};
use kecs_domain::service::{Service, ServiceStatus};
use kecs_domain::task::{Task, TaskStatus};
use kecs_domain::task_definition::TaskDefinition;
use kecs_domain::{EcsError, ErrorCode, Scope};

use crate::cluster::find_any;
use crate::container_instance::{self, Member};
use crate::context::retry_conflicts;
use crate::ports::{Changes, Version, Versioned};
use crate::{Ports, Result, capacity_provider, daemon, daemon_task_definition, gateway, task_definition};

/// Something that has tags, as it was read.
pub(super) enum Resource {
    Cluster(Versioned<Cluster>),
    TaskDefinition(Versioned<TaskDefinition>),
    Task(Versioned<Task>),
    Service(Versioned<Service>),
    CapacityProvider(Box<CapacityProvider>, Version),
    TaskSet(Versioned<Service>, DeploymentId),
    Gateway(Box<gateway::Read>),
    DaemonTaskDefinition(DaemonTaskDefinition, Version),
    Daemon(Box<Daemon>, Version),
    ContainerInstance(ClusterKey, Box<Member>),
}

impl Resource {
    /// The resource with this ARN, in a state in which ECS lets its tags be read and changed.
    pub(super) async fn load(ports: &Ports, scope: &Scope, text: &str) -> Result<Self> {
        let arn = Arn::parse(text).ok_or_else(|| EcsError::invalid_parameter("Invalid arn syntax."))?;
        let refused = || EcsError::invalid_parameter(format!("Unsupported resource type: {}", arn.kind));
        if arn.service != "ecs" {
            return Err(refused().into());
        }
        arn.within(scope)?;
        match arn.kind {
            "cluster" => Self::load_cluster(ports, scope, &arn).await,
            "task-definition" => Self::load_task_definition(ports, scope, text).await,
            "task" => Self::load_task(ports, scope, &arn, text).await,
            "task-set" => Self::load_task_set(ports, scope, text).await,
            "service" => Self::load_service(ports, scope, &arn, text).await,
            "capacity-provider" => Self::load_provider(ports, scope, &arn).await,
            "gateway" => Self::load_gateway(ports, scope, text).await,
            "daemon" => Self::load_daemon(ports, scope, text).await,
            "daemon-task-definition" => Self::load_daemon_task_definition(ports, scope, text).await,
            "container-instance" => Self::load_container_instance(ports, scope, &arn, text).await,
            _ => Err(refused().into()),
        }
    }

    async fn load_cluster(ports: &Ports, scope: &Scope, arn: &Arn<'_>) -> Result<Self> {
        let name = ClusterName::parse(arn.rest).ok_or_else(EcsError::cluster_not_found)?;
        let found = find_any(ports, &ClusterKey::new(scope.clone(), name)).await?;
        if found.is_active() {
            return Ok(Self::Cluster(found));
        }
        Err(EcsError::invalid_parameter(
            "The specified cluster is inactive. Specify an active cluster and try again.",
        )
        .into())
    }

    async fn load_task_definition(ports: &Ports, scope: &Scope, text: &str) -> Result<Self> {
        let named = task_definition_ref(scope, text).map_err(|bad| match bad {
            BadTaskDefinitionRef::Revision => task_definition::bad_revision(),
            BadTaskDefinitionRef::Family => task_definition::unable_to_describe(),
        })?;
        let revision = named.revision.ok_or_else(task_definition::unable_to_describe)?;
        let key = TaskDefinitionKey { scope: scope.clone(), family: named.family, revision };
        let found = ports.task_definitions.task_definition(&key).await?;
        Ok(Self::TaskDefinition(found.ok_or_else(task_definition::unable_to_describe)?))
    }

    async fn load_task(ports: &Ports, scope: &Scope, arn: &Arn<'_>, text: &str) -> Result<Self> {
        let cluster = named_cluster(scope, arn)?;
        let key = task_ref(&cluster, text)?;
        find_any(ports, &cluster).await?;
        let found = ports.tasks.tasks(std::slice::from_ref(&key)).await?.pop().flatten();
        let found = found.ok_or_else(|| EcsError::invalid_parameter("The referenced task was not found."))?;
        if found.status == TaskStatus::Stopped {
            return Err(EcsError::invalid_parameter(
                "The specified task is stopped. Specify a running task and try again.",
            )
            .into());
        }
        Ok(Self::Task(found))
    }

    async fn load_provider(ports: &Ports, scope: &Scope, arn: &Arn<'_>) -> Result<Self> {
        if is_predefined(arn.rest) {
            return Err(EcsError::invalid_parameter(format!(
                "The capacity provider {} is reserved and has no tags.",
                arn.rest
            ))
            .into());
        }
        let (found, version) =
            capacity_provider::find(ports, scope, arn.rest).await?.ok_or_else(does_not_exist)?;
        if found.active {
            return Ok(Self::CapacityProvider(Box::new(found), version));
        }
        Err(EcsError::invalid_parameter(
            "The specified capacity provider is inactive. Specify an active capacity provider and try again.",
        )
        .into())
    }

    async fn load_service(ports: &Ports, scope: &Scope, arn: &Arn<'_>, text: &str) -> Result<Self> {
        let cluster = named_cluster(scope, arn)?;
        let not_found = || {
            EcsError::invalid_parameter(
                "The specified service was not found. Specify a valid service and try again.",
            )
        };
        let key = service_ref(&cluster, text)?.ok_or_else(not_found)?;
        find_any(ports, &cluster).await?;
        let found = ports.services.services(std::slice::from_ref(&key)).await?.pop().flatten();
        let found = found.ok_or_else(not_found)?;
        if found.status == ServiceStatus::Inactive {
            return Err(EcsError::invalid_parameter(
                "The specified service is inactive. Specify an active service and try again.",
            )
            .into());
        }
        Ok(Self::Service(found))
    }

    async fn load_task_set(ports: &Ports, scope: &Scope, text: &str) -> Result<Self> {
        let not_found = || {
            EcsError::invalid_parameter(
                "The specified task set was not found. Specify a valid task set and try again.",
            )
        };
        let (key, _) = service_child_ref(scope, "task-set", text).ok_or_else(not_found)?;
        find_any(ports, &key.cluster).await?;
        let found = ports.services.services(std::slice::from_ref(&key)).await?.pop().flatten();
        let found = found.ok_or_else(not_found)?;
        let id = found.task_set(key.task_set_ref(text)).map_err(|_| not_found())?.id;
        Ok(Self::TaskSet(found, id))
    }

    async fn load_gateway(ports: &Ports, scope: &Scope, text: &str) -> Result<Self> {
        let found = match gateway_ref(scope, text)? {
            Some(key) => gateway::load(ports, &key).await?,
            None => None,
        };
        let not_found = || {
            EcsError::invalid_parameter(
                "The specified gateway was not found. Specify a valid gateway and try again.",
            )
        };
        Ok(Self::Gateway(Box::new(found.ok_or_else(not_found)?)))
    }

    async fn load_daemon_task_definition(ports: &Ports, scope: &Scope, text: &str) -> Result<Self> {
        let named = daemon_task_definition_ref(scope, text).map_err(|bad| match bad {
            BadTaskDefinitionRef::Revision => daemon_task_definition::bad_revision(),
            BadTaskDefinitionRef::Family => daemon_task_definition::unable_to_describe(),
        })?;
        let unknown = daemon_task_definition::unable_to_describe;
        let revision = named.revision.ok_or_else(unknown)?;
        let key = TaskDefinitionKey { scope: scope.clone(), family: named.family, revision };
        let (found, version) = daemon_task_definition::find(ports, &key).await?.ok_or_else(unknown)?;
        Ok(Self::DaemonTaskDefinition(found, version))
    }

    async fn load_daemon(ports: &Ports, scope: &Scope, text: &str) -> Result<Self> {
        let key = daemon_ref(scope, text)?;
        find_any(ports, &key.cluster).await?;
        let (found, version) = daemon::load(ports, &key).await?.ok_or_else(|| {
            EcsError::invalid_parameter(
                "The specified daemon was not found. Specify a valid daemon and try again.",
            )
        })?;
        if found.state != DaemonState::Active {
            return Err(EcsError::invalid_parameter(
                "The specified daemon is inactive. Specify an active daemon and try again.",
            )
            .into());
        }
        Ok(Self::Daemon(Box::new(found), version))
    }

    async fn load_container_instance(
        ports: &Ports,
        scope: &Scope,
        arn: &Arn<'_>,
        text: &str,
    ) -> Result<Self> {
        let cluster = named_cluster(scope, arn)?;
        let id = container_instance_ref(&cluster, text)?;
        find_any(ports, &cluster).await?;
        let not_found = || {
            EcsError::invalid_parameter(
                "The specified container instance was not found. Specify a valid container instance and try again.",
            )
        };
        let found = container_instance::find(ports, &cluster, id).await?.ok_or_else(not_found)?;
        if found.is_inactive() {
            return Err(EcsError::invalid_parameter(
                "The specified container instance is inactive. Specify an active container instance and try again.",
            )
            .into());
        }
        Ok(Self::ContainerInstance(cluster, Box::new(found)))
    }

    /// Its tags.
    pub(super) fn tags(&self) -> &[Tag] {
        match self {
            Self::Cluster(cluster) => &cluster.tags,
            Self::TaskDefinition(definition) => &definition.tags,
            Self::Task(task) => &task.tags,
            Self::Service(service) => &service.tags,
            Self::CapacityProvider(provider, _) => &provider.tags,
            Self::TaskSet(service, id) => service.task_set(Some(*id)).map_or(&[], |set| set.tags.as_slice()),
            Self::Gateway(read) => &read.gateway.tags,
            Self::DaemonTaskDefinition(definition, _) => &definition.tags,
            Self::Daemon(daemon, _) => &daemon.tags,
            Self::ContainerInstance(_, member) => member.kept().map_or(&[], |kept| &kept.tags),
        }
    }

    /// What is wrong with tags, as ECS words it for this kind of resource.
    pub(super) fn refusal(&self, mut error: EcsError) -> EcsError {
        if matches!(self, Self::TaskDefinition(_) | Self::DaemonTaskDefinition(..)) {
            error.code = ErrorCode::Client;
        }
        error
    }

    /// Saves it with other tags. A conflict means that it was changed since it was read.
    async fn save(self, ports: &Ports, tags: Vec<Tag>) -> Result<()> {
        let mut changes = Changes::new();
        match self {
            Self::Cluster(read) => changes.update(Cluster { tags, ..Cluster::clone(&read) }, read.version),
            Self::TaskDefinition(read) => {
                changes.update(TaskDefinition { tags, ..TaskDefinition::clone(&read) }, read.version)
            }
            Self::Task(read) => changes.update(Task { tags, ..Task::clone(&read) }, read.version),
            Self::Service(read) => changes.update(Service { tags, ..Service::clone(&read) }, read.version),
            Self::CapacityProvider(read, version) => {
                changes.update(capacity_provider::stored(CapacityProvider { tags, ..*read }), version)
            }
            Self::TaskSet(read, id) => {
                let mut service = Service::clone(&read);
                service.tag_task_set(id, tags)?;
                changes.update(service, read.version)
            }
            Self::Gateway(read) => {
                read.save(Gateway { tags, ..read.gateway.clone() }, &mut changes);
                &mut changes
            }
            Self::Daemon(daemon, version) => {
                let tagged = Daemon { tags, ..*daemon };
                changes.update(daemon::keep(tagged.key.resource(), tagged), version)
            }
            Self::DaemonTaskDefinition(definition, version) => {
                let tagged = DaemonTaskDefinition { tags, ..definition };
                changes.update(daemon::keep(definition_key(&tagged.key), tagged), version)
            }
            Self::ContainerInstance(cluster, member) => {
                let kept = ContainerInstance { tags, ..member.to_kept() };
                member.save(&cluster, kept, &mut changes);
                &mut changes
            }
        };
        ports.unit_of_work.commit(changes).await?;
        Ok(())
    }
}

/// Loads the resource, decides on its tags and saves it, as often as others change it meanwhile.
pub(super) async fn change(
    ports: &Ports,
    scope: &Scope,
    arn: &str,
    decide: impl Fn(&Resource) -> Result<Vec<Tag>>,
) -> Result<()> {
    retry_conflicts(|| async {
        let resource = Resource::load(ports, scope, arn).await?;
        let tags = decide(&resource)?;
        if tags == resource.tags() { Ok(()) } else { resource.save(ports, tags).await }
    })
    .await
}

/// The cluster in `task/CLUSTER/ID` and `service/CLUSTER/NAME`.
fn named_cluster(scope: &Scope, arn: &Arn<'_>) -> Result<ClusterKey> {
    let (cluster, _) = arn
        .rest
        .split_once('/')
        .ok_or_else(|| EcsError::invalid_parameter("Long arn format must be used for tagging operations"))?;
    let name = ClusterName::parse(cluster).ok_or_else(EcsError::cluster_not_found)?;
    Ok(ClusterKey::new(scope.clone(), name))
}
