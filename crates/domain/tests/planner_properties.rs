//! The scheduler under random services, tasks, users and time.
//!
//! Each case is a list of steps. After each step the scheduler plans, the plan is checked against
//! [`support::invariants`], and carried out. When the list is through, everything goes well from then on, and the
//! service has to come to rest.

mod support;

use kecs_domain::model::{DeploymentCircuitBreaker, DeploymentRolloutState, HealthStatus, ServiceDeploymentStatus};
use kecs_domain::name::TaskId;
use kecs_domain::service::{DeploymentStatus, Plan, Service, ServiceStatus, is_finished};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRunner};

use support::invariants::{STUCK, can_move, is_steady, said_anew, violation};
use support::world::{Settings, Stage, World};

/// One thing that happens. `pick` chooses among the tasks that it can happen to.
#[derive(Clone, Copy, Debug)]
enum Step {
    Up { pick: usize },
    Healthy { pick: usize },
    Unhealthy { pick: usize },
    FailToStart { pick: usize },
    Crash { pick: usize },
    UserStops { pick: usize },
    Protect { pick: usize },
    Leave { pick: usize },
    Gone { pick: usize },
    AllUp,
    AllUnhealthy,
    AllFailToStart,
    AllGone,
    Update,
    Force,
    Scale { desired: i32 },
    Pass { seconds: u64 },
}

const MOST_DESIRED: i32 = 20;

