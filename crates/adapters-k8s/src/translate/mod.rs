//! From a task to its Pod. Pure: the same task always gives the same manifest.
//!
//! Nothing is scaled up or dropped in silence: what Kubernetes can't express is a [`Note`].

mod claims;
mod container;
mod environment;
mod order;
mod ports;
mod references;
mod resources;
mod restart;
mod security;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use claims::StorageClasses;
pub(crate) use restart::starts_again;

use k8s_openapi::api::core::v1::{
    Affinity, HostAlias, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm,
    PersistentVolumeClaim, Pod, PodDNSConfig, PodSpec,
};
use kecs_domain::model::{ContainerDefinition, NetworkMode, TaskDefinition};
use kecs_domain::task::Task;
use kube::api::ObjectMeta;

use crate::gate::{GATES, Gates};
use crate::identity::{CONTAINER_NAMES, ContainerNames, FINALIZER, Identity, NETWORK_MODE, NOT_TRANSLATED};
use crate::names::{namespace_name, pod_name};

/// How long a container has between SIGTERM and SIGKILL, in seconds, where its definition says nothing.
/// (AWS documentation, stopTimeout)
pub(crate) const STOP_TIMEOUT: i32 = 30;

/// Something in a task definition that the Pod doesn't do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which member, such as `containerDefinitions[0].links`.
    pub member: String,
    /// What becomes of it.
    pub what: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.member, self.what)
    }
}

/// A Pod, and what of the task it doesn't express.
#[derive(Clone, Debug)]
pub struct Translation {
    /// The manifest.
    pub pod: Pod,
    /// Claims that have to be there before it. They outlive it.
    pub claims: Vec<PersistentVolumeClaim>,
    /// What it doesn't express.
    pub notes: Vec<Note>,
}

/// Collects notes with the path of the member that is being translated.
pub(crate) struct Notes {
    notes: Vec<Note>,
}

impl Notes {
    pub(crate) fn add(&mut self, member: impl Into<String>, what: impl Into<String>) {
        self.notes.push(Note { member: member.into(), what: what.into() });
    }

    /// Notes that `member` is set, if it is.
    pub(crate) fn unless_empty<T>(&mut self, value: Option<&Vec<T>>, member: String, what: &str) {
        if value.is_some_and(|list| !list.is_empty()) {
            self.add(member, what);
        }
    }
}

/// Where a task goes, and what is taken there.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The node that the task was placed on; without one Kubernetes finds one.
    pub node: Option<String>,
    /// Host ports that are not free for those that ECS would choose.
    pub taken: BTreeSet<u16>,
    /// What the Kubernetes there has to offer.
    pub offer: Offer,
}

/// What one Kubernetes has and another lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The storage classes of volumes.
    pub storage: StorageClasses,
    /// Whether single containers can be started again. (Kubernetes 1.35)
    pub restarts: bool,
}

impl Default for Offer {
    fn default() -> Self {
        Self { storage: StorageClasses::default(), restarts: true }
    }
}

/// Makes the Pod of a task.
pub fn translate(
    identity: &Identity,
    task: &Task,
    definition: &TaskDefinition,
    place: &Place,
) -> Translation {
    let mut ports = ports::Ports::new(task, &place.taken);
    let mut notes = Notes { notes: Vec::new() };
    let containers = definition.container_definitions.as_deref().unwrap_or_default();
    let order = order::Order::of(containers);
    let (labels, mut annotations) = identity.of_task(task);
    let mode = definition.network_mode.unwrap_or(NetworkMode::Bridge);
    annotations.insert(NETWORK_MODE.to_owned(), mode.as_str().to_owned());
    let host = definition.network_mode == Some(NetworkMode::Host);
    let name = name_of(task);
    let (mut init_containers, mut main_containers) = (Vec::new(), Vec::new());
    for (index, position) in order.iter() {
        let translated = container::translate(
            (&name, task),
            definition,
            (index, position),
            &place.offer,
            &mut ports,
            &mut notes,
        );
        if position.is_init() {
            init_containers.push(translated);
        } else {
            main_containers.push(translated);
        }
    }
    note_task(definition, &mut notes);
    let gated = order.iter().filter(|(_, position)| *position == order::Position::Gated);
    let gates = Gates::for_containers(gated.map(|(index, _)| &containers[index]));
    let names = containers.iter().filter_map(|container| container.name.as_deref());
    let more = [(GATES, gates.annotation()), (CONTAINER_NAMES, ContainerNames::annotation(names))];
    annotations.extend(more.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?))));
    let (mut volumes, claims) = claims::volumes(identity, task, definition, &place.offer.storage, &mut notes);
    volumes.extend(volumes::in_memory(definition, &mut notes));
    let spec = PodSpec {
        containers: main_containers,
        init_containers: (!init_containers.is_empty()).then_some(init_containers),
        // A task's containers are not started again: the service starts another task.
        restart_policy: Some("Never".to_owned()),
        termination_grace_period_seconds: Some(i64::from(longest_stop(containers))),
        // A task has no business with the Kubernetes API, and no surprising variables from its neighbours.
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        host_network: host.then_some(true),
        host_pid: (definition.pid_mode == Some(kecs_domain::model::PidMode::Host)).then_some(true),
        host_ipc: (definition.ipc_mode == Some(kecs_domain::model::IpcMode::Host)).then_some(true),
        share_process_namespace: (definition.pid_mode == Some(kecs_domain::model::PidMode::Task))
            .then_some(true),
        host_aliases: host_aliases(containers),
        dns_config: dns_config(containers),
        hostname: containers.iter().find_map(|container| container.hostname.clone()),
        node_selector: node_selector(definition),
        affinity: place.node.as_deref().map(on_node),
        resources: resources::of_pod(task, definition),
        security_context: security::of_pod(containers),
        image_pull_secrets: references::pull_secrets(containers),
        volumes: (!volumes.is_empty()).then_some(volumes),
        ..PodSpec::default()
    };
    if !notes.notes.is_empty() {
        let text: Vec<_> = notes.notes.iter().map(ToString::to_string).collect();
        annotations.insert(NOT_TRANSLATED.to_owned(), text.join("\n"));
    }
    let pod = Pod {
        metadata: ObjectMeta {
            name: Some(name),
            namespace: Some(namespace_name(identity.installation(), &task.key.cluster)),
            labels: Some(labels),
            annotations: Some(annotations),
            finalizers: Some(vec![FINALIZER.to_owned()]),
            ..ObjectMeta::default()
        },
        spec: Some(spec),
        status: None,
    };
    Translation { pod, claims, notes: notes.notes }
}

