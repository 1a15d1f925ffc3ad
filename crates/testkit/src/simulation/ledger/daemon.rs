//! The checks of what the schedulers of daemons do.

use std::sync::Arc;

use kecs_domain::arn::{ClusterKey, ServiceKey};
use kecs_domain::container_instance::InstanceState;
use kecs_domain::daemon::{Daemon, DaemonKey, invariant};
use kecs_domain::model::SchedulingStrategy;
use kecs_domain::name::HexId;
use kecs_domain::service::{Service, ServiceStatus};
use kecs_domain::task::{DesiredStatus, Task};
use kecs_usecases::ports::{Entity, WakeKey};

use super::{Commit, Ledger, instance_key};
use crate::simulation::shared::Origin;

impl Ledger {
    /// What the scheduler of a daemon starts and ends.
    pub(super) fn check_daemon(&mut self, commit: &Commit<'_>) {
        let Origin::Reconcile(WakeKey::Daemon(key)) = &*commit.job.origin else { return };
        let (mut started, mut ended) = (Vec::new(), Vec::new());
        for (entity, _) in &commit.changes.puts {
            let Entity::Task(task) = entity else { continue };
            match self.tasks.get(&task.key) {
                None => started.push(&**task),
                Some(before) => {
                    let ends =
                        before.desired == DesiredStatus::Running && task.desired == DesiredStatus::Stopped;
                    ended.extend(ends.then_some(task));
                }
            }
        }
        let Some(daemon) = self.resources.get(&key.resource()).and_then(|kept| kept.get::<Daemon>()) else {
            return;
        };
        let there = self.unfinished().filter(|task| is_of(task, key)).map(|task| &**task);
        let one_each = invariant::check_started(daemon, there, &started);
        let begun = self.begun.get(&commit.job.number).copied().unwrap_or(0);
        // What came while the scheduler was at work, it can't have seen.
        let seen = |task: &&Arc<Task>| self.born.get(&task.key).is_none_or(|born| *born <= begun);
        let others = || {
            self.unfinished().filter(|task| task.key.cluster == key.cluster).filter(seen).map(|task| &**task)
        };
        let last = ended.iter().try_for_each(|task| invariant::check_goes_last(task, others()));
        let named = |wrong| format!("daemon {}/{}: {wrong}", key.cluster.name, key.name);
        if let Err(wrong) = one_each {
            self.violate("one daemon task on an instance", named(wrong));
        }
        if let Err(wrong) = last {
            self.violate("daemons go last", named(wrong));
        }
    }
}

impl Ledger {
    /// Whether the DAEMON strategy ends tasks on instances that are drained, while others still run there.
    pub(super) fn check_service_goes_last(&mut self, commit: &Commit<'_>) {
        let Origin::Reconcile(WakeKey::Service(key)) = &*commit.job.origin else { return };
        let Some(service) = self.services.get(key).filter(|service| is_daemon(service)) else { return };
        if service.status != ServiceStatus::Active {
            return;
        }
        let begun = self.begun.get(&commit.job.number).copied().unwrap_or(0);
        let seen = |task: &Task| self.born.get(&task.key).is_none_or(|born| *born <= begun);
        let mut wrong = None;
        for (entity, _) in &commit.changes.puts {
            let Entity::Task(task) = entity else { continue };
            let was = self.tasks.get(&task.key).map(|before| before.desired);
            let reason = task.doc.stopped_reason.as_deref().unwrap_or_default();
            let ends = was == Some(DesiredStatus::Running)
                && task.desired == DesiredStatus::Stopped
                && reason.starts_with("Scaling activity");
            let Some(at) = task.instance.filter(|at| ends && !self.lost.contains(at)) else { continue };
            let drained = self.instance_state(&key.cluster, at) == InstanceState::Draining
                && self.is_old(&instance_key(&key.cluster, at), begun);
            if drained && self.has_replicas(&key.cluster, at, seen) {
                wrong = Some(format!("task {} of {} goes before others", task.key.id, key.name));
            }
        }
        if let Some(wrong) = wrong {
            self.violate("daemons go last", wrong);
        }
    }

    /// Whether an instance has tasks that are no daemon's and of no service with the DAEMON strategy.
    pub(crate) fn has_replicas(
        &self,
        cluster: &ClusterKey,
        instance: HexId,
        counts: impl Fn(&Task) -> bool,
    ) -> bool {
        let of_daemon = |task: &Task| {
            let Some(membership) = &task.service else { return task.daemon.is_some() };
            let key = ServiceKey { cluster: cluster.clone(), name: membership.name.clone() };
            self.services.get(&key).is_some_and(|service| is_daemon(service))
        };
        self.unfinished().any(|task| {
            task.key.cluster == *cluster
                && task.instance == Some(instance)
                && !of_daemon(task)
                && counts(task)
        })
    }
}

fn is_daemon(service: &Service) -> bool {
    service.scheduling_strategy() == SchedulingStrategy::Daemon
}

/// Whether a task is a daemon's.
pub(crate) fn is_of(task: &Task, daemon: &DaemonKey) -> bool {
    task.key.cluster == daemon.cluster && task.daemon.as_ref().is_some_and(|of| of.name == daemon.name)
}
