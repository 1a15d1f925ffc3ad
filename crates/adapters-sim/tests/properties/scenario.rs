//! Random task definitions and random things that happen to their tasks.

use std::collections::BTreeMap;
use std::time::Duration;

use kecs_adapters_sim::labels::PREFIX;
use kecs_adapters_sim::{NodeSpec, SimOptions};
use kecs_domain::model::{
    ContainerCondition, ContainerDefinition, ContainerDependency, ContainerRestartPolicy, HealthCheck,
    NetworkMode, PortMapping,
};
use kecs_testkit::orchestrator::Recipe;
use proptest::option::weighted;
use proptest::prelude::*;

/// Something that happens to the tasks.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Launch(u128),
    Stop(u128),
    Crash(u128, usize, i32),
    Delete(u128),
    InterruptSpot(u128),
    LoseNode(usize),
    Drain(usize),
    Activate(usize),
}

/// A whole history, but for its end: everything is stopped then.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) recipe: Recipe,
    pub(crate) options: SimOptions,
    /// What happens, by milliseconds since the beginning.
    pub(crate) acts: Vec<(u64, Act)>,
    /// When somebody looks, besides, who is not in time.
    pub(crate) looks: Vec<u64>,
}

pub(crate) const TASKS: u128 = 4;
/// Everything random happens within so many milliseconds.
pub(crate) const SPAN: u64 = 60_000;

fn span() -> impl Strategy<Value = u64> {
    // Whole seconds often, so that things coincide.
    prop_oneof![(0..60_u64).prop_map(|seconds| seconds * 1000), 0..SPAN]
}

fn text(millis: u64) -> String {
    format!("{millis}ms")
}

fn labels(checked: bool) -> impl Strategy<Value = BTreeMap<String, String>> {
    let delay = || (0..8_000_u64).prop_map(text);
    let times = (
        weighted(0.3, span().prop_map(text)),
        weighted(0.2, span().prop_map(text)),
        weighted(0.3, delay()),
        weighted(0.3, delay()),
        weighted(0.3, delay()),
    );
    let codes = (
        weighted(0.3, 0..4_u8),
        weighted(0.2, 0..256_u16),
        weighted(0.2, any::<bool>()),
        weighted(0.1, 0..101_u8),
    );
    let errors = (weighted(0.05, Just("no")), weighted(0.05, Just("no")), weighted(0.03, Just("no")));
    let health = prop_oneof![
        Just("healthy".to_owned()),
        Just("unhealthy".to_owned()),
        Just("hanging".to_owned()),
        Just("flapping".to_owned()),
        span().prop_map(|after| format!("healthy-after={}", text(after))),
        span().prop_map(|after| format!("unhealthy-after={}", text(after))),
    ];
    (times, codes, errors, weighted(0.7, health)).prop_map(move |(times, codes, errors, health)| {
        let values = [
            ("run-for", times.0),
            ("oom-after", times.1),
            ("pull-delay", times.2),
            ("start-delay", times.3),
            ("stop-delay", times.4),
            ("exit-code", codes.0.map(|code| code.to_string())),
            ("exit-on-sigterm", codes.1.map(|code| code.to_string())),
            ("ignore-sigterm", codes.2.map(|deaf| deaf.to_string())),
            ("share", codes.3.map(|share| share.to_string())),
            ("pull-error", errors.0.map(str::to_owned)),
            ("start-error", errors.1.map(str::to_owned)),
            ("resource-error", errors.2.map(str::to_owned)),
            ("health", health.filter(|_| checked)),
        ];
        values.into_iter().filter_map(|(name, value)| Some((format!("{PREFIX}{name}"), value?))).collect()
    })
}

