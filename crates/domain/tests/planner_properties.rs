//! The scheduler under random services, tasks, users and time.
//!
//! Each case is a list of steps. After each step the scheduler plans, the plan is checked against
//! [`support::invariants`], and carried out. When the list is through, everything goes well from then on, and the
//! service has to come to rest.

mod support;

use kecs_domain::model::{DeploymentRolloutState, ServiceDeploymentStatus};
use kecs_domain::service::{DeploymentStatus, Plan, Service, ServiceStatus, is_finished};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRunner};

use support::histories::{MOST_DESIRED, Step, all_gone, all_up, any_daemon, any_settings, any_steps, happen};
use support::invariants::{STUCK, can_move, is_steady, said_anew, violation};
use support::world::{Settings, World};

/// A scheduler: the real one, or one with a planted bug.
type Scheduler = fn(&World) -> Plan;

fn same(one: &Plan, other: &Plan) -> bool {
    one.service == other.service
        && one.start == other.start
        && one.stop == other.stop
        && one.account == other.account
        && one.records == other.records
        && one.rollback == other.rollback
        && one.again_after == other.again_after
}

/// Plans, checks the plan, carries it out.
fn turn(world: &mut World, settings: &Settings, scheduler: Scheduler) -> Result<Plan, TestCaseError> {
    let plan = scheduler(world);
    let again = scheduler(world);
    prop_assert!(same(&plan, &again), "the same input gives another plan: {plan:?} {again:?}");
    if let Some(violation) = violation(world, settings, &plan) {
        return Err(TestCaseError::fail(violation));
    }
    world.execute(again);
    let settled = scheduler(world);
    // A rollback is a new deployment, with moves of its own.
    if plan.rollback.is_some() {
        return Ok(plan);
    }
    if settled.start.iter().any(|start| start.count > 0) || !settled.stop.is_empty() {
        return Err(TestCaseError::fail(format!("repeat: carried out, it asks for more: {settled:?}")));
    }
    Ok(plan)
}

fn simulate(settings: &Settings, steps: &[Step], scheduler: Scheduler) -> Result<(), TestCaseError> {
    let mut world = World::new(settings);
    for step in steps {
        happen(&mut world, *step);
        turn(&mut world, settings, scheduler)?;
    }
    settle(&mut world, settings, scheduler)
}

/// From now on all goes well: the service comes to rest, or says that its limits don't let it.
fn settle(world: &mut World, settings: &Settings, scheduler: Scheduler) -> Result<(), TestCaseError> {
    let mut rounds = 0;
    loop {
        let plan = turn(world, settings, scheduler)?;
        let idle = plan.start.is_empty() && plan.stop.is_empty() && plan.rollback.is_none();
        let desired = world.service.desired_count();
        if idle && is_steady(&world.service) {
            break;
        }
        let stuck = || {
            world
                .service
                .events
                .iter()
                .filter_map(|event| event.message.as_ref())
                .any(|text| text.contains(STUCK))
        };
        if idle && !can_move(desired, settings.percents) && world.service.deployments.len() > 1 && stuck() {
            return Ok(());
        }
        // What was unhealthy before still counts now; after that its user tries again.
        if world.service.primary().is_some_and(|primary| primary.rollout == DeploymentRolloutState::Failed) {
            world.force();
        }
        rounds += 1;
        if rounds > 60 + 4 * MOST_DESIRED {
            let tasks: Vec<_> =
                world.tasks.values().map(|task| (task.key.id.bits(), task.status, task.desired)).collect();
            return Err(TestCaseError::fail(format!(
                "no rest after {rounds} rounds: {tasks:?} {:?}",
                world.service
            )));
        }
        all_up(world);
        all_gone(world);
        // Nothing else happens: only what the plan waits for can go on.
        let wait = plan.again_after.map_or(1, |wait| wait.as_secs() + 1);
        world.pass(wait);
    }
    let service = &world.service;
    prop_assert_eq!(service.deployments[0].desired, service.desired_count());
    prop_assert_eq!(service.deployments[0].status, DeploymentStatus::Primary);
    prop_assert_eq!(service.last_completed, Some(service.deployments[0].id));
    let record = &world.records[&service.deployments[0].record];
    prop_assert!(
        matches!(
            record.status(),
            ServiceDeploymentStatus::Successful | ServiceDeploymentStatus::RollbackSuccessful
        ),
        "the record is {}",
        record.status()
    );
    prop_assert!(
        world.records.values().all(|record| is_finished(record.status())),
        "a record was left behind"
    );
    let after = scheduler(world);
    prop_assert!(after.service == *service && after.records.is_empty(), "a service at rest changes");
    Ok(())
}

/// The scheduler as it is.
fn real(world: &World) -> Plan {
    world.plan()
}

