//! The moves of the scheduler for a service whose deployments somebody else controls: each task set is kept at its
//! share of the desired count. How tasks go from one set to another is the controller's.

use std::time::Duration;

use super::census::{Census, Condition, deployment_of};
use super::events::EventWriter;
use super::moves::{FAILED_HEALTH_CHECKS, MOST_STARTS, OCCUPYING, WANTED, take};
use super::pick::first_to_go;
use super::{Limits, Plan, Start, TaskSetStatus};
use crate::model::{HealthStatus, TaskStopCode};
use crate::name::{DeploymentId, HexId};
use crate::task::{Interruption, Task};

/// Plans starts and stops for the task sets of an ACTIVE service. Tasks on `draining` instances are replaced elsewhere.
pub(super) fn make(plan: &mut Plan, census: &Census<'_>, draining: &[HexId], events: &mut EventWriter<'_>) {
    // Until its tasks have ended, not only been told to.
    let holds = |id| census.live.iter().any(|(task, _)| deployment_of(task) == Some(id));
    let gone = |status, id| status == TaskSetStatus::Draining && !holds(id);
    plan.service.task_sets.retain(|set| !gone(set.status, set.id));
    for index in 0..plan.service.task_sets.len() {
        count_healthy(plan, index, census);
    }
    let wait = plan.service.throttle.wait(events.now);
    for index in 0..plan.service.task_sets.len() {
        keep(plan, index, census, draining, wait, events);
    }
    let sets = &plan.service.task_sets;
    if !sets.is_empty() && sets.iter().all(|set| set.stable) {
        events.steady(&mut plan.service);
    }
}

/// Notes how many tasks of a set are healthy. More of them than before means that one got there.
fn count_healthy(plan: &mut Plan, index: usize, census: &Census<'_>) {
    let set = &mut plan.service.task_sets[index];
    let healthy = i32::try_from(census.count(Some(set.id), &[Condition::Healthy])).unwrap_or(i32::MAX);
    if healthy > set.healthy {
        plan.service.throttle.reset();
    }
    plan.service.task_sets[index].healthy = healthy;
}

/// Keeps one set at its share.
fn keep(
    plan: &mut Plan,
    index: usize,
    census: &Census<'_>,
    instances: &[HexId],
    wait: Option<Duration>,
    events: &mut EventWriter<'_>,
) {
    let desired = plan.service.desired_count();
    let set = &mut plan.service.task_sets[index];
    let (id, goal, draining) = (set.id, set.goal(desired), set.status == TaskSetStatus::Draining);
    let ignore_protection = draining && set.forced;
    if set.desired != goal {
        set.desired = goal;
        set.updated_at = events.now;
    }
    let goal = i64::from(goal);
    let live: Vec<(&Task, Condition)> =
        census.live.iter().filter(|(task, _)| deployment_of(task) == Some(id)).copied().collect();
    let of = |conditions: &[Condition]| -> Vec<(&Task, Condition)> {
        live.iter().filter(|(_, condition)| conditions.contains(condition)).copied().collect()
    };
    let count = |conditions: &[Condition]| i64::try_from(of(conditions).len()).unwrap_or(i64::MAX);
    let room = Limits::new(plan.service.task_sets[index].desired, 100, 200).most - count(&OCCUPYING);

    let unhealthy = replaced(of(&[Condition::Unhealthy]), &live, goal, room);
    let healthy = count(&[Condition::Healthy]);
    // One on a DRAINING instance goes when another one has taken its place, or at once if it doesn't run yet.
    let (displaced, wanted): (Vec<_>, Vec<_>) = of(&WANTED)
        .into_iter()
        .partition(|(task, _)| task.instance.is_some_and(|at| instances.contains(&at)));
    let leaves = !displaced.is_empty();
    let missing = goal - i64::try_from(wanted.len()).unwrap_or(i64::MAX);
    let surplus = usize::try_from(-missing).unwrap_or(0);
    let going: Vec<_> = if ignore_protection {
        wanted.into_iter().chain(displaced).collect()
    } else {
        let mut going: Vec<_> = first_to_go(wanted, events.now).into_iter().take(surplus).collect();
        let taken = going.iter().filter(|(_, condition)| *condition == Condition::Healthy).count();
        let mut spare = (healthy - goal - i64::try_from(taken).unwrap_or(i64::MAX)).max(0);
        let all = displaced.len();
        take(&mut going, first_to_go(displaced, events.now), all, &mut spare);
        going
    };
    let starts = missing.min(room).clamp(0, MOST_STARTS);
    let moves = !unhealthy.is_empty() || !going.is_empty() || starts > 0;
    let why = Interruption::new(TaskStopCode::ServiceSchedulerInitiated, FAILED_HEALTH_CHECKS);
    plan.stop_tasks_of(Some(id), unhealthy, &why, events);
    let why = Interruption::new(
        TaskStopCode::ServiceSchedulerInitiated,
        format!("Scaling activity initiated by (deployment {id})"),
    );
    plan.stop_tasks_of(Some(id), going, &why, events);
    if starts > 0 {
        start(plan, id, starts, missing.min(room), wait, events);
    }

    let stable = !draining && !moves && !leaves && healthy == goal && count(&OCCUPYING) == goal;
    let set = &mut plan.service.task_sets[index];
    if set.stable != stable {
        set.stable = stable;
        set.stable_at = events.now;
        if stable {
            events.steady_set(&mut plan.service, id);
        }
    }
    look_again(plan, &live, surplus > 0 || leaves, events);
}

