//! The scheduler of daemons: from a daemon, its tasks and the instances to what has to be done now.
//!
//! Pure and level-triggered, like that of services, with which it shares the rules of what a task is worth, which
//! one goes first and how long to back off.

mod steps;

pub(in crate::daemon) use steps::DRAINED;

use std::sync::Arc;
use std::time::Duration;

use super::deployment::failures_borne;
use super::{Daemon, DaemonEvent, DaemonState, Rollout};
use crate::Timestamp;
use crate::arn::TaskKey;
use crate::model::TaskStopCode;
use crate::name::{DeploymentId, HexId};
use crate::service::{Condition, exited_at_once};
use crate::task::{DesiredStatus, Interruption, Task, TaskStatus};

/// What an instance is to a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StationState {
    /// It should have a task.
    Open,
    /// It keeps the task that it has: it doesn't answer, or it is drained and others still run on it.
    Kept,
    /// It is drained, and nothing else runs on it any more: the daemon's task goes too.
    Drained,
}

/// An instance of the daemon's capacity providers. One that isn't named should have no task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Station {
    /// Which instance.
    pub instance: HexId,
    /// The ARN of its capacity provider.
    pub provider: String,
    /// What it should have.
    pub state: StationState,
}

/// What the scheduler looks at.
pub struct DaemonInput<'a> {
    /// The daemon.
    pub daemon: &'a Daemon,
    /// Its tasks: all that are not STOPPED, and those STOPPED ones that are not accounted for.
    pub tasks: &'a [Arc<Task>],
    /// Whether a task has a health check that matters.
    pub checked: &'a (dyn Fn(&Task) -> bool + Sync),
    /// The instances.
    pub stations: &'a [Station],
    /// Now.
    pub now: Timestamp,
}

/// What has to be done.
#[derive(Debug)]
pub struct DaemonPlan {
    /// The daemon afterwards.
    pub daemon: Daemon,
    /// Instances on which a task of the wanted revision is started.
    pub start: Vec<Station>,
    /// Tasks to be ended.
    pub stop: Vec<(TaskKey, Interruption)>,
    /// Tasks that end, from which the conclusions are now drawn.
    pub account: Vec<TaskKey>,
    /// What happened to the newest deployment.
    pub events: Vec<DaemonEvent>,
    /// The revision to go back to.
    pub rollback: Option<DeploymentId>,
    /// Instances that lost the task of a critical daemon: what else runs on them has to go.
    pub evict: Vec<HexId>,
    /// Whether the daemon is deleted, and its last task has ended.
    pub gone: bool,
    /// When to look again though nothing else happens.
    pub again_after: Option<Duration>,
}

/// A daemon's unfinished task, and what it is.
type Live<'a> = (&'a Task, Condition);

/// Decides what has to be done for a daemon now.
pub fn plan(input: &DaemonInput<'_>) -> DaemonPlan {
    let mut plan = DaemonPlan {
        daemon: input.daemon.clone(),
        start: Vec::new(),
        stop: Vec::new(),
        account: Vec::new(),
        events: Vec::new(),
        rollback: None,
        evict: Vec::new(),
        gone: false,
        again_after: None,
    };
    let live: Vec<Live<'_>> = input
        .tasks
        .iter()
        .filter(|task| task.status != TaskStatus::Stopped)
        .map(|task| (&**task, Condition::of(task, (input.checked)(task), || false)))
        .collect();
    notice(&mut plan, input);
    account_ended(&mut plan, input);
    match plan.daemon.state {
        DaemonState::Deleting => delete(&mut plan, &live),
        DaemonState::Active => {
            end_unhealthy(&mut plan, &live);
            judge(&mut plan, &live);
            if plan.rollback.is_none() {
                steps::make(&mut plan, input, &live);
            }
        }
    }
    steps::tally(&mut plan, input, &live);
    plan
}

/// Begins with a deployment that is seen for the first time.
fn notice(plan: &mut DaemonPlan, input: &DaemonInput<'_>) {
    if plan.daemon.rollout == Rollout::Pending {
        plan.daemon.rollout = Rollout::InProgress;
        plan.daemon.threshold = failures_borne(input.stations.len());
        plan.events.push(DaemonEvent::Started { threshold: plan.daemon.threshold });
    }
}

