//! Port mappings: on the node for `bridge`, on the Pod's own address else.
//!
//! ECS chooses a free port of the instance where a mapping names none; Kubernetes has no such thing, so the port is
//! chosen here: from the task's id, so that the same task always gets the same one, past those that are taken.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::ContainerPort;
use kecs_domain::model::{ContainerDefinition, NetworkMode, TaskDefinition, TransportProtocol};
use kecs_domain::task::Task;

use super::Notes;
use crate::names::digest;

/// The range that ECS chooses from. (AWS documentation, PortMapping: the default ephemeral port range)
const FIRST: u16 = 49153;
const LAST: u16 = 65535;

/// The host ports of one task.
pub(super) struct Ports {
    seed: String,
    taken: BTreeSet<u16>,
}

impl Ports {
    pub(super) fn new(task: &Task, taken: &BTreeSet<u16>) -> Self {
        Self { seed: task.key.id.to_string(), taken: taken.clone() }
    }

    /// The ports of one container.
    pub(super) fn of_container(
        &mut self,
        definition: &TaskDefinition,
        container: &ContainerDefinition,
        path: &str,
        notes: &mut Notes,
    ) -> Option<Vec<ContainerPort>> {
        let bridge = !matches!(
            definition.network_mode,
            Some(NetworkMode::Awsvpc | NetworkMode::Host | NetworkMode::None)
        );
        let mut ports: Vec<ContainerPort> = Vec::new();
        for (index, mapping) in container.port_mappings.iter().flatten().enumerate() {
            let Some(port) = mapping.container_port else {
                // On an address of its own every port of a container can be reached, named or not.
                if bridge {
                    notes.add(
                        format!("{path}.portMappings[{index}].containerPortRange"),
                        "Ranges have no ports on the node: with awsvpc or host they need none.",
                    );
                }
                continue;
            };
            let protocol = mapping.protocol.unwrap_or(TransportProtocol::Tcp).as_str().to_ascii_uppercase();
            let fixed = mapping.host_port.filter(|port| *port != 0);
            let host_port = bridge.then(|| fixed.unwrap_or_else(|| self.free(container, port)));
            ports.push(ContainerPort {
                container_port: port,
                host_port,
                protocol: Some(protocol),
                ..ContainerPort::default()
            });
        }
        (!ports.is_empty()).then_some(ports)
    }

    fn free(&mut self, container: &ContainerDefinition, port: i32) -> i32 {
        let name = container.name.as_deref().unwrap_or_default();
        let hash = digest(&[&self.seed, name, &port.to_string()], 8);
        // Eight hexadecimal digits always are a number.
        let start = u32::from_str_radix(&hash, 16).unwrap_or(0) % u32::from(LAST - FIRST + 1);
        let ring = (FIRST..=LAST).cycle().skip(start as usize).take(usize::from(LAST - FIRST) + 1);
        let mut ring = ring.filter(|port| !self.taken.contains(port));
        // When all are taken, Kubernetes says that the Pod doesn't fit.
        let found = ring.next().unwrap_or(FIRST);
        drop(ring);
        self.taken.insert(found);
        i32::from(found)
    }
}
