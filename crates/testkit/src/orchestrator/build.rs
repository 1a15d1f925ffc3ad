//! Builds what the cases launch: a task definition of a few containers, and tasks of it as RunTask would make them.

use std::sync::Arc;

use kecs_domain::Doc;
use kecs_domain::Timestamp;
use kecs_domain::arn::{ClusterKey, TaskDefinitionKey, TaskKey};
use kecs_domain::model::{
    self, AwsVpcConfiguration, ContainerCondition, ContainerDefinition, ContainerDependency, LaunchType,
    NetworkMode, PortMapping,
};
use kecs_domain::name::{FamilyName, HexId, TaskId};
use kecs_domain::task::{LaunchSettings, NewTask};
use kecs_domain::task_definition::{TaskDefinition, TaskDefinitionState};
use kecs_usecases::ports::Launch;

/// A task definition in the making, with where its tasks run.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The first revision of this family.
    pub family: String,
    /// Its containers.
    pub containers: Vec<ContainerDefinition>,
    /// `networkMode`
    pub network: Option<NetworkMode>,
    /// Where tasks run.
    pub launch_type: LaunchType,
    /// The instance that tasks were placed on.
    pub instance: Option<HexId>,
    /// `overrides` of the request.
    pub overrides: model::TaskOverride,
    /// Its volumes.
    pub volumes: Vec<model::Volume>,
}

impl Recipe {
    /// Tasks of `containers` on Fargate, each with its own address.
    pub fn fargate(family: &str, containers: impl Into<Vec<ContainerDefinition>>) -> Self {
        Self {
            family: family.to_owned(),
            containers: containers.into(),
            network: Some(NetworkMode::Awsvpc),
            launch_type: LaunchType::Fargate,
            instance: None,
            overrides: model::TaskOverride::default(),
            volumes: Vec::new(),
        }
    }

    /// Tasks of `containers` on instances, with host ports.
    pub fn bridge(family: &str, containers: impl Into<Vec<ContainerDefinition>>) -> Self {
        Self {
            network: Some(NetworkMode::Bridge),
            launch_type: LaunchType::Ec2,
            ..Self::fargate(family, containers)
        }
    }

    /// Tasks are placed on `instance`.
    #[must_use]
    pub fn on(mut self, instance: HexId) -> Self {
        self.instance = Some(instance);
        self
    }

    /// The request overrides a container.
    #[must_use]
    pub fn overridden(mut self, container: &str, with: model::ContainerOverride) -> Self {
        let with = model::ContainerOverride { name: Some(container.to_owned()), ..with };
        self.overrides.container_overrides.get_or_insert_default().push(with);
        self
    }

    /// Tasks have an empty volume of that name.
    #[must_use]
    pub fn volume(mut self, name: &str) -> Self {
        self.volumes.push(model::Volume { name: Some(name.to_owned()), ..model::Volume::default() });
        self
    }

    /// The task definition as RegisterTaskDefinition would store it.
    ///
    /// # Panics
    /// When the family is no legal name.
    pub fn definition(&self, cluster: &ClusterKey) -> Arc<TaskDefinition> {
        let family = FamilyName::parse(&self.family).expect("the family of a recipe is a legal name");
        let key = TaskDefinitionKey { scope: cluster.scope.clone(), family, revision: 1 };
        let doc = model::TaskDefinition {
            task_definition_arn: Some(key.arn()),
            family: Some(self.family.clone()),
            revision: Some(1),
            network_mode: self.network,
            container_definitions: Some(self.containers.clone()),
            cpu: Some("256".to_owned()),
            memory: Some("512".to_owned()),
            volumes: (!self.volumes.is_empty()).then(|| self.volumes.clone()),
            ..model::TaskDefinition::default()
        };
        Arc::new(TaskDefinition {
            key,
            state: TaskDefinitionState::Active,
            doc: Doc::new(doc),
            tags: Vec::new(),
        })
    }

    /// A task with the id `id`, created at `now`.
    pub fn launch(&self, cluster: &ClusterKey, id: TaskId, now: Timestamp) -> Launch {
        let definition = self.definition(cluster);
        let vpc =
            AwsVpcConfiguration { subnets: vec!["subnet-1".to_owned()], ..AwsVpcConfiguration::default() };
        let network = (self.network == Some(NetworkMode::Awsvpc))
            .then_some(model::NetworkConfiguration { awsvpc_configuration: Some(vpc) });
        let mut uuids = 0_u128;
        let task = NewTask {
            key: TaskKey { cluster: cluster.clone(), id },
            definition: &definition,
            launch_type: Some(self.launch_type),
            capacity_provider: None,
            overrides: Doc::new(self.overrides.clone()),
            group: format!("family:{}", self.family),
            started_by: None,
            enable_execute_command: false,
            platform_version: None,
            service: None,
            daemon: None,
            instance: self.instance,
            availability_zone: None,
            tags: Vec::new(),
            launch: Arc::new(LaunchSettings { network, ..LaunchSettings::default() }),
            created_at: now,
        }
        .create(&mut || {
            uuids += 1;
            format!("00000000-0000-4000-8000-{uuids:012x}")
        });
        Launch { task: Arc::new(task), definition }
    }
}

/// What a case adds to a container that its harness made.
pub trait ContainerExt {
    /// Other containers may end without it.
    #[must_use]
    fn non_essential(self) -> Self;
    /// Waits for another container.
    #[must_use]
    fn depends_on(self, container: &str, condition: ContainerCondition) -> Self;
    /// `stopTimeout` in seconds.
    #[must_use]
    fn stop_timeout(self, seconds: i32) -> Self;
    /// `startTimeout` in seconds.
    #[must_use]
    fn start_timeout(self, seconds: i32) -> Self;
    /// A variable.
    #[must_use]
    fn variable(self, name: &str, value: &str) -> Self;
    /// Mounts a volume.
    #[must_use]
    fn mount(self, volume: &str, path: &str) -> Self;
    /// Shows a port on the host; 0 for whichever is free.
    #[must_use]
    fn port(self, container_port: i32, host_port: i32) -> Self;
}

impl ContainerExt for ContainerDefinition {
    fn non_essential(mut self) -> Self {
        self.essential = Some(false);
        self
    }

    fn depends_on(mut self, container: &str, condition: ContainerCondition) -> Self {
        let dependency = ContainerDependency { container_name: container.to_owned(), condition };
        self.depends_on.get_or_insert_default().push(dependency);
        self
    }

    fn stop_timeout(mut self, seconds: i32) -> Self {
        self.stop_timeout = Some(seconds);
        self
    }

    fn start_timeout(mut self, seconds: i32) -> Self {
        self.start_timeout = Some(seconds);
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        let pair = model::KeyValuePair { name: Some(name.to_owned()), value: Some(value.to_owned()) };
        self.environment.get_or_insert_default().push(pair);
        self
    }

    fn mount(mut self, volume: &str, path: &str) -> Self {
        self.mount_points.get_or_insert_default().push(model::MountPoint {
            source_volume: Some(volume.to_owned()),
            container_path: Some(path.to_owned()),
            read_only: None,
        });
        self
    }

    fn port(mut self, container_port: i32, host_port: i32) -> Self {
        self.port_mappings.get_or_insert_default().push(PortMapping {
            container_port: Some(container_port),
            host_port: Some(host_port),
            ..PortMapping::default()
        });
        self
    }
}
