//! Nodes as container instances.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kecs_domain::model::{Attribute, VersionInfo};
use kecs_domain::name::HexId;
use kecs_usecases::ports::{Instance, InstanceStatus, Resources};

use super::Load;
use crate::names::digest;

/// Ports that every instance keeps to itself. (recorded: PORTS of RegisterContainerInstance)
const RESERVED_PORTS: [u16; 5] = [22, 2375, 2376, 51678, 51679];

/// The id of the container instance that a node is.
pub fn instance_id(node_name: &str) -> HexId {
    // 32 hexadecimal digits always are an id.
    digest(&["node", node_name], 32).parse().unwrap_or(HexId::from_bits(0))
}

/// Taints of nodes that are about to be taken away: of the cluster autoscaler, and of Karpenter.
const GOING: [&str; 3] =
    ["ToBeDeletedByClusterAutoscaler", "karpenter.sh/disrupted", "karpenter.sh/disruption"];
/// Taints that say what the node's state says too: not ready, unreachable, cordoned, short of something.
const CONDITIONS: &str = "node.kubernetes.io/";

/// What a node's taints say of it.
#[derive(PartialEq)]
enum Taints {
    Open,
    /// It will be gone soon.
    Going,
    /// It is for others: tasks tolerate nothing.
    Reserved,
}

fn taints(node: &Node) -> Taints {
    let all = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    let keeping = all.filter(|taint| matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute"));
    let keys: Vec<_> =
        keeping.map(|taint| taint.key.as_str()).filter(|key| !key.starts_with(CONDITIONS)).collect();
    if keys.iter().any(|key| GOING.contains(key)) {
        Taints::Going
    } else if keys.is_empty() {
        Taints::Open
    } else {
        Taints::Reserved
    }
}

/// A node as a container instance. What is left on it is all that it allots: see [`with_load`] for what tasks take.
/// None for a node that no task could be placed on, whatever it asks for: one with a taint that is somebody else's.
pub fn instance_of(node: &Node) -> Option<Instance> {
    let name = node.metadata.name.clone()?;
    let taints = taints(node);
    if taints == Taints::Reserved {
        return None;
    }
    let labels = node.metadata.labels.clone().unwrap_or_default();
    let label = |key: &str| labels.get(key).cloned();
    let status = node.status.as_ref()?;
    let allocatable = status.allocatable.clone().unwrap_or_default();
    let resources = Resources {
        cpu: cpu_units(&allocatable),
        memory: memory_mib(&allocatable),
        ports: RESERVED_PORTS.to_vec(),
    };
    let unschedulable =
        node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true) || taints == Taints::Going;
    let ready = status
        .conditions
        .iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let zone = label("topology.kubernetes.io/zone").unwrap_or_default();
    let architecture = match label("kubernetes.io/arch").as_deref() {
        Some("arm64") => "arm64",
        _ => "x86_64",
    };
    let mut attributes = vec![
        attribute("ecs.availability-zone", &zone),
        attribute("ecs.os-type", label("kubernetes.io/os").as_deref().unwrap_or("linux")),
        attribute("ecs.cpu-architecture", architecture),
    ];
    if let Some(kind) = label("node.kubernetes.io/instance-type") {
        attributes.push(attribute("ecs.instance-type", &kind));
    }
    attributes.extend(labels.iter().map(|(key, value)| attribute(key, value)));
    Some(Instance {
        id: instance_id(&name),
        host: name,
        availability_zone: zone,
        status: if unschedulable { InstanceStatus::Draining } else { InstanceStatus::Active },
        connected: ready,
        registered: resources.clone(),
        remaining: resources,
        attributes,
        versions: VersionInfo {
            agent_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            // What stands where ECS shows Docker: `containerd://1.7.2`.
            docker_version: status.node_info.as_ref().map(|info| info.container_runtime_version.clone()),
            ..VersionInfo::default()
        },
        registered_at: node.metadata.creation_timestamp.as_ref().map(|at| at.0.into()),
    })
}

