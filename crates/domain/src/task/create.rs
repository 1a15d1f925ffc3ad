//! A new task: what RunTask answers, before anything was observed of it.

use std::sync::Arc;

use super::{DaemonMembership, DesiredStatus, LaunchSettings, ServiceMembership, Task, TaskStatus, network};
use crate::arn::TaskKey;
use crate::daemon::daemon_task_definition_arn;
use crate::exec;
use crate::generated as model;
use crate::model::{Compatibility, ContainerDefinition, ContainerOverride, LaunchType, NetworkMode};
use crate::name::HexId;
use crate::task_definition::TaskDefinition;
use crate::task_definition::sizes::{parse_cpu, parse_memory};
use crate::{Doc, Timestamp};

/// GiB of storage that a Fargate task has if nobody says otherwise. (AWS documentation, Fargate task storage)
const FARGATE_STORAGE_GIB: i32 = 20;

/// What a new task is made of. Everything was checked before.
#[derive(Clone, Debug)]
pub struct NewTask<'a> {
    /// Its key, with a fresh id.
    pub key: TaskKey,
    /// Its task definition.
    pub definition: &'a TaskDefinition,
    /// Where it runs; None is EC2's default.
    pub launch_type: Option<LaunchType>,
    /// The capacity provider that a strategy picked.
    pub capacity_provider: Option<String>,
    /// `overrides` of the request.
    pub overrides: Doc<model::TaskOverride>,
    /// `group`
    pub group: String,
    /// `startedBy`
    pub started_by: Option<String>,
    /// `enableExecuteCommand`
    pub enable_execute_command: bool,
    /// `platformVersion`; LATEST is resolved here.
    pub platform_version: Option<String>,
    /// The service it belongs to.
    pub service: Option<ServiceMembership>,
    /// The daemon it belongs to.
    pub daemon: Option<DaemonMembership>,
    /// The instance it was placed on.
    pub instance: Option<HexId>,
    /// `availabilityZone`
    pub availability_zone: Option<String>,
    /// Its tags, merged already.
    pub tags: Vec<model::Tag>,
    /// What the launch needs beyond this.
    pub launch: Arc<LaunchSettings>,
    /// Now.
    pub created_at: Timestamp,
}

impl NewTask<'_> {
    /// Makes the task. `uuid` yields fresh UUIDs: one for each container and one for the network interface.
    pub fn create(self, uuid: &mut dyn FnMut() -> String) -> Task {
        let definition = &*self.definition.doc;
        let fargate = self.launch_type == Some(LaunchType::Fargate);
        let awsvpc = definition.network_mode == Some(NetworkMode::Awsvpc);
        // A task with an interface of its own waits for it, one without a place for capacity; another one goes
        // straight to its instance.
        let waits = awsvpc
            || super::waits_for_capacity(self.launch_type, self.capacity_provider.as_ref(), self.instance);
        let status = if waits { TaskStatus::Provisioning } else { TaskStatus::Pending };
        let task_arn = self.key.arn();
        let containers = containers(definition);
        let attachments =
            if awsvpc { vec![network::precreated(uuid(), self.launch.network.as_ref())] } else { Vec::new() };
        let (cpu, memory) = self.sizes(definition);
        let storage = self
            .overrides
            .ephemeral_storage
            .as_ref()
            .or(definition.ephemeral_storage.as_ref())
            .map_or(FARGATE_STORAGE_GIB, |storage| storage.size_in_gib);
        let doc = model::Task {
            attachments: Some(attachments),
            attributes: Some(vec![architecture(definition)]),
            availability_zone: self.availability_zone,
            capacity_provider_name: self.capacity_provider,
            cluster_arn: Some(self.key.cluster.arn()),
            container_instance_arn: self.instance.map(|id| self.key.cluster.container_instance_arn(id)),
            containers: Some(
                containers
                    .iter()
                    .map(|container| {
                        let mut made =
                            new_container(&self.key, &task_arn, container, &self.overrides, uuid());
                        made.managed_agents = self.enable_execute_command.then(|| vec![exec::new_agent()]);
                        made
                    })
                    .collect(),
            ),
            cpu,
            created_at: Some(self.created_at),
            desired_status: Some(DesiredStatus::Running.as_str().to_owned()),
            enable_execute_command: Some(self.enable_execute_command),
            ephemeral_storage: fargate.then_some(model::EphemeralStorage { size_in_gib: storage }),
            fargate_ephemeral_storage: fargate
                .then(|| model::TaskEphemeralStorage { size_in_gib: Some(storage), ..Default::default() }),
            group: Some(self.group),
            last_status: Some(status.as_str().to_owned()),
            launch_type: Some(self.launch_type.unwrap_or(LaunchType::Ec2)),
            memory,
            overrides: Some(effective_overrides(definition, self.overrides)),
            platform_family: fargate.then(|| platform_family(definition).to_owned()),
            platform_version: fargate.then(|| platform_version(self.platform_version.as_deref()).to_owned()),
            started_by: self.started_by,
            tags: Some(Vec::new()),
            task_arn: Some(task_arn),
            task_definition_arn: Some(match &self.daemon {
                None => self.definition.key.arn(),
                Some(_) => daemon_task_definition_arn(&self.definition.key),
            }),
            version: Some(1),
            ..Default::default()
        };
        Task {
            key: self.key,
            doc: Doc::new(doc),
            tags: self.tags,
            status,
            desired: DesiredStatus::Running,
            definition: self.definition.key.clone(),
            service: self.service,
            daemon: self.daemon,
            instance: self.instance,
            launch: self.launch,
            protected_until: None,
            accepted: false,
            accounted: false,
            by_agent: false,
        }
    }

    /// The task's cpu and memory: overridden, defined, or the sums over its containers.
    fn sizes(&self, definition: &model::TaskDefinition) -> (Option<String>, Option<String>) {
        let sum = |of: fn(&ContainerDefinition) -> Option<i32>| -> i64 {
            containers(definition).iter().filter_map(of).map(i64::from).sum()
        };
        // In units, as a task definition's own sizes: `0.5 vCPU` is 512.
        let cpu = self.overrides.cpu.as_deref().map(|cpu| normal(cpu, parse_cpu));
        let cpu = cpu.or_else(|| definition.cpu.clone());
        let memory = self.overrides.memory.as_deref().map(|memory| normal(memory, parse_memory));
        let memory = memory.or_else(|| definition.memory.clone());
        let of_containers = sum(|container| container.memory.or(container.memory_reservation));
        (
            Some(cpu.unwrap_or_else(|| sum(|container| container.cpu).to_string())),
            memory.or_else(|| (of_containers > 0).then(|| of_containers.to_string())),
        )
    }
}

