//! What must hold of every plan, computed from the settings again and independently of the scheduler.

use std::collections::BTreeSet;

use kecs_domain::model::{
    DeploymentControllerType, DeploymentRolloutState, HealthStatus, SchedulingStrategy,
};
use kecs_domain::service::{DeploymentStatus, Plan, Service, ServiceStatus, invariant};
use kecs_domain::task::{DesiredStatus, Task, TaskStatus};

use super::world::{Settings, World};

/// At least so many tasks stay healthy by the scheduler's doing: the minimum percent, rounded up.
pub(crate) fn least_healthy(desired: i32, percents: (i32, i32)) -> i64 {
    (f64::from(desired) * f64::from(percents.0) / 100.0).ceil() as i64
}

/// So many tasks may run or be on their way: the maximum percent, rounded down.
pub(crate) fn most(desired: i32, percents: (i32, i32)) -> i64 {
    (f64::from(desired) * f64::from(percents.1) / 100.0).floor() as i64
}

/// Whether a deployment can get anywhere at all within the limits.
pub(crate) fn can_move(desired: i32, percents: (i32, i32)) -> bool {
    desired == 0
        || most(desired, percents) > i64::from(desired)
        || least_healthy(desired, percents) < i64::from(desired)
}

fn occupies(task: &Task) -> bool {
    task.status <= TaskStatus::Running
}

/// Counts towards the minimum, before the plan.
fn is_healthy(task: &Task, settings: &Settings) -> bool {
    task.status == TaskStatus::Running
        && task.desired == DesiredStatus::Running
        && (!settings.checked || task.doc.health_status == Some(HealthStatus::Healthy))
}

fn deployment(task: &Task) -> Option<kecs_domain::name::DeploymentId> {
    task.service.as_ref().map(|membership| membership.deployment)
}

/// What is wrong with a plan for the world as it is; None if nothing is.
pub(crate) fn violation(world: &World, settings: &Settings, plan: &Plan) -> Option<String> {
    if world.service.controller() == DeploymentControllerType::External {
        return external_violation(world, plan);
    }
    let active = world.service.status == ServiceStatus::Active;
    let daemon = world.service.scheduling_strategy() == SchedulingStrategy::Daemon;
    let desired = if daemon { world.instances.len() as i32 } else { world.service.desired_count() };
    let starts: i64 = plan.start.iter().map(|start| start.count as i64).sum();

    let occupied = world.tasks.values().filter(|task| occupies(task)).count() as i64;
    let most = most(desired, settings.percents);
    let on = |instance| {
        world.tasks.values().filter(|task| task.instance == Some(instance)).any(|task| occupies(task))
    };
    if plan.start.iter().filter_map(|start| start.instance).any(on) {
        return Some("maximum: a second task on an instance".to_owned());
    }
    if starts > 0 && !daemon && occupied + starts > most {
        return Some(format!(
            "maximum: {starts} starts beside {occupied} tasks, though the maximum is {most}"
        ));
    }

    let stopped: BTreeSet<_> = plan.stop.iter().map(|(key, _)| key.id).collect();
    if stopped.len() != plan.stop.len() {
        return Some("a task is stopped twice".to_owned());
    }
    let healthy: Vec<&Task> =
        world.tasks.values().map(|task| &**task).filter(|task| is_healthy(task, settings)).collect();
    let taken = healthy.iter().filter(|task| stopped.contains(&task.key.id)).count();
    let left = (healthy.len() - taken) as i64;
    let least = least_healthy(desired, settings.percents);
    let off_instance = |task: &Task| daemon && task.instance.is_some_and(|at| !world.instances.contains(&at));
    let own_choice =
        healthy.iter().filter(|task| stopped.contains(&task.key.id) && !off_instance(task)).count();
    if active && own_choice > 0 && left < least {
        return Some(format!(
            "minimum: {left} healthy tasks are left of {}, though the minimum is {least}",
            healthy.len()
        ));
    }
    for (key, why) in &plan.stop {
        let task = &world.tasks[&key.id];
        if task.desired == DesiredStatus::Stopped {
            return Some(format!("{} is stopped again", key.id));
        }
        let scaling = why.reason.starts_with("Scaling activity");
        if active
            && scaling
            && !off_instance(task)
            && task.protected_until.is_some_and(|until| until > world.now)
        {
            return Some(format!("{} is protected and stopped", key.id));
        }
    }

    let primary = plan.service.primary().map(|one| one.id);
    // The revision that is being replaced keeps its own tasks; no other one does.
    let source =
        plan.service.deployments.iter().find(|one| {
            one.status == DeploymentStatus::Active && Some(one.id) == plan.service.last_completed
        });
    let foreign = |start: &kecs_domain::service::Start| {
        Some(start.deployment) != primary && Some(start.deployment) != source.map(|one| one.id)
    };
    if plan.start.iter().any(foreign) {
        return Some("a start of a deployment that is neither PRIMARY nor the one it replaces".to_owned());
    }
    let of_primary = plan.start.iter().any(|start| Some(start.deployment) == primary);
    let failed = plan.service.primary().is_some_and(|one| one.rollout == DeploymentRolloutState::Failed);
    if starts > 0 && (!active || plan.service.throttle.wait(world.now).is_some()) || (of_primary && failed) {
        return Some("a start of a service that must not start anything".to_owned());
    }
    let newly_stuck = said_anew(world, plan).any(|text| text.contains(STUCK));
    if newly_stuck && can_move(desired, settings.percents) {
        return Some("stuck, though there is a move".to_owned());
    }
    let (before, after) = (&world.service, &plan.service);
    let stored =
        invariant::check_next(before, after).and_then(|()| invariant::check_scheduled(before, after));
    stored.err().or_else(|| of_service(after, world))
}

