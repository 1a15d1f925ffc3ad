//! What many tasks cost, counted in work and not in time.

mod common;

use std::time::Duration;

use common::{BEGIN, cluster, id};
use kecs_adapters_sim::{Engine, SimOptions};
use kecs_domain::Timestamp;
use kecs_domain::model::{ContainerDefinition, HealthCheck};
use kecs_domain::task::{ContainerState, TaskObservation};
use kecs_testkit::orchestrator::{ContainerExt, Recipe};

const MANY: u128 = 10_000;

fn web() -> ContainerDefinition {
    let command = vec!["CMD".to_owned(), "true".to_owned()];
    ContainerDefinition {
        name: Some("web".to_owned()),
        image: Some("nginx".to_owned()),
        health_check: Some(HealthCheck { command, ..HealthCheck::default() }),
        ..ContainerDefinition::default()
    }
}

fn later(seconds: u64) -> Timestamp {
    BEGIN.saturating_add(Duration::from_secs(seconds))
}

/// A simulation with many tasks of `recipe`, and what is told of their launch.
fn launched(recipe: &Recipe) -> (Engine, Vec<TaskObservation>) {
    let mut engine = Engine::new(SimOptions::default()).expect("the options make sense");
    for number in 1..=MANY {
        engine
            .launch(BEGIN, &recipe.launch(&cluster(), id(number), BEGIN))
            .expect("the definition can be simulated");
    }
    let told = engine.advance(BEGIN);
    (engine, told)
}

fn runs(seen: &TaskObservation) -> bool {
    seen.containers.iter().all(|it| it.state == ContainerState::Running)
}

#[test]
fn ten_thousand_launches_are_told_once_each_and_cost_a_few_steps_each() {
    let (engine, told) = launched(&Recipe::fargate("web", [web()]));
    assert_eq!(told.len(), MANY as usize);
    assert!(told.iter().all(runs));
    assert_eq!(engine.load().scripts, 1, "tasks of one revision share it");
    assert!(engine.load().steps <= 2 * MANY as u64, "{:?}", engine.load());
}

#[test]
fn ten_thousand_healthy_tasks_cost_nothing_while_nothing_happens() {
    let (mut engine, _) = launched(&Recipe::fargate("web", [web()]));
    assert_eq!(engine.advance(later(30)).len(), MANY as usize, "all become healthy at once");
    let load = engine.load();
    assert_eq!((load.timers, engine.next_deadline()), (0, None));
    assert_eq!(engine.advance(later(24 * 3600)), []);
    assert_eq!(engine.load(), load);
}

#[test]
fn ten_thousand_tasks_fit_on_the_default_nodes_with_a_host_port_each() {
    let (engine, told) = launched(&Recipe::bridge("web", [web().port(80, 0)]));
    assert!(told.iter().all(|seen| seen.placed && runs(seen)));
    let used: Vec<_> =
        engine.instances("eu-central-1").iter().map(|it| it.registered.cpu - it.remaining.cpu).collect();
    assert_eq!(used.iter().sum::<i64>(), 256 * MANY as i64);
    assert!(used.iter().max().unwrap() - used.iter().min().unwrap() <= 256, "they spread: {used:?}");
}

#[test]
fn many_tasks_that_wait_for_the_same_are_asked_once_and_not_each() {
    let mut options = SimOptions::default();
    options.nodes.clear();
    let mut engine = Engine::new(options).expect("the options make sense");
    let recipe = Recipe::bridge("web", [web()]);
    for number in 1..=1000 {
        engine
            .launch(BEGIN, &recipe.launch(&cluster(), id(number), BEGIN))
            .expect("the definition can be simulated");
    }
    assert!(engine.advance(BEGIN).iter().all(|seen| seen.failure.is_some()));
    let before = engine.load().steps;
    for number in 1..=10 {
        let node = kecs_adapters_sim::NodeSpec::new(format!("small-{number}"), "a", 256, 512);
        engine.add_node(later(1), node).expect("a new node");
        let told = engine.advance(later(1));
        assert_eq!(told.iter().filter(|seen| seen.placed).count(), 1, "there is room for one");
        assert!(told.len() <= 2, "of the others only the next in turn may have a new reason");
    }
    assert!(engine.load().steps - before <= 30, "{:?}", engine.load());
}
