//! The moves of the scheduler: which tasks are started and stopped, within the limits of the deployment.

use std::time::Duration;

use super::census::{Census, Condition, deployment_of};
use super::events::EventWriter;
use super::pick::first_to_go;
use super::{DeploymentStatus, Limits, Plan, Start};
use crate::model::{DeploymentRolloutState, SchedulingStrategy, TaskStopCode};
use crate::name::{DeploymentId, HexId};
use crate::task::{Interruption, Task};

/// How many tasks one plan starts at most: a commit stays small, and the next plan goes on at once.
const MOST_STARTS: i64 = 500;

/// The reason of a stop for health's sake.
const FAILED_HEALTH_CHECKS: &str = "Task failed container health checks";

/// Tasks that count against the maximum.
const OCCUPYING: [Condition; 5] =
    [Condition::Pending, Condition::Undecided, Condition::Healthy, Condition::Unhealthy, Condition::Ending];
/// Tasks that are wanted as long as nobody decides otherwise.
const WANTED: [Condition; 3] = [Condition::Pending, Condition::Undecided, Condition::Healthy];

/// Plans starts and stops for an ACTIVE service.
pub(super) fn make(plan: &mut Plan, census: &Census<'_>, instances: &[HexId], events: &mut EventWriter<'_>) {
    replace_unhealthy(plan, census, events);
    let Some(index) = plan.service.deployments.iter().position(|one| one.status == DeploymentStatus::Primary) else {
        return;
    };
    let daemon = plan.service.scheduling_strategy() == SchedulingStrategy::Daemon;
    let desired = if daemon { i32::try_from(instances.len()).unwrap_or(i32::MAX) } else { plan.service.desired_count() };
    if daemon {
        plan.service.spec.desired_count = Some(desired);
    }
    let primary = &mut plan.service.deployments[index];
    let stalled = primary.rollout == DeploymentRolloutState::Failed;
    if !stalled {
        primary.desired = desired;
    }
    let board = Board {
        primary: primary.id,
        desired: i64::from(desired),
        limits: plan.service.limits(desired),
        census,
        // Unhealthy tasks that are being stopped still take their place until they are on their way out.
        occupied: census.count(None, &OCCUPYING),
    };
    if stalled {
        return;
    }
    let wait = plan.service.throttle.wait(events.now);
    if let Some(wait) = wait {
        events.throttled(&mut plan.service);
        plan.again_after = Some(wait);
    }
    if daemon {
        board.daemon(plan, instances, wait.is_none(), events);
    } else {
        board.replica(plan, wait.is_none(), events);
    }
    for older in plan.service.deployments.iter_mut().filter(|one| one.status == DeploymentStatus::Active) {
        let kept = census
            .live
            .iter()
            .filter(|(task, condition)| {
                deployment_of(task) == Some(older.id)
                    && WANTED.contains(condition)
                    && !plan.stop.iter().any(|(stopped, _)| *stopped == task.key)
            })
            .count();
        older.desired = i32::try_from(kept).unwrap_or(i32::MAX);
    }
}

/// Ends tasks whose health checks have failed; they are replaced like any other that is missing.
fn replace_unhealthy(plan: &mut Plan, census: &Census<'_>, events: &mut EventWriter<'_>) {
    let unhealthy: Vec<_> =
        census.live.iter().filter(|(_, condition)| *condition == Condition::Unhealthy).copied().collect();
    for (task, _) in &unhealthy {
        let of = deployment_of(task);
        if let Some(deployment) = plan.service.deployments.iter_mut().find(|one| Some(one.id) == of) {
            deployment.failed += 1;
            deployment.breaker.failures += 1;
            deployment.updated_at = events.now;
        }
    }
    let why = Interruption::new(TaskStopCode::ServiceSchedulerInitiated, FAILED_HEALTH_CHECKS);
    plan.stop_tasks(unhealthy, &why, events);
}

/// The position that a move is made in.
struct Board<'a, 'b> {
    primary: DeploymentId,
    desired: i64,
    limits: Limits,
    census: &'b Census<'a>,
    occupied: i64,
}

