//! The moves of the scheduler: which tasks are started and stopped, within the limits of the deployment.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::census::{Census, Condition, deployment_of};
use super::events::EventWriter;
use super::pick::first_to_go;
use super::source::{self, SourceRevision};
use super::{DeploymentStatus, Limits, Plan, PlanInput, Service, Start};
use crate::Timestamp;
use crate::model::{DeploymentRolloutState, HealthStatus, SchedulingStrategy, TaskStopCode};
use crate::name::{DeploymentId, HexId};
use crate::task::{Interruption, Task};

/// How many tasks one plan starts at most: a commit stays small, and the next plan goes on at once.
pub(super) const MOST_STARTS: i64 = 500;

/// The reason of a stop for health's sake.
pub(super) const FAILED_HEALTH_CHECKS: &str = "Task failed container health checks";

/// Tasks that count against the maximum.
pub(super) const OCCUPYING: [Condition; 5] =
    [Condition::Pending, Condition::Undecided, Condition::Healthy, Condition::Unhealthy, Condition::Ending];
/// Tasks that are wanted as long as nobody decides otherwise.
pub(super) const WANTED: [Condition; 3] = [Condition::Pending, Condition::Undecided, Condition::Healthy];

/// Plans starts and stops for an ACTIVE service.
pub(super) fn make(
    plan: &mut Plan,
    census: &Census<'_>,
    input: &PlanInput<'_>,
    events: &mut EventWriter<'_>,
) {
    let instances = input.instances;
    let Some(index) = plan.service.deployments.iter().position(|one| one.status == DeploymentStatus::Primary)
    else {
        return;
    };
    let daemon = plan.service.scheduling_strategy() == SchedulingStrategy::Daemon;
    let desired = if daemon {
        i32::try_from(instances.len()).unwrap_or(i32::MAX)
    } else {
        plan.service.desired_count()
    };
    if daemon {
        plan.service.spec.desired_count = Some(desired);
    }
    // What the PRIMARY deployment wanted when the scheduler looked last, if it has looked.
    let was = input.service.primary().filter(|primary| primary.seen).map(|primary| primary.desired);
    let primary = &plan.service.deployments[index];
    // A FAILED deployment starts no more tasks, but the service still scales in.
    // Nor does one that waits at a hook.
    let stalled = primary.rollout == DeploymentRolloutState::Failed || primary.hooks.waiting.is_some();
    let source = source::keep(&mut plan.service, was, desired, stalled, census);
    let primary = &mut plan.service.deployments[index];
    primary.desired = desired;
    let board = Board {
        primary: primary.id,
        desired: i64::from(desired),
        limits: plan.service.limits(desired),
        census,
        // Unhealthy tasks that are being stopped still take their place until they are on their way out.
        occupied: census.count(None, &OCCUPYING),
        draining: input.draining,
        source,
    };
    let wait = plan.service.throttle.wait(events.now);
    if let Some(wait) = wait.filter(|_| !stalled || source.is_some()) {
        if plan.service.throttle.is_throttled(events.now) {
            events.throttled(&mut plan.service);
        }
        plan.look_after(wait);
    }
    match (daemon, stalled) {
        (true, _) => board.daemon(plan, instances, stalled, wait.is_none(), events),
        (false, true) => board.stalled(plan, wait.is_none(), events),
        (false, false) => board.replica(plan, wait.is_none(), events),
    }
    // A daemon's place on an instance goes to the new revision.
    source::settle(plan, census, board.kept_source(plan).filter(|_| !daemon));
    if let Some(turn) = board.next_turn(&plan.service, events.now) {
        plan.look_after(turn);
    }
}