fn any_step() -> impl Strategy<Value = Step> {
    let pick = || 0..64_usize;
    prop_oneof![
        6 => pick().prop_map(|pick| Step::Up { pick }),
        4 => pick().prop_map(|pick| Step::Healthy { pick }),
        3 => pick().prop_map(|pick| Step::Unhealthy { pick }),
        4 => pick().prop_map(|pick| Step::FailToStart { pick }),
        3 => pick().prop_map(|pick| Step::Crash { pick }),
        2 => pick().prop_map(|pick| Step::UserStops { pick }),
        1 => pick().prop_map(|pick| Step::Protect { pick }),
        4 => pick().prop_map(|pick| Step::Leave { pick }),
        4 => pick().prop_map(|pick| Step::Gone { pick }),
        4 => Just(Step::AllUp),
        1 => Just(Step::AllUnhealthy),
        3 => Just(Step::AllFailToStart),
        2 => Just(Step::AllGone),
        2 => Just(Step::Update),
        1 => Just(Step::Force),
        2 => (0..=MOST_DESIRED).prop_map(|desired| Step::Scale { desired }),
        2 => (1..600_u64).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// Up to `most` times one step, or a whole story: a good deployment, then a bad one.
fn any_steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    use Step::{AllFailToStart, AllGone, AllUnhealthy, AllUp, Update};
    let stories = vec![
        vec![AllUp, AllUp, Update, AllFailToStart, AllFailToStart, AllFailToStart, AllFailToStart],
        vec![AllUp, AllUp, Update, AllUp, AllUnhealthy, AllGone, AllUp, AllUnhealthy, AllGone],
    ];
    let some = prop_oneof![
        20 => any_step().prop_map(|step| vec![step]),
        1 => proptest::sample::select(stories),
    ];
    proptest::collection::vec(some, 0..most).prop_map(|steps| steps.concat())
}

fn any_settings() -> impl Strategy<Value = Settings> {
    let percents = prop_oneof![
        3 => (0..=100_i32, 100..=200_i32),
        1 => Just((100, 200)),
        1 => Just((50, 100)),
        1 => Just((0, 100)),
    ];
    let breaker = proptest::option::weighted(0.4, (any::<bool>(), any::<bool>()));
    (0..=MOST_DESIRED, percents, breaker, any::<bool>(), prop_oneof![Just(0), Just(60)]).prop_map(
        |(desired, percents, breaker, checked, grace)| Settings {
            desired,
            percents,
            breaker: breaker.map(|(rollback, reset)| DeploymentCircuitBreaker {
                enable: true,
                rollback,
                reset_on_healthy_task: Some(reset),
                threshold_configuration: None,
            }),
            checked,
            grace,
            daemon_on: None,
        },
    )
}

/// A daemon's instances come and go instead of its desired count.
fn any_daemon() -> impl Strategy<Value = Settings> {
    (any_settings(), 0..6_usize)
        .prop_map(|(settings, on)| Settings { percents: (settings.percents.0, 100), daemon_on: Some(on), ..settings })
}

fn happen(world: &mut World, step: Step) {
    let chosen = |world: &World, stages: &[Stage], pick: usize| -> Option<TaskId> {
        let all: Vec<TaskId> = world.tasks.keys().copied().filter(|id| stages.contains(&world.stage(*id))).collect();
        all.get(pick % all.len().max(1)).copied()
    };
    let unfinished = [Stage::Starting, Stage::Up, Stage::Told, Stage::Leaving];
    match step {
        Step::Up { pick } => {
            if let Some(id) = chosen(world, &[Stage::Starting], pick) {
                world.run(id, HealthStatus::Unknown);
            }
        }
        Step::Healthy { pick } => {
            if let Some(id) = chosen(world, &[Stage::Up], pick) {
                world.run(id, HealthStatus::Healthy);
            }
        }
        Step::Unhealthy { pick } => {
            if let Some(id) = chosen(world, &[Stage::Up], pick) {
                world.run(id, HealthStatus::Unhealthy);
            }
        }
        Step::FailToStart { pick } => {
            if let Some(id) = chosen(world, &[Stage::Starting], pick) {
                world.fail_to_start(id);
            }
        }
        Step::Crash { pick } => {
            if let Some(id) = chosen(world, &[Stage::Up], pick) {
                world.crash(id, 1);
            }
        }
        Step::UserStops { pick } => {
            if let Some(id) = chosen(world, &unfinished, pick) {
                world.stop_task(id);
            }
        }
        Step::Protect { pick } => {
            if let Some(id) = chosen(world, &[Stage::Up], pick) {
                let until = world.now.saturating_add(std::time::Duration::from_secs(900));
                world.protect(id, until);
            }
        }
        Step::Leave { pick } => {
            if let Some(id) = chosen(world, &[Stage::Told], pick) {
                world.leave(id);
            }
        }
        Step::Gone { pick } => {
            if let Some(id) = chosen(world, &[Stage::Told, Stage::Leaving], pick) {
                world.gone(id);
            }
        }
        Step::AllUp => all_up(world),
        Step::AllUnhealthy => {
            for id in world.at_stage(Stage::Up) {
                world.run(id, HealthStatus::Unhealthy);
            }
        }
        Step::AllFailToStart => {
            for id in world.at_stage(Stage::Starting) {
                world.fail_to_start(id);
            }
        }
        Step::AllGone => all_gone(world),
        Step::Update => world.update(),
        Step::Force => world.force(),
        Step::Scale { desired } if world.instances.is_empty() => world.scale(desired),
        Step::Scale { desired } => {
            let keep = 1 + desired as usize % 6;
            world.instances = (1..=keep).map(|n| kecs_domain::name::HexId::from_bits(n as u128)).collect();
        }
        Step::Pass { seconds } => world.pass(seconds),
    }
}

/// Whatever isn't unhealthy comes up and is healthy.
fn all_up(world: &mut World) {
    for id in world.at_stage(Stage::Starting).into_iter().chain(world.at_stage(Stage::Up)) {
        if world.tasks[&id].doc.health_status != Some(HealthStatus::Unhealthy) {
            world.run(id, HealthStatus::Healthy);
        }
    }
}

fn all_gone(world: &mut World) {
    for id in world.at_stage(Stage::Told).into_iter().chain(world.at_stage(Stage::Leaving)) {
        world.gone(id);
    }
}

/// A scheduler: the real one, or one with a planted bug.
type Scheduler = fn(&World) -> Plan;

/// Plans, checks the plan, carries it out.
fn turn(world: &mut World, settings: &Settings, scheduler: Scheduler) -> Result<Plan, TestCaseError> {
    let plan = scheduler(world);
    let again = scheduler(world);
    prop_assert_eq!(format!("{plan:?}"), format!("{again:?}"), "the same input gives another plan");
    if let Some(violation) = violation(world, settings, &plan) {
        return Err(TestCaseError::fail(violation));
    }
    world.execute(scheduler(world));
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
        let stuck = || world.service.events.iter().filter_map(|event| event.message.as_ref()).any(|text| text.contains(STUCK));
        if idle && !can_move(desired, settings.percents) && world.service.deployments.len() > 1 && stuck() {
            return Ok(());
        }
        // What was unhealthy before still counts now; after that its user tries again.
        if world.service.primary().is_some_and(|primary| primary.rollout == DeploymentRolloutState::Failed) {
            world.force();
        }
        rounds += 1;
        if rounds > 60 + 4 * MOST_DESIRED {
            let tasks: Vec<_> = world.tasks.values().map(|task| (task.key.id.bits(), task.status, task.desired)).collect();
            return Err(TestCaseError::fail(format!("no rest after {rounds} rounds: {tasks:?} {:?}", world.service)));
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
        matches!(record.status(), ServiceDeploymentStatus::Successful | ServiceDeploymentStatus::RollbackSuccessful),
        "the record is {}",
        record.status()
    );
    prop_assert!(world.records.values().all(|record| is_finished(record.status())), "a record was left behind");
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
        "has started",
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
    let mut runner = TestRunner::new_with_rng(config(), proptest::test_runner::TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let cases = (any_settings(), any_steps(60));
    let run = runner.run(&cases, |(settings, steps)| {
        let mut world = World::new(&settings);
        for step in steps {
            happen(&mut world, step);
            let plan = world.plan();
            for message in said_anew(&world, &plan) {
                reached.borrow_mut().extend(corners.into_iter().filter(|corner| message.contains(corner)));
            }
            let unhealthy = plan.stop.iter().any(|(_, why)| why.reason == "Task failed container health checks");
            reached.borrow_mut().extend(unhealthy.then_some("unhealthy"));
            world.execute(plan);
            // Started tasks are in the events only after the plan was carried out.
            reached.borrow_mut().extend(world.tasks.values().next().map(|_| "has started"));
        }
        Ok(())
    });
    assert!(run.is_ok());
    let missing: Vec<_> = corners.into_iter().chain(["unhealthy"]).filter(|corner| !reached.borrow().contains(corner)).collect();
    assert!(missing.is_empty(), "no history led to {missing:?}");
}