fn container(index: usize) -> impl Strategy<Value = ContainerDefinition> {
    let check =
        (1..10_i32, 1..5_i32, 1..4_i32, 0..20_i32).prop_map(|(interval, timeout, retries, start_period)| {
            HealthCheck {
                command: vec!["CMD".to_owned()],
                interval: Some(interval),
                timeout: Some(timeout),
                retries: Some(retries),
                start_period: Some(start_period),
            }
        });
    let restart = (1..30_i32, prop::collection::vec(0..4_i32, 0..2)).prop_map(|(period, ignored)| {
        ContainerRestartPolicy {
            enabled: true,
            ignored_exit_codes: Some(ignored),
            restart_attempt_period: Some(period),
        }
    });
    let conditions = prop::sample::select(ContainerCondition::ALL);
    let dependencies = prop::collection::vec(weighted(0.4, conditions), index);
    let port = prop_oneof![Just(0), Just(8080), Just(9000 + i32::try_from(index).expect("few containers"))];
    weighted(0.5, check).prop_flat_map(move |check| {
        let timeouts = (weighted(0.3, 2..10_i32), weighted(0.3, 2..30_i32));
        let rest = (weighted(0.2, restart.clone()), dependencies.clone(), weighted(0.4, port.clone()));
        (labels(check.is_some()), timeouts, rest).prop_map(
            move |(labels, timeouts, (restart, dependencies, port))| {
                let dependency = |(on, condition): (usize, Option<ContainerCondition>)| {
                    Some(ContainerDependency { container_name: format!("c{on}"), condition: condition? })
                };
                ContainerDefinition {
                    name: Some(format!("c{index}")),
                    image: Some(format!("image:{index}")),
                    docker_labels: Some(labels),
                    health_check: check.clone(),
                    stop_timeout: timeouts.0,
                    start_timeout: timeouts.1,
                    restart_policy: restart,
                    depends_on: Some(dependencies.into_iter().enumerate().filter_map(dependency).collect()),
                    port_mappings: port.map(|port| {
                        vec![PortMapping {
                            container_port: Some(80),
                            host_port: Some(port),
                            ..PortMapping::default()
                        }]
                    }),
                    ..ContainerDefinition::default()
                }
            },
        )
    })
}

fn act() -> impl Strategy<Value = Act> {
    let task = || 1..=TASKS;
    prop_oneof![
        4 => task().prop_map(Act::Stop),
        2 => task().prop_map(Act::Launch),
        4 => (task(), 0..4_usize, prop_oneof![Just(0), Just(1), Just(137)]).prop_map(|(t, c, code)| Act::Crash(t, c, code)),
        1 => task().prop_map(Act::Delete),
        1 => task().prop_map(Act::InterruptSpot),
        1 => (0..2_usize).prop_map(Act::LoseNode),
        1 => (0..2_usize).prop_map(Act::Drain),
        1 => (0..2_usize).prop_map(Act::Activate),
    ]
}

/// Any history of tasks of up to `containers` containers.
pub(crate) fn scenario(containers: usize) -> impl Strategy<Value = Scenario> {
    let containers = (1..=containers).prop_flat_map(|count| (0..count).map(container).collect::<Vec<_>>());
    let place = prop_oneof![
        Just(None),
        Just(Some(NetworkMode::Awsvpc)),
        Just(Some(NetworkMode::Bridge)),
        Just(Some(NetworkMode::Host)),
    ];
    let delays = prop::array::uniform4(prop_oneof![Just(0_u64), 0..3_000_u64]);
    let acts = prop::collection::vec((span(), act()), 0..8);
    let looks = prop::collection::vec(0..SPAN, 0..4);
    (containers, place, delays, acts, looks).prop_map(|(containers, place, delays, mut acts, looks)| {
        let [placement, pull, start, release] = delays.map(Duration::from_millis);
        let recipe = match place {
            None => Recipe::fargate("any", containers),
            Some(network) => Recipe { network: Some(network), ..Recipe::bridge("any", containers) },
        };
        let options = SimOptions {
            // Not room enough for all tasks.
            nodes: vec![NodeSpec::new("node-1", "a", 512, 4096), NodeSpec::new("node-2", "b", 300, 4096)],
            cidr: "10.0.0.0/28".parse().expect("a legal block"),
            placement_delay: placement,
            pull_delay: pull,
            start_delay: start,
            release_delay: release,
            ..SimOptions::default()
        };
        acts.sort_by_key(|(at, _)| *at);
        Scenario { recipe, options, acts, looks }
    })
}