/// Ends tasks whose health checks have failed, and counts them against their deployments.
fn end_unhealthy(plan: &mut Plan, unhealthy: Vec<(&Task, Condition)>, events: &mut EventWriter<'_>) {
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
    draining: &'b [HexId],
    /// The revision that is being replaced.
    source: Option<SourceRevision>,
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

    /// Whether a task has to leave its instance, which is DRAINING.
    fn displaced(&self, task: &Task) -> bool {
        task.instance.is_some_and(|at| self.draining.contains(&at))
    }

    /// How many healthy tasks may be taken away.
    fn spare(&self) -> i64 {
        (self.census.count(None, &[Condition::Healthy]) - self.limits.least_healthy).max(0)
    }

    fn unhealthy(&self) -> Vec<(&'a Task, Condition)> {
        self.census.live.iter().filter(|(_, condition)| *condition == Condition::Unhealthy).copied().collect()
    }

    /// Unhealthy tasks whose turn to go has come: when as many healthy ones run as are desired (of older deployments:
    /// as must be kept). Until then the replacement comes first. Where the maximum leaves no `room` for one, they go
    /// one by one. (API reference, DeploymentConfiguration)
    fn replaced(&self, room: bool) -> Vec<(&'a Task, Condition)> {
        let (current, older): (Vec<_>, Vec<_>) =
            self.unhealthy().into_iter().partition(|(task, _)| deployment_of(task) == Some(self.primary));
        let healthy = self.census.count(None, &[Condition::Healthy]);
        let kept = |enough: i64| usize::try_from(enough - healthy).unwrap_or(0);
        let mut going: Vec<_> = older.iter().skip(kept(self.limits.least_healthy)).copied().collect();
        going.extend(current.iter().skip(kept(self.desired)));
        let coming = [Condition::Pending, Condition::Undecided];
        let under_way = self.census.count(None, &[Condition::Ending])
            + self.census.count(Some(self.primary), &coming)
            + self.source.map_or(0, |source| self.census.count(Some(source.id), &coming));
        if going.is_empty() && !room && under_way == 0 {
            going.extend(older.iter().chain(&current).take(1));
        }
        going
    }

    /// When a task that stays for now may go: its protection ends, or the time in which failed health checks are
    /// overlooked.
    fn next_turn(&self, service: &Service, now: Timestamp) -> Option<Duration> {
        let surplus = i64::try_from(self.wanted(true).len()).unwrap_or(i64::MAX) > self.desired;
        let turns = self.census.live.iter().filter(|(_, condition)| WANTED.contains(condition)).filter_map(
            |(task, _)| {
                let unwanted = surplus || deployment_of(task) != Some(self.primary) || self.displaced(task);
                let protection = task.protected_until.filter(|_| unwanted);
                let grace = service
                    .grace_ends(task)
                    .filter(|_| task.doc.health_status == Some(HealthStatus::Unhealthy));
                [protection, grace].into_iter().flatten().filter(|turn| *turn > now).min()
            },
        );
        turns.min().map(|turn| turn.duration_since(now))
    }

    fn scaling(&self) -> Interruption {
        Interruption::new(
            TaskStopCode::ServiceSchedulerInitiated,
            format!("Scaling activity initiated by (deployment {})", self.primary),
        )
    }

    /// The revision that is being replaced, unless it has failed too often by now.
    fn kept_source(&self, plan: &Plan) -> Option<SourceRevision> {
        self.source.filter(|source| source.is_worth_keeping(&plan.service))
    }

    /// Starts what the revision that is being replaced lacks, where there is `room` for it. Returns how many that are.
    fn restore_source(&self, plan: &mut Plan, room: i64, may_start: bool) -> i64 {
        let Some(source) = self.kept_source(plan).filter(|_| may_start) else { return 0 };
        let count = source.missing(self.census).min(room).clamp(0, MOST_STARTS);
        if count > 0 {
            let count = usize::try_from(count).unwrap_or(0);
            plan.start.push(Start { deployment: source.id, count, instance: None });
        }
        count
    }

    /// After a deployment has FAILED, or while it waits, none of its tasks is started. The revision before it keeps
    /// its own, and no deployment keeps more tasks than are desired.
    fn stalled(&self, plan: &mut Plan, may_start: bool, events: &mut EventWriter<'_>) {
        let desired = usize::try_from(self.desired).unwrap_or(0);
        let mut spare = self.spare();
        let mut going = Vec::new();
        for of_primary in [true, false] {
            let tasks = self.wanted(of_primary);
            let surplus = tasks.len().saturating_sub(desired);
            take(&mut going, first_to_go(tasks, events.now), surplus, &mut spare);
        }
        end_unhealthy(plan, self.replaced(true), events);
        plan.stop_tasks(going, &self.scaling(), events);
        self.restore_source(plan, self.limits.most - self.occupied, may_start);
    }

    fn replica(&self, plan: &mut Plan, may_start: bool, events: &mut EventWriter<'_>) {
        // A task on a DRAINING instance is as good as one of an older deployment: it goes when another one has taken
        // its place, or at once if it doesn't run yet. (API reference, UpdateContainerInstancesState)
        let (displaced, current): (Vec<_>, Vec<_>) =
            self.wanted(true).into_iter().partition(|(task, _)| self.displaced(task));
        let missing = self.desired - i64::try_from(current.len()).unwrap_or(i64::MAX);
        let room = self.limits.most - self.occupied;
        end_unhealthy(plan, self.replaced(room > 0 || missing <= 0 || !may_start), events);
        let mut spare = self.spare();
        let mut going = Vec::new();
        // First the surplus of the PRIMARY deployment, then as many of the others as can be spared.
        let surplus = usize::try_from(-missing).unwrap_or(0);
        take(&mut going, first_to_go(current, events.now), surplus, &mut spare);
        let coming = self.kept_source(plan).map(|source| source.coming(self.census)).unwrap_or_default();
        let mut others = self.wanted(false);
        others.retain(|(task, _)| self.displaced(task) || !coming.contains(&task.key.id));
        others.extend(displaced);
        let older = first_to_go(others, events.now);
        let (older_healthy, older_left) =
            (older.iter().filter(|(_, c)| *c == Condition::Healthy).count(), older.len());
        take(&mut going, older, older_left, &mut spare);
        let stops = going.len();
        plan.stop_tasks(going, &self.scaling(), events);

        let restored = self.restore_source(plan, room, may_start);
        let startable = missing.min(room - restored).max(0);
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
        if missing > 0
            && startable == 0
            && restored == 0
            && stops == 0
            && older_healthy > 0
            && !moving
            && may_start
        {
            events.stuck(&mut plan.service);
        }
    }

    /// One task on each instance. There an old one goes before its successor comes, healthy or not.
    fn daemon(
        &self,
        plan: &mut Plan,
        instances: &[HexId],
        stalled: bool,
        may_start: bool,
        events: &mut EventWriter<'_>,
    ) {
        end_unhealthy(plan, self.unhealthy(), events);
        // Where no task belongs any more, nothing has to be kept; but it's missing elsewhere.
        // A DRAINING instance with other tasks on it keeps its daemon: that goes last.
        let belongs: BTreeSet<&HexId> = instances.iter().chain(self.draining).collect();
        let elsewhere =
            |(task, _): &(&'a Task, Condition)| task.instance.is_none_or(|at| !belongs.contains(&at));
        let mut going: Vec<_> =
            [true, false].into_iter().flat_map(|of_primary| self.wanted(of_primary)).collect();
        going.retain(elsewhere);
        let leaving = going.iter().filter(|(_, condition)| *condition == Condition::Healthy).count();
        let mut spare = (self.spare() - i64::try_from(leaving).unwrap_or(i64::MAX)).max(0);
        let mut on: BTreeMap<HexId, Vec<(&'a Task, Condition)>> = BTreeMap::new();
        for (task, condition) in &self.census.live {
            if let Some(instance) = task.instance.filter(|_| OCCUPYING.contains(condition)) {
                on.entry(instance).or_default().push((*task, *condition));
            }
        }
        for instance in instances {
            let here = on.get(instance).map(Vec::as_slice).unwrap_or_default();
            if stalled {
                // None of the new tasks is started, but the revision before them keeps its own.
                if let Some(source) = self.source.filter(|_| here.is_empty() && may_start) {
                    plan.start.push(Start { deployment: source.id, count: 1, instance: Some(*instance) });
                }
                continue;
            }
            let wanted = here.iter().filter(|(_, condition)| WANTED.contains(condition)).copied();
            let (current, older): (Vec<_>, Vec<_>) =
                wanted.partition(|(task, _)| deployment_of(task) == Some(self.primary));
            let (extra, replaced) = (current.len().saturating_sub(1), older.len());
            take(&mut going, first_to_go(current, events.now), extra, &mut spare);
            take(&mut going, first_to_go(older, events.now), replaced, &mut spare);
            if here.is_empty() && may_start {
                plan.start.push(Start { deployment: self.primary, count: 1, instance: Some(*instance) });
            }
        }
        let held = first_to_go(self.wanted(false), events.now).iter().any(|(_, c)| *c == Condition::Healthy);
        let moving = self.census.live.iter().any(|(_, condition)| *condition != Condition::Healthy);
        if held && !moving && going.is_empty() && plan.start.is_empty() && may_start && !stalled {
            events.stuck(&mut plan.service);
        }
        plan.stop_tasks(going, &self.scaling(), events);
    }
}

/// Takes up to `count` of `tasks` in their order: healthy ones only while there are any to spare.
pub(super) fn take<'a>(
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