/// The instance with what is left of it when these tasks run there. Pods of others are not counted: Kubernetes
/// decides in the end whether a Pod fits.
pub fn with_load<'a>(instance: &Instance, loads: impl Iterator<Item = &'a Load>) -> Instance {
    let mut instance = instance.clone();
    let left = &mut instance.remaining;
    for load in loads {
        left.cpu = (left.cpu - load.cpu).max(0);
        left.memory = (left.memory - load.memory).max(0);
        left.ports.extend(&load.ports);
    }
    instance
}

fn attribute(name: &str, value: &str) -> Attribute {
    Attribute { name: name.to_owned(), value: Some(value.to_owned()), ..Attribute::default() }
}

pub(super) fn memory_mib(amounts: &BTreeMap<String, Quantity>) -> i64 {
    amounts.get("memory").map_or(0, |quantity| bytes(quantity) >> 20)
}

/// `cpu` in units, rounded up: it was rounded down on its way to Kubernetes.
pub(super) fn cpu_units(amounts: &BTreeMap<String, Quantity>) -> i64 {
    let Some(Quantity(text)) = amounts.get("cpu") else { return 0 };
    match text.strip_suffix('m') {
        Some(millis) => (millis.parse::<i64>().unwrap_or(0) * 1024 + 999) / 1000,
        None => text.parse::<i64>().unwrap_or(0) * 1024,
    }
}

/// A quantity of memory in bytes.
fn bytes(Quantity(text): &Quantity) -> i64 {
    const UNITS: [(&str, i64); 8] = [
        ("Ki", 1 << 10),
        ("Mi", 1 << 20),
        ("Gi", 1 << 30),
        ("Ti", 1 << 40),
        ("k", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
        ("T", 1_000_000_000_000),
    ];
    for (suffix, factor) in UNITS {
        if let Some(number) = text.strip_suffix(suffix) {
            return number.parse::<i64>().unwrap_or(0) * factor;
        }
    }
    text.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_an_instance_with_its_resources() {
        let node: Node = serde_json::from_value(serde_json::json!({
            "metadata": {"name": "n1", "labels": {"topology.kubernetes.io/zone": "z-a", "kubernetes.io/arch": "arm64"}},
            "spec": {"unschedulable": true},
            "status": {
                "allocatable": {"cpu": "1500m", "memory": "2097152Ki"},
                "conditions": [{"type": "Ready", "status": "True"}]
            }
        }))
        .unwrap();
        let instance = instance_of(&node).unwrap();
        assert_eq!((instance.registered.cpu, instance.registered.memory), (1536, 2048));
        assert_eq!(instance.status, InstanceStatus::Draining);
        assert!(instance.connected);
        assert!(instance.attributes.contains(&attribute("ecs.cpu-architecture", "arm64")));
        assert_eq!(instance.id, instance_id("n1"));
    }

    #[test]
    fn a_taint_keeps_tasks_away_or_says_that_the_node_is_going() {
        let status = |key: &str, effect: &str| {
            let node = serde_json::from_value(serde_json::json!({
                "metadata": {"name": "n1"}, "status": {},
                "spec": {"taints": [{"key": key, "effect": effect}]}
            }));
            instance_of(&node.unwrap()).map(|it| it.status)
        };
        assert_eq!(status("node-role.kubernetes.io/control-plane", "NoSchedule"), None);
        assert_eq!(status("nvidia.com/gpu", "NoExecute"), None);
        assert_eq!(status("nvidia.com/gpu", "PreferNoSchedule"), Some(InstanceStatus::Active));
        assert_eq!(status("node.kubernetes.io/not-ready", "NoExecute"), Some(InstanceStatus::Active));
        assert_eq!(status("ToBeDeletedByClusterAutoscaler", "NoSchedule"), Some(InstanceStatus::Draining));
        assert_eq!(status("karpenter.sh/disrupted", "NoSchedule"), Some(InstanceStatus::Draining));
    }
}
