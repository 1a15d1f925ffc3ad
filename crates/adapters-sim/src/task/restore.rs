//! Taking up a task where it was when the last process ended. All that is known is the task's document.

use std::net::Ipv4Addr;
use std::time::Duration;

use kecs_domain::Timestamp;
use kecs_domain::model::{self, NetworkBinding};
use kecs_domain::name::HexId;
use kecs_domain::task::{DesiredStatus, NetworkObservation, Task, TaskStatus};

use super::{Phase, SimContainer, SimTask, State};
use crate::options::SimOptions;

/// Facts in a task's document that are not what the simulation would make of the task's id, because another
/// version or another orchestrator made them. They stay as they are.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Kept {
    pub(crate) runtime_ids: Box<[Option<String>]>,
    pub(crate) image_digests: Box<[Option<String>]>,
    pub(crate) network: Option<NetworkObservation>,
}

/// Whether the document shows that the task had a place. Its status alone doesn't: without a network of its own a
/// task is PENDING from the beginning.
pub(crate) fn had_place(task: &Task) -> bool {
    let doc = &task.doc;
    let went_up =
        matches!(task.status, TaskStatus::Activating | TaskStatus::Running | TaskStatus::Deactivating);
    let mut containers = doc.containers.iter().flatten();
    let told = containers.any(|it| matches!(it.last_status.as_deref(), Some("RUNNING" | "STOPPED")));
    went_up || told || doc.pull_started_at.is_some() || doc.connectivity_at.is_some()
}

/// The instance that the task was on.
pub(crate) fn instance_of(task: &Task) -> Option<HexId> {
    let arn = task.doc.container_instance_arn.as_ref();
    task.instance.or_else(|| arn?.rsplit('/').next()?.parse().ok())
}

/// The address that the task had, and since when.
pub(crate) fn address_of(task: &Task) -> Option<(Ipv4Addr, Timestamp)> {
    let address = detail(task, "privateIPv4Address")?.parse().ok()?;
    Some((address, task.doc.connectivity_at.or(task.doc.pull_started_at)?))
}

fn detail<'a>(task: &'a Task, name: &str) -> Option<&'a str> {
    let details =
        task.doc.attachments.iter().flatten().flat_map(|attachment| attachment.details.iter().flatten());
    let mut named = details.filter(|detail| detail.name.as_deref() == Some(name));
    named.next().and_then(|detail| detail.value.as_deref())
}

impl SimTask {
    /// Goes on from `task`'s document, which shows that it had its place. Its address and what it holds on its
    /// instance are claimed by the caller.
    pub(crate) fn take_up(&mut self, task: &Task, now: Timestamp, options: &SimOptions) {
        let doc = &*task.doc;
        self.placed = true;
        self.zone = doc.availability_zone.as_deref().map(Into::into).or(self.zone.take());
        self.pull_started_at = doc.pull_started_at;
        self.pull_stopped_at = doc.pull_stopped_at;
        let started = doc.started_at.or(doc.pull_stopped_at).or(doc.created_at).unwrap_or(now);
        let containers = doc.containers.as_deref().unwrap_or_default();
        for index in 0..self.containers.len() {
            let name = &self.script.containers[index].name;
            let known = containers.iter().find(|container| container.name.as_deref() == Some(name));
            if let Some(known) = known {
                self.take_up_container(index, known, started, now);
            }
        }
        let went_up = self.containers.iter().any(|it| it.state == State::Running || it.exit_code.is_some());
        if went_up {
            self.pull_stopped_at = self.pull_stopped_at.or(Some(started));
        }
        if self.pull_stopped_at.is_some() || task.desired == DesiredStatus::Stopped {
            self.phase = Phase::Up;
        } else {
            // Whatever it had begun with begins again.
            self.containers.iter_mut().for_each(|container| *container = SimContainer::new());
            self.place(now, options);
        }
        self.host_ports = self.host_ports_in(containers);
    }

    fn take_up_container(
        &mut self,
        index: usize,
        known: &model::Container,
        started: Timestamp,
        now: Timestamp,
    ) {
        let container = &mut self.containers[index];
        match known.last_status.as_deref() {
            Some("RUNNING") => {
                self.begin_run(index, started);
                self.update_health(index, now);
            }
            Some("STOPPED") => {
                container.state = State::Stopped;
                container.started_at = known.exit_code.map(|_| started);
                container.run_began_at = started;
                container.exit_code = known.exit_code;
                container.reason = known.reason.as_deref().map(Into::into);
                container.health = known.health_status.unwrap_or(model::HealthStatus::Unknown);
            }
            _ => {}
        }
    }

    /// The first host port of each of the script's ports, as the containers show them; empty if they don't.
    fn host_ports_in(&self, containers: &[model::Container]) -> Box<[u16]> {
        let first = |binding: &NetworkBinding| match &binding.host_port_range {
            Some(range) => range.split('-').next()?.parse().ok(),
            None => u16::try_from(binding.host_port?).ok(),
        };
        let mut ports = Vec::with_capacity(self.script.ports.len());
        for script in &self.script.containers {
            let known = containers.iter().find(|container| container.name.as_deref() == Some(&*script.name));
            let bindings =
                known.and_then(|container| container.network_bindings.as_deref()).unwrap_or_default();
            ports.extend(bindings.iter().take(script.ports.len()).filter_map(first));
        }
        if ports.len() == self.script.ports.len() { ports.into() } else { Box::default() }
    }

    /// Keeps what the document says where it differs from what follows from the task's id.
    pub(crate) fn keep(&mut self, task: &Task) {
        let containers = task.doc.containers.as_deref().unwrap_or_default();
        let scripts = self.script.containers.iter().enumerate();
        let known = scripts.map(|(index, script)| {
            (index, containers.iter().find(|container| container.name.as_deref() == Some(&*script.name)))
        });
        let kept = Kept {
            runtime_ids: known
                .clone()
                .map(|(index, known)| {
                    known?.runtime_id.clone().filter(|id| *id != self.derived_runtime_id(index))
                })
                .collect(),
            image_digests: known
                .map(|(index, known)| {
                    known?
                        .image_digest
                        .clone()
                        .filter(|it| **it != *self.script.containers[index].image_digest)
                })
                .collect(),
            network: self.kept_network(task),
        };
        let differs =
            kept.network.is_some() || kept.runtime_ids.iter().chain(&kept.image_digests).any(Option::is_some);
        self.kept = differs.then(|| Box::new(kept));
    }

    fn kept_network(&self, task: &Task) -> Option<NetworkObservation> {
        let derived = self.derived_network()?;
        let kept = NetworkObservation {
            connected_at: derived.connected_at,
            private_ipv4: detail(task, "privateIPv4Address")?.to_owned(),
            mac: detail(task, "macAddress").map(str::to_owned),
            interface_id: detail(task, "networkInterfaceId")?.to_owned(),
            private_dns_name: detail(task, "privateDnsName")?.to_owned(),
        };
        (kept != derived).then_some(kept)
    }
}

/// When a task that should end began to.
pub(crate) fn stopping_since(task: &Task, now: Timestamp) -> Timestamp {
    // Not later than now, whatever a clock said that was set back.
    let since = task.doc.stopping_at.unwrap_or(now);
    if now.duration_since(since) > Duration::ZERO { since } else { now }
}