impl<'a> Board<'a, '_> {
    /// Wanted tasks of the PRIMARY deployment, or of all others.
    fn wanted(&self, of_primary: bool) -> Vec<(&'a Task, Condition)> {
        let is_primary = |task: &Task| deployment_of(task) == Some(self.primary);
        self.census
            .live
            .iter()
            .filter(|(task, condition)| WANTED.contains(condition) && is_primary(task) == of_primary)
            .copied()
            .collect()
    }

    /// How many healthy tasks may be taken away.
    fn spare(&self) -> i64 {
        (self.census.count(None, &[Condition::Healthy]) - self.limits.least_healthy).max(0)
    }

    fn scaling(&self) -> Interruption {
        Interruption::new(
            TaskStopCode::ServiceSchedulerInitiated,
            format!("Scaling activity initiated by (deployment {})", self.primary),
        )
    }

    fn replica(&self, plan: &mut Plan, may_start: bool, events: &mut EventWriter<'_>) {
        let current = self.wanted(true);
        let missing = self.desired - i64::try_from(current.len()).unwrap_or(i64::MAX);
        let mut spare = self.spare();
        let mut going = Vec::new();
        // First the surplus of the PRIMARY deployment, then as many of the others as can be spared.
        let surplus = usize::try_from(-missing).unwrap_or(0);
        take(&mut going, first_to_go(current, events.now), surplus, &mut spare);
        let older = first_to_go(self.wanted(false), events.now);
        let (older_healthy, older_left) =
            (older.iter().filter(|(_, c)| *c == Condition::Healthy).count(), older.len());
        take(&mut going, older, older_left, &mut spare);
        let stops = going.len();
        plan.stop_tasks(going, &self.scaling(), events);

        let room = self.limits.most - self.occupied;
        let startable = missing.min(room).max(0);
        if startable > 0 && may_start {
            let count = startable.min(MOST_STARTS);
            plan.start.push(Start {
                deployment: self.primary,
                count: usize::try_from(count).unwrap_or(0),
                instance: None,
            });
            if startable > count {
                plan.again_after = Some(Duration::ZERO);
            }
        }
        let moving = self.census.live.iter().any(|(_, c)| !matches!(c, Condition::Healthy));
        if missing > 0 && startable == 0 && stops == 0 && older_healthy > 0 && !moving && may_start {
            events.stuck(&mut plan.service);
        }
    }

    fn daemon(&self, plan: &mut Plan, instances: &[HexId], may_start: bool, events: &mut EventWriter<'_>) {
        let mut spare = self.spare();
        let mut going = Vec::new();
        for instance in instances {
            let here = |(task, _): &(&'a Task, Condition)| task.instance == Some(*instance);
            let current: Vec<_> = self.wanted(true).into_iter().filter(here).collect();
            let older: Vec<_> = self.wanted(false).into_iter().filter(here).collect();
            let taken = self
                .census
                .live
                .iter()
                .any(|(task, condition)| task.instance == Some(*instance) && OCCUPYING.contains(condition));
            let extra = current.len().saturating_sub(1);
            take(&mut going, current.clone(), extra, &mut spare);
            let replaced = older.len();
            take(&mut going, older, replaced, &mut spare);
            if current.is_empty() && !taken && may_start {
                plan.start.push(Start { deployment: self.primary, count: 1, instance: Some(*instance) });
            }
        }
        let elsewhere = |(task, _): &(&'a Task, Condition)| task.instance.is_none_or(|at| !instances.contains(&at));
        going.extend(self.wanted(true).into_iter().filter(elsewhere));
        going.extend(self.wanted(false).into_iter().filter(elsewhere));
        plan.stop_tasks(going, &self.scaling(), events);
    }
}

/// Takes up to `count` of `tasks` in their order: healthy ones only while there are any to spare.
fn take<'a>(
    going: &mut Vec<(&'a Task, Condition)>,
    tasks: Vec<(&'a Task, Condition)>,
    count: usize,
    spare: &mut i64,
) {
    let mut left = count;
    for (task, condition) in tasks {
        if left == 0 {
            break;
        }
        if condition == Condition::Healthy {
            if *spare == 0 {
                continue;
            }
            *spare -= 1;
        }
        going.push((task, condition));
        left -= 1;
    }
}
