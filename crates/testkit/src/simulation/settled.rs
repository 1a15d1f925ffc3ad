//! What holds once everything has come to rest, of daemons, of task sets and of instances that are drained.

use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt;
use kecs_domain::arn::{ClusterKey, ServiceKey};
use kecs_domain::capacity_provider::CapacityProvider;
use kecs_domain::capacity_provider::group::Group;
use kecs_domain::container_instance::InstanceState;
use kecs_domain::daemon::{Daemon, DaemonState, invariant};
use kecs_domain::model::{DeploymentRolloutState, SchedulingStrategy};
use kecs_domain::name::HexId;
use kecs_domain::service::{Service, ServiceStatus, TaskSetStatus};
use kecs_domain::task::{DesiredStatus, Task};
use kecs_usecases::ports::{Instance, InstanceStatus, Orchestrator};

use super::client::definition::{Kind, has_fixed_port};
use super::ledger::Ledger;
use super::ledger::daemon::is_of;
use super::rest::is_stuck;
use super::world::World;

/// The nodes of each cluster.
pub(super) type Nodes = BTreeMap<ClusterKey, Vec<Instance>>;

impl World {
    /// The nodes that there are now.
    pub(super) fn nodes(&self) -> Nodes {
        let clusters: Vec<_> = self.shared.lock().ledger.clusters.keys().cloned().collect();
        let nodes = |cluster: &ClusterKey| self.process.orchestrator.instances(cluster).now_or_never()?.ok();
        clusters.into_iter().map(|cluster| (cluster.clone(), nodes(&cluster).unwrap_or_default())).collect()
    }
}

/// What a node is in a cluster: its own state, or what was said of it there.
fn state(ledger: &Ledger, cluster: &ClusterKey, node: &Instance) -> InstanceState {
    let own = match node.status {
        InstanceStatus::Active => InstanceState::Active,
        InstanceStatus::Draining => InstanceState::Draining,
    };
    ledger.instance_state(cluster, node.id).max(own)
}

/// Daemons that don't have what they should.
pub(super) fn daemons(ledger: &Ledger, nodes: &Nodes) -> Vec<String> {
    let named = |daemon: &Daemon, wrong: String| {
        format!("daemon {}/{}: {wrong}", daemon.key.cluster.name, daemon.key.name)
    };
    let mut why = Vec::new();
    for daemon in ledger.daemons() {
        if daemon.state == DaemonState::Deleting {
            why.push(named(daemon, "it should be gone".to_owned()));
        } else if let Err(wrong) = daemon_at_rest(ledger, daemon, nodes) {
            why.push(named(daemon, wrong));
        }
    }
    why
}

fn daemon_at_rest(ledger: &Ledger, daemon: &Daemon, nodes: &Nodes) -> Result<(), String> {
    let cluster = &daemon.key.cluster;
    let all = nodes.get(cluster).map(Vec::as_slice).unwrap_or_default();
    let tasks: Vec<&Task> =
        ledger.unfinished().filter(|task| is_of(task, &daemon.key)).map(|task| &**task).collect();
    // On a node that others have filled, its task waits, and its deployment with it.
    let is_spare = |id| all.iter().any(|node| Some(node.id) == id && node.host.starts_with("spare"));
    if tasks.iter().any(|task| task.status.is_pending() && !is_spare(task.instance)) {
        return Ok(());
    }
    let of_cluster: Vec<&Instance> =
        all.iter().filter(|node| state(ledger, cluster, node) != InstanceState::Inactive).collect();
    let mut own = BTreeSet::new();
    for arn in &daemon.settings.capacity_providers {
        let name = arn.rsplit('/').next().unwrap_or_default();
        let mut known = ledger.resources.values().filter_map(|kept| kept.get::<CapacityProvider>());
        let known = known.find(|provider| provider.name == name);
        let unknown = Group { provider: name, scaling_group: None };
        let group = known.map_or(unknown, CapacityProvider::group);
        own.extend(group.instances(of_cluster.iter().map(|node| (node.id, node.attributes.as_slice()))));
    }
    let with = |wanted: InstanceState| {
        let matching = of_cluster.iter().filter(|node| state(ledger, cluster, node) == wanted);
        matching.map(|node| node.id).filter(|id| own.contains(id)).collect::<BTreeSet<HexId>>()
    };
    let mut kept = with(InstanceState::Draining);
    kept.retain(|id| has_others(ledger, cluster, *id));
    invariant::check_rest(daemon, &with(InstanceState::Active), &kept, tasks)
}

fn has_others(ledger: &Ledger, cluster: &ClusterKey, instance: HexId) -> bool {
    let here = |task: &Task| task.key.cluster == *cluster && task.instance == Some(instance);
    ledger.unfinished().any(|task| here(task) && task.daemon.is_none())
}

/// Tasks of services that should have left an instance that is drained.
pub(super) fn drained(ledger: &Ledger, nodes: &Nodes) -> Vec<String> {
    let mut why = Vec::new();
    for task in ledger.unfinished().filter(|task| task.desired == DesiredStatus::Running) {
        let (Some(membership), Some(at)) = (&task.service, task.instance) else { continue };
        let cluster = &task.key.cluster;
        let node = nodes.get(cluster).and_then(|nodes| nodes.iter().find(|node| node.id == at));
        let Some(node) = node else { continue };
        let key = ServiceKey { cluster: cluster.clone(), name: membership.name.clone() };
        let Some(service) = ledger.services.get(&key) else { continue };
        if state(ledger, cluster, node) == InstanceState::Draining && has_to_leave(ledger, service, at) {
            why.push(format!("task {} of {} should have left {}", task.key.id, key.name, node.host));
        }
    }
    why
}

/// Whether the tasks of a service leave a drained instance: unless nothing is started any more, or the limits leave
/// no move, or it has one on each instance and others are still there.
fn has_to_leave(ledger: &Ledger, service: &Service, instance: HexId) -> bool {
    if service.status != ServiceStatus::Active {
        return false;
    }
    if service.scheduling_strategy() == SchedulingStrategy::Daemon {
        return !ledger.has_replicas(&service.key.cluster, instance, |_| true);
    }
    let failed = service.primary().is_some_and(|primary| {
        let definition = ledger.definitions.get(&primary.definition);
        let steady = definition.is_some_and(|it| Kind::of(it) == Kind::Steady && !has_fixed_port(it));
        primary.rollout == DeploymentRolloutState::Failed || !steady
    });
    let limits = service.limits(service.desired_count());
    let tight = limits.least_healthy >= limits.most || limits.most <= i64::from(service.desired_count());
    !failed && !is_stuck(ledger, service) && !tight
}

/// Whether every task set of a service has its share of the tasks.
pub(super) fn sets(ledger: &Ledger, service: &Service) -> Result<(), String> {
    for set in &service.task_sets {
        let goal = set.goal(service.desired_count());
        let definition = ledger.definitions.get(&set.definition).ok_or("a task definition is gone")?;
        let shown = || format!("task set {} has {}+{} of {goal}", set.id, set.running, set.pending);
        if set.status == TaskSetStatus::Draining {
            return Err(format!("{}, and should be gone", shown()));
        }
        if set.desired != goal {
            return Err(format!("task set {} should have {goal} tasks, and wants {}", set.id, set.desired));
        }
        let steady = Kind::of(definition) == Kind::Steady && !has_fixed_port(definition);
        if steady && (set.running != goal || set.pending != 0 || !set.stable) {
            return Err(format!("{}, stable: {}", shown(), set.stable));
        }
    }
    Ok(())
}