/// The name of a task's Pod.
pub(crate) fn name_of(task: &Task) -> String {
    let service = task.service.as_ref().map(|service| service.name.as_str());
    let daemon = task.daemon.as_ref().map(|daemon| daemon.name.as_str());
    let stem = service.or(daemon).unwrap_or(task.definition.family.as_str());
    pod_name(stem, &task.key)
}

/// A Pod has one grace period for all its containers: the longest that any of them needs.
pub(crate) fn longest_stop(containers: &[ContainerDefinition]) -> i32 {
    containers
        .iter()
        .map(|container| container.stop_timeout.unwrap_or(STOP_TIMEOUT))
        .max()
        .unwrap_or(STOP_TIMEOUT)
}

fn note_task(definition: &TaskDefinition, notes: &mut Notes) {
    if definition.ephemeral_storage.is_some() {
        notes.add("ephemeralStorage", "No size is set: the task has what its node has.");
    }
    notes.unless_empty(
        definition.inference_accelerators.as_ref(),
        "inferenceAccelerators".to_owned(),
        "Accelerators are not asked for.",
    );
    if definition.network_mode == Some(NetworkMode::None) {
        notes.add("networkMode", "A Pod always has a network.");
    }
    if definition.enable_fault_injection == Some(true) {
        notes.add("enableFaultInjection", "Faults are not injected.");
    }
    if definition.proxy_configuration.is_some() {
        notes.add(
            "proxyConfiguration",
            "App Mesh has no counterpart here: the proxy runs as a plain container.",
        );
    }
    if definition.task_role_arn.is_some() {
        notes.add("taskRoleArn", "IAM roles are not assumed: give the containers credentials of their own.");
    }
}

/// `extraHosts` of all containers: they share the Pod's hosts file.
fn host_aliases(containers: &[ContainerDefinition]) -> Option<Vec<HostAlias>> {
    let mut by_address: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in containers.iter().flat_map(|container| container.extra_hosts.iter().flatten()) {
        let names = by_address.entry(&entry.ip_address).or_default();
        if !names.contains(&entry.hostname) {
            names.push(entry.hostname.clone());
        }
    }
    let aliases: Vec<_> = by_address
        .into_iter()
        .map(|(ip, hostnames)| HostAlias { ip: ip.to_owned(), hostnames: Some(hostnames) })
        .collect();
    (!aliases.is_empty()).then_some(aliases)
}

fn dns_config(containers: &[ContainerDefinition]) -> Option<PodDNSConfig> {
    let collect = |of: fn(&ContainerDefinition) -> Option<&Vec<String>>| {
        let mut all: Vec<String> = Vec::new();
        for item in containers.iter().filter_map(of).flatten() {
            if !all.contains(item) {
                all.push(item.clone());
            }
        }
        (!all.is_empty()).then_some(all)
    };
    let nameservers = collect(|container| container.dns_servers.as_ref());
    let searches = collect(|container| container.dns_search_domains.as_ref());
    (nameservers.is_some() || searches.is_some()).then(|| PodDNSConfig {
        nameservers,
        searches,
        ..PodDNSConfig::default()
    })
}

/// On this node and no other. Not `nodeName`: the scheduler still sees to it that the Pod fits.
fn on_node(name: &str) -> Affinity {
    let is = NodeSelectorRequirement {
        key: "metadata.name".to_owned(),
        operator: "In".to_owned(),
        values: Some(vec![name.to_owned()]),
    };
    let term = NodeSelectorTerm { match_fields: Some(vec![is]), ..NodeSelectorTerm::default() };
    let required = NodeSelector { node_selector_terms: vec![term] };
    let node = NodeAffinity {
        required_during_scheduling_ignored_during_execution: Some(required),
        ..NodeAffinity::default()
    };
    Affinity { node_affinity: Some(node), ..Affinity::default() }
}

fn node_selector(definition: &TaskDefinition) -> Option<BTreeMap<String, String>> {
    use kecs_domain::model::CPUArchitecture;
    let platform = definition.runtime_platform.as_ref()?;
    let mut selector = BTreeMap::new();
    if let Some(architecture) = platform.cpu_architecture {
        let name = if architecture == CPUArchitecture::Arm64 { "arm64" } else { "amd64" };
        selector.insert("kubernetes.io/arch".to_owned(), name.to_owned());
    }
    if let Some(family) = platform.operating_system_family {
        let name = if family.as_str().starts_with("WINDOWS") { "windows" } else { "linux" };
        selector.insert("kubernetes.io/os".to_owned(), name.to_owned());
    }
    (!selector.is_empty()).then_some(selector)
}
