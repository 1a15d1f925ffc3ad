//! Random services, and random histories of them: what users do, what becomes of tasks, how time passes.

use kecs_domain::model::{DeploymentCircuitBreaker, HealthStatus};
use kecs_domain::name::{HexId, TaskId};
use proptest::prelude::*;

use super::world::{Settings, Stage, World};

/// One thing that happens. `pick` chooses among the tasks that it can happen to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
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

/// The largest desired count.
pub(crate) const MOST_DESIRED: i32 = 20;

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
pub(crate) fn any_steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
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

pub(crate) fn any_settings() -> impl Strategy<Value = Settings> {
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
pub(crate) fn any_daemon() -> impl Strategy<Value = Settings> {
    (any_settings(), 0..6_usize).prop_map(|(settings, on)| Settings {
        percents: (settings.percents.0, 100),
        daemon_on: Some(on),
        ..settings
    })
}

pub(crate) fn happen(world: &mut World, step: Step) {
    let chosen = |world: &World, stages: &[Stage], pick: usize| -> Option<TaskId> {
        let all: Vec<TaskId> =
            world.tasks.keys().copied().filter(|id| stages.contains(&world.stage(*id))).collect();
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
            world.instances = (1..=keep).map(|n| HexId::from_bits(n as u128)).collect();
        }
        Step::Pass { seconds } => world.pass(seconds),
    }
}

/// Whatever isn't unhealthy comes up and is healthy.
pub(crate) fn all_up(world: &mut World) {
    for id in world.at_stage(Stage::Starting).into_iter().chain(world.at_stage(Stage::Up)) {
        if world.tasks[&id].doc.health_status != Some(HealthStatus::Unhealthy) {
            world.run(id, HealthStatus::Healthy);
        }
    }
}

pub(crate) fn all_gone(world: &mut World) {
    for id in world.at_stage(Stage::Told).into_iter().chain(world.at_stage(Stage::Leaving)) {
        world.gone(id);
    }
}