fn start(
    plan: &mut Plan,
    deployment: DeploymentId,
    count: i64,
    startable: i64,
    wait: Option<Duration>,
    events: &mut EventWriter<'_>,
) {
    if let Some(wait) = wait {
        if plan.service.throttle.is_throttled(events.now) {
            events.throttled(&mut plan.service);
        }
        plan.look_after(wait);
        return;
    }
    plan.start.push(Start { deployment, count: usize::try_from(count).unwrap_or(0), instance: None });
    if startable > count {
        plan.look_after(Duration::ZERO);
    }
}

/// Unhealthy tasks whose turn to go has come: when as many healthy ones run as there should be. Until then the
/// replacement comes first. Where there is no `room` for one, they go one by one.
fn replaced<'a>(
    unhealthy: Vec<(&'a Task, Condition)>,
    live: &[(&'a Task, Condition)],
    goal: i64,
    room: i64,
) -> Vec<(&'a Task, Condition)> {
    let count = |conditions: &[Condition]| {
        let matching = live.iter().filter(|(_, condition)| conditions.contains(condition)).count();
        i64::try_from(matching).unwrap_or(i64::MAX)
    };
    let kept = usize::try_from(goal - count(&[Condition::Healthy])).unwrap_or(0);
    let moving = count(&[Condition::Ending, Condition::Pending, Condition::Undecided]) > 0;
    let cramped = unhealthy.len() <= kept && room <= 0 && !moving;
    if cramped {
        return unhealthy.into_iter().take(1).collect();
    }
    unhealthy.into_iter().skip(kept).collect()
}

/// Looks again when the protection of a task that should go ends, or the time in which failed health checks are
/// overlooked.
fn look_again(plan: &mut Plan, live: &[(&Task, Condition)], surplus: bool, events: &EventWriter<'_>) {
    let now = events.now;
    let service = &plan.service;
    let turns = live.iter().filter(|(_, condition)| WANTED.contains(condition)).flat_map(|(task, _)| {
        let protection = task.protected_until.filter(|_| surplus);
        let unhealthy = task.doc.health_status == Some(HealthStatus::Unhealthy);
        [protection, service.grace_ends(task).filter(|_| unhealthy)]
    });
    if let Some(turn) = turns.flatten().filter(|turn| *turn > now).min() {
        plan.look_after(turn.duration_since(now));
    }
}
