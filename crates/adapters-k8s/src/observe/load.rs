//! What a Pod takes of its node.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::node::{cpu_units, memory_mib};

/// CPU units, MiB and host ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// CPU units: 1024 are one CPU.
    pub cpu: i64,
    /// MiB
    pub memory: i64,
    /// Ports of the node.
    pub ports: Vec<u16>,
}

impl Load {
    /// What the Pod asks for: as a whole, or else the sum over its containers.
    pub(super) fn of(pod: &Pod) -> Self {
        let Some(spec) = &pod.spec else { return Self::default() };
        let requests =
            |resources: &Option<ResourceRequirements>| resources.as_ref().and_then(|it| it.requests.clone());
        let all = || spec.containers.iter().chain(spec.init_containers.iter().flatten());
        let whole = requests(&spec.resources).unwrap_or_default();
        let each: Vec<_> = all().filter_map(|container| requests(&container.resources)).collect();
        let sum = |name: &str, of: fn(&BTreeMap<String, Quantity>) -> i64| {
            if whole.contains_key(name) { of(&whole) } else { each.iter().map(of).sum() }
        };
        let ports = all()
            .flat_map(|container| container.ports.iter().flatten())
            .filter_map(|port| u16::try_from(port.host_port?).ok().filter(|port| *port != 0))
            .collect();
        Self { cpu: sum("cpu", cpu_units), memory: sum("memory", memory_mib), ports }
    }
}
