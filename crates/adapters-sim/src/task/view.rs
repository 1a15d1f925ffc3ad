//! What is told of a task. Built when somebody asks: nothing of it is kept.

use kecs_domain::model::NetworkBinding;
use kecs_domain::task::{ContainerObservation, ContainerState, NetworkObservation, TaskObservation};

use super::{Phase, SimTask, State};
use crate::ids;

impl SimTask {
    /// The whole state of the task as it is.
    pub(crate) fn observation(&self) -> TaskObservation {
        let mut seen = TaskObservation::accepted(self.key.clone());
        seen.failure = self.failure.as_deref().cloned();
        seen.released = self.phase == Phase::Released;
        if !self.placed {
            return seen;
        }
        seen.placed = true;
        seen.instance = self.instance;
        seen.availability_zone = self.zone.as_deref().map(str::to_owned);
        seen.pull_started_at = self.pull_started_at;
        seen.pull_stopped_at = self.pull_stopped_at;
        seen.network = self.network();
        seen.containers = (0..self.containers.len()).map(|index| self.container(index)).collect();
        seen
    }

    fn network(&self) -> Option<NetworkObservation> {
        let kept = self.kept.as_ref().and_then(|kept| kept.network.clone());
        kept.or_else(|| self.derived_network())
    }

    /// The interface as it follows from the task's id and address.
    pub(super) fn derived_network(&self) -> Option<NetworkObservation> {
        let address = self.address?;
        Some(ids::interface(self.key.id, address.ip, self.key.cluster.scope.region(), address.connected_at))
    }

    /// The runtime id as it follows from the task's id.
    pub(super) fn derived_runtime_id(&self, index: usize) -> String {
        ids::runtime(self.key.id, &self.script.containers[index].name, self.fargate)
    }

    fn container(&self, index: usize) -> ContainerObservation {
        let (container, script) = (&self.containers[index], &self.script.containers[index]);
        let mut seen = ContainerObservation::pending(&*script.name);
        seen.state = match container.state {
            State::Waiting | State::Starting(_) => ContainerState::Pending,
            State::Running => ContainerState::Running,
            State::Stopped => ContainerState::Stopped,
        };
        if self.pull_stopped_at.is_some() {
            let kept = self.kept.as_ref();
            let digest = kept.and_then(|kept| kept.image_digests.get(index)?.clone());
            let runtime = kept.and_then(|kept| kept.runtime_ids.get(index)?.clone());
            seen.image_digest = Some(digest.unwrap_or_else(|| script.image_digest.to_string()));
            seen.runtime_id = Some(runtime.unwrap_or_else(|| self.derived_runtime_id(index)));
        }
        seen.started_at = container.started_at;
        seen.finished_at = container.finished_at;
        seen.exit_code = container.exit_code;
        seen.reason = container.reason.as_deref().map(str::to_owned);
        seen.health = script.health(self.lot).map(|_| container.health);
        if container.started_at.is_some() {
            seen.bindings = self.bindings(index);
        }
        seen
    }

    fn bindings(&self, index: usize) -> Vec<NetworkBinding> {
        let ports = self.script.containers[index].ports.clone();
        let taken = self.script.ports.iter().zip(&self.host_ports).skip(ports.start).take(ports.len());
        let last = |first: u16, count: u16| first.saturating_add(count - 1);
        taken
            .map(|(script, host_port)| {
                let binding = NetworkBinding {
                    bind_ip: Some("0.0.0.0".to_owned()),
                    protocol: Some(script.protocol),
                    ..NetworkBinding::default()
                };
                let (container, host, count) = (script.container_port, *host_port, script.count);
                if script.ranged {
                    NetworkBinding {
                        container_port_range: Some(format!("{container}-{}", last(container, count))),
                        host_port_range: Some(format!("{host}-{}", last(host, count))),
                        ..binding
                    }
                } else {
                    NetworkBinding {
                        container_port: Some(container.into()),
                        host_port: Some(host.into()),
                        ..binding
                    }
                }
            })
            .collect()
    }
}