fn normal(text: &str, parse: fn(&str) -> Option<i32>) -> String {
    parse(text).map_or_else(|| text.to_owned(), |number| number.to_string())
}

fn containers(definition: &model::TaskDefinition) -> &[ContainerDefinition] {
    definition.container_definitions.as_deref().unwrap_or_default()
}

fn new_container(
    key: &TaskKey,
    task_arn: &str,
    definition: &ContainerDefinition,
    overrides: &model::TaskOverride,
    uuid: String,
) -> model::Container {
    let overridden =
        overrides.container_overrides.iter().flatten().find(|overridden| overridden.name == definition.name);
    let pick = |of: fn(&ContainerOverride) -> Option<i32>, defined: Option<i32>| {
        overridden.and_then(of).or(defined).map(|number| number.to_string())
    };
    model::Container {
        container_arn: Some(key.container_arn(&uuid)),
        task_arn: Some(task_arn.to_owned()),
        name: definition.name.clone(),
        image: definition.image.clone(),
        last_status: Some("PENDING".to_owned()),
        network_interfaces: Some(Vec::new()),
        cpu: pick(|o| o.cpu, definition.cpu.or(Some(0))),
        memory: pick(|o| o.memory, definition.memory),
        memory_reservation: pick(|o| o.memory_reservation, definition.memory_reservation),
        ..Default::default()
    }
}

/// The overrides as ECS shows them: every container is named, also those of which nothing is overridden. Those that
/// are like that already are shared.
pub fn effective_overrides(
    definition: &model::TaskDefinition,
    mut given: Doc<model::TaskOverride>,
) -> Doc<model::TaskOverride> {
    let listed = given.container_overrides.as_deref().unwrap_or_default();
    let unlisted: Vec<_> = containers(definition)
        .iter()
        .filter(|container| !listed.iter().any(|overridden| overridden.name == container.name))
        .map(|container| ContainerOverride { name: container.name.clone(), ..Default::default() })
        .collect();
    let complete = given.container_overrides.is_some() && given.inference_accelerator_overrides.is_some();
    if !complete || !unlisted.is_empty() {
        let all = given.make_mut();
        all.container_overrides.get_or_insert_default().extend(unlisted);
        all.inference_accelerator_overrides.get_or_insert_default();
    }
    given
}

fn architecture(definition: &model::TaskDefinition) -> model::Attribute {
    let arm = definition
        .runtime_platform
        .as_ref()
        .and_then(|platform| platform.cpu_architecture)
        .is_some_and(|architecture| architecture == model::CPUArchitecture::Arm64);
    model::Attribute {
        name: "ecs.cpu-architecture".to_owned(),
        value: Some(if arm { "arm64" } else { "x86_64" }.to_owned()),
        ..Default::default()
    }
}

/// `platformFamily` of a Fargate task or service.
pub(crate) fn platform_family(definition: &model::TaskDefinition) -> &'static str {
    let family = definition.runtime_platform.as_ref().and_then(|platform| platform.operating_system_family);
    match family.map_or("LINUX", |family| family.as_str()) {
        "LINUX" => "Linux",
        other if other.starts_with("WINDOWS") => "Windows",
        _ => "Linux",
    }
}

/// The platform version that a Fargate task gets: LATEST is resolved to the newest one. (AWS documentation, Linux
/// platform versions)
pub fn platform_version(asked: Option<&str>) -> &str {
    match asked {
        None | Some("" | "LATEST") => "1.4.0",
        Some(version) => version,
    }
}

/// The zone that a subnet stands in: subnets are only names here, so the zone follows from the name, always the
/// same for the same subnet.
pub fn zone_of_subnet(region: &str, subnet: &str) -> String {
    let sum = subnet.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let letter = ["a", "b", "c"][(sum % 3) as usize];
    format!("{region}{letter}")
}

impl TaskDefinition {
    /// `platformFamily` of its tasks on Fargate.
    pub fn platform_family(&self) -> &'static str {
        platform_family(&self.doc)
    }

    /// Whether `compatibilities` holds the launch type.
    pub fn supports(&self, launch_type: LaunchType) -> bool {
        let wanted = match launch_type {
            LaunchType::Ec2 => Compatibility::Ec2,
            LaunchType::Fargate => Compatibility::Fargate,
            LaunchType::External => Compatibility::External,
            LaunchType::ManagedInstances => Compatibility::ManagedInstances,
        };
        self.doc.compatibilities.as_ref().is_none_or(|all| all.contains(&wanted))
    }
}