/// Draws the conclusions from tasks that end: failed launches count against the deployment of their revision, and
/// where the task of a critical daemon came to an end that nobody here decided, nothing else may go on.
fn account_ended(plan: &mut DaemonPlan, input: &DaemonInput<'_>) {
    let (mut failed, mut exits) = (0, 0);
    let ended = |task: &&Arc<Task>| task.desired == DesiredStatus::Stopped && !task.accounted;
    for task in input.tasks.iter().filter(ended) {
        plan.account.push(task.key.clone());
        let by_us = task.doc.stop_code == Some(TaskStopCode::ServiceSchedulerInitiated);
        exits += u32::from(exited_at_once(task, input.now));
        if task.doc.started_at.is_some() {
            if !by_us && plan.daemon.settings.critical && plan.daemon.state == DaemonState::Active {
                plan.evict.extend(task.instance);
            }
            continue;
        }
        if by_us || task.doc.stop_code == Some(TaskStopCode::UserInitiated) {
            continue;
        }
        failed += 1;
        count_failure(&mut plan.daemon, task);
    }
    let instances = i32::try_from(input.stations.len()).unwrap_or(i32::MAX);
    plan.daemon.throttle.note_failures(failed, instances, input.now);
    plan.daemon.throttle.note_exits(exits, instances, input.now);
}

fn count_failure(daemon: &mut Daemon, task: &Task) {
    if daemon.is_rolling() && revision_of(task) == Some(daemon.revision) {
        daemon.failures += 1;
    }
}

/// A deleted daemon ends its tasks.
fn delete(plan: &mut DaemonPlan, live: &[Live<'_>]) {
    plan.gone = live.is_empty();
    if plan.gone {
        plan.daemon.rollout = Rollout::Done;
        plan.events.push(DaemonEvent::Completed);
    }
    let going =
        live.iter().filter(|(_, condition)| !matches!(condition, Condition::Ending | Condition::Leaving));
    stop(plan, going.map(|(task, _)| *task), "Daemon deletion");
}

/// Ends tasks whose health checks have failed.
fn end_unhealthy(plan: &mut DaemonPlan, live: &[Live<'_>]) {
    for (task, _) in live.iter().filter(|(_, condition)| *condition == Condition::Unhealthy) {
        count_failure(&mut plan.daemon, task);
        if plan.daemon.settings.critical {
            plan.evict.extend(task.instance);
        }
        stop(plan, std::iter::once(*task), "Task failed container health checks");
    }
}

/// Lets go of failures where tasks came up, and triggers the circuit breaker where too many did not.
fn judge(plan: &mut DaemonPlan, live: &[Live<'_>]) {
    let daemon = &mut plan.daemon;
    let healthy = live.iter().filter(|(task, condition)| {
        *condition == Condition::Healthy && revision_of(task) == Some(daemon.revision)
    });
    let healthy = i32::try_from(healthy.count()).unwrap_or(i32::MAX);
    if healthy > daemon.healthy {
        daemon.failures = 0;
        daemon.throttle.reset();
    }
    daemon.healthy = healthy;
    if !daemon.is_rolling() {
        return;
    }
    let failures = daemon.failures;
    if failures < daemon.threshold {
        plan.events.push(DaemonEvent::Failures(failures));
        return;
    }
    let back = daemon.last_successful.filter(|to| *to != daemon.revision);
    match back.filter(|_| daemon.rollout == Rollout::InProgress) {
        Some(to) => {
            plan.rollback = Some(to);
            plan.events.push(DaemonEvent::RollingBack { failures, to });
        }
        None => {
            daemon.rollout = Rollout::Stalled;
            plan.events.push(DaemonEvent::Failed { failures });
        }
    }
}

fn stop<'a>(plan: &mut DaemonPlan, tasks: impl IntoIterator<Item = &'a Task>, reason: &str) {
    let why = Interruption::new(TaskStopCode::ServiceSchedulerInitiated, reason);
    plan.stop.extend(tasks.into_iter().map(|task| (task.key.clone(), why.clone())));
}

/// The revision that a task is of.
fn revision_of(task: &Task) -> Option<DeploymentId> {
    task.daemon.as_ref().map(|membership| membership.revision)
}