/// Fewer cases than proptest's 256, unless PROPTEST_CASES says otherwise: each is a whole history.
fn config() -> Config {
    let config = Config::default();
    Config { cases: if config.cases == 256 { 96 } else { config.cases }, ..config }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_service_keeps_its_limits_and_comes_to_rest(
        settings in any_settings(),
        steps in any_steps(60),
    ) {
        simulate(&settings, &steps, real)?;
    }

    #[test]
    fn a_daemon_keeps_its_minimum_and_comes_to_rest(
        settings in any_daemon(),
        steps in any_steps(40),
    ) {
        simulate(&settings, &steps, real)?;
    }

    #[test]
    fn a_deleted_service_ends_all_its_tasks(
        settings in any_settings(),
        steps in any_steps(30),
    ) {
        let mut world = World::new(&settings);
        for step in steps {
            happen(&mut world, step);
            turn(&mut world, &settings, real)?;
        }
        world.delete();
        for _ in 0..3 {
            turn(&mut world, &settings, real)?;
            all_gone(&mut world);
        }
        turn(&mut world, &settings, real)?;
        prop_assert_eq!(world.service.status, ServiceStatus::Inactive);
        prop_assert!(world.tasks.is_empty() && world.service.deployments.is_empty());
        prop_assert!(world.records.values().all(|record| is_finished(record.status())), "a record was left behind");
    }
}

// ---- the properties can fail

fn with_percents(world: &World, change: fn(&mut i32, &mut i32)) -> Plan {
    let mut service = Service::clone(&world.service);
    let configuration = service.spec.deployment_configuration.as_mut().expect("it has one");
    let (minimum, maximum) = (&mut configuration.minimum_healthy_percent, &mut configuration.maximum_percent);
    change(minimum.as_mut().expect("set"), maximum.as_mut().expect("set"));
    let mut plan = world.plan_with(&service);
    plan.service.spec.deployment_configuration.clone_from(&world.service.spec.deployment_configuration);
    plan
}

/// What the properties say about a scheduler with a planted bug.
fn verdict_on(broken: Scheduler) -> String {
    let mut runner = TestRunner::new(Config { failure_persistence: None, max_shrink_iters: 0, ..config() });
    let cases = (any_settings(), any_steps(60));
    match runner.run(&cases, |(settings, steps)| simulate(&settings, &steps, broken)) {
        Err(TestError::Fail(reason, _)) => reason.to_string(),
        other => panic!("the planted bug wasn't found: {other:?}"),
    }
}

#[test]
fn a_scheduler_that_starts_beyond_the_maximum_is_caught() {
    let verdict = verdict_on(|world| with_percents(world, |_, maximum| *maximum += 25));
    assert!(verdict.starts_with("maximum"), "{verdict}");
}

#[test]
fn a_scheduler_that_stops_below_the_minimum_is_caught() {
    let verdict = verdict_on(|world| with_percents(world, |minimum, _| *minimum = (*minimum - 25).max(0)));
    assert!(verdict.starts_with("minimum"), "{verdict}");
}

#[test]
fn a_scheduler_that_starts_one_too_many_is_caught() {
    let verdict = verdict_on(|world| {
        let mut plan = world.plan();
        if let Some(start) = plan.start.first_mut() {
            start.count += 1;
        }
        plan
    });
    assert!(verdict.starts_with("maximum") || verdict.starts_with("repeat"), "{verdict}");
}

#[test]
fn a_scheduler_that_never_lets_unhealthy_tasks_go_is_caught() {
    let verdict = verdict_on(|world| {
        let mut plan = world.plan();
        plan.stop.retain(|(_, why)| why.reason != "Task failed container health checks");
        plan
    });
    assert!(verdict.starts_with("no rest"), "{verdict}");
}

#[test]
fn a_scheduler_that_stops_protected_tasks_is_caught() {
    let verdict = verdict_on(|world| {
        let mut bare = world.clone();
        bare.unprotect();
        bare.plan()
    });
    assert!(verdict.contains("is protected and stopped"), "{verdict}");
}

/// Guards the generators: a property over histories in which little happens says little.
#[test]
fn the_histories_lead_into_every_corner() {
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    let corners = [
        "has stopped",
        "pending tasks",
        "steady state",
        "deployment completed",
        "deployment failed",
        "rolling back to deployment",
        "unable to consistently start",
        STUCK,
    ];
    let reached = RefCell::new(BTreeSet::new());
    let mut runner = TestRunner::new_with_rng(
        config(),
        proptest::test_runner::TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let cases = (any_settings(), any_steps(60));
    let run = runner.run(&cases, |(settings, steps)| {
        let mut world = World::new(&settings);
        for step in steps {
            happen(&mut world, step);
            let plan = world.plan();
            for message in said_anew(&world, &plan) {
                reached.borrow_mut().extend(corners.into_iter().filter(|corner| message.contains(corner)));
            }
            let unhealthy =
                plan.stop.iter().any(|(_, why)| why.reason == "Task failed container health checks");
            reached.borrow_mut().extend(unhealthy.then_some("unhealthy"));
            world.execute(plan);
        }
        Ok(())
    });
    assert!(run.is_ok());
    let missing: Vec<_> = corners
        .into_iter()
        .chain(["unhealthy"])
        .filter(|corner| !reached.borrow().contains(corner))
        .collect();
    assert!(missing.is_empty(), "no history led to {missing:?}");
}