/// The same for a service with task sets: its limits are those of each set, and no set goes beyond double its share.
fn external_violation(world: &World, plan: &Plan) -> Option<String> {
    let of = |set| move |task: &&Task| deployment(task) == Some(set) && occupies(task);
    for set in &plan.service.task_sets {
        let there = world.tasks.values().map(|task| &**task).filter(of(set.id)).count() as i64;
        let starts: i64 = plan
            .start
            .iter()
            .filter(|start| start.deployment == set.id)
            .map(|start| start.count as i64)
            .sum();
        if starts > 0 && there + starts > 2 * i64::from(set.goal(world.service.desired_count())) {
            return Some(format!("task set {}: {starts} starts beside {there} tasks", set.id));
        }
    }
    let known = |start: &kecs_domain::service::Start| {
        plan.service.task_sets.iter().any(|set| set.id == start.deployment)
    };
    if !plan.start.iter().all(known) {
        return Some("a start of a task set that isn't there".to_owned());
    }
    let (before, after) = (&world.service, &plan.service);
    let stored =
        invariant::check_next(before, after).and_then(|()| invariant::check_scheduled(before, after));
    stored.err()
}

/// A part of the event that says that the limits leave no move.
pub(crate) const STUCK: &str = "was unable to stop or start tasks during a deployment";

/// What the plan says in events, the newest first.
pub(crate) fn said_anew<'a>(world: &World, plan: &'a Plan) -> impl Iterator<Item = &'a str> {
    let last = world.service.events.front().and_then(|event| event.id.clone());
    let new = plan.service.events.iter().take_while(move |event| last.is_none() || event.id != last);
    new.filter_map(|event| event.message.as_deref())
}

/// What is wrong with the service after a plan, before anything is started or stopped.
fn of_service(service: &Service, world: &World) -> Option<String> {
    let primaries = service.deployments.iter().filter(|one| one.status == DeploymentStatus::Primary).count();
    if primaries != usize::from(service.status == ServiceStatus::Active) {
        return Some(format!(
            "{primaries} PRIMARY deployments of a service that is {}",
            service.status.as_str()
        ));
    }
    let running = |task: &Task| task.status == TaskStatus::Running;
    let pending = |task: &Task| task.status < TaskStatus::Running && task.desired == DesiredStatus::Running;
    let count = |is: &dyn Fn(&Task) -> bool| world.tasks.values().filter(|task| is(task)).count() as i32;
    if (service.running, service.pending) != (count(&running), count(&pending)) {
        return Some(format!("counts: the service shows {} + {}", service.running, service.pending));
    }
    for one in &service.deployments {
        let its = |task: &Task| deployment(task) == Some(one.id);
        let counted = (count(&|task| its(task) && running(task)), count(&|task| its(task) && pending(task)));
        if (one.running, one.pending) != counted {
            return Some(format!(
                "counts: {} shows {} + {}, not {counted:?}",
                one.id, one.running, one.pending
            ));
        }
        if one.desired < 0 || one.failed < 0 {
            return Some(format!("counts: {} has a negative one", one.id));
        }
    }
    let of_deployments: i32 = service.deployments.iter().map(|one| one.running + one.pending).sum();
    if of_deployments != service.running + service.pending && service.status == ServiceStatus::Active {
        return Some("counts: those of the deployments don't add up to those of the service".to_owned());
    }
    (service.events.len() > 100).then(|| format!("{} events", service.events.len()))
}

/// Whether the services-stable waiter would be content, and the rollout is done.
pub(crate) fn is_steady(service: &Service) -> bool {
    service.deployments.len() == 1
        && service.deployments[0].rollout == DeploymentRolloutState::Completed
        && service.running == service.desired_count()
        && service.pending == 0
        && service.steady
}
