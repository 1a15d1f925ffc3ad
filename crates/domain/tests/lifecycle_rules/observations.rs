//! Random task definitions, and random observations and requests.

use kecs_domain::arn::TaskKey;
use kecs_domain::model::{HealthStatus, TaskStopCode};
use kecs_domain::name::HexId;
use kecs_domain::task::{
    ContainerObservation, ContainerState, NetworkObservation, TaskFailure, TaskObservation,
};
use kecs_domain::task_definition::TaskDefinition;
use proptest::prelude::*;

use crate::support::{Defined, at, cluster, definition};

/// An address that was there first at `connected_at`.
pub(crate) fn address(connected_at: i64) -> NetworkObservation {
    NetworkObservation {
        connected_at: at(connected_at),
        private_ipv4: "10.0.0.7".to_owned(),
        mac: None,
        interface_id: "eni-1".to_owned(),
        private_dns_name: "ip-10-0-0-7".to_owned(),
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Event {
    Observe(Box<TaskObservation>),
    Interrupt(TaskStopCode),
    BeginStopping,
}

const NAMES: [&str; 3] = ["a", "b", "c"];

fn any_container(name: &'static str) -> impl Strategy<Value = ContainerObservation> {
    let state = prop_oneof![
        2 => Just(ContainerState::Pending),
        4 => Just(ContainerState::Running),
        2 => Just(ContainerState::Stopped),
    ];
    let health = prop_oneof![
        Just(None),
        Just(Some(HealthStatus::Healthy)),
        Just(Some(HealthStatus::Unhealthy)),
        Just(Some(HealthStatus::Unknown)),
    ];
    (state, health, 0..50_i64, 0..3_i32, any::<bool>()).prop_map(move |(state, health, second, exit, ran)| {
        let ran = state == ContainerState::Running || (state == ContainerState::Stopped && ran);
        let ended = ran && state == ContainerState::Stopped;
        ContainerObservation {
            state,
            health,
            started_at: ran.then(|| at(second)),
            finished_at: ended.then(|| at(second + 10)),
            exit_code: ended.then_some(exit),
            runtime_id: ran.then(|| format!("runtime-{second}")),
            ..ContainerObservation::pending(name)
        }
    })
}

fn any_failure() -> impl Strategy<Value = Option<TaskFailure>> {
    prop_oneof![
        20 => Just(None),
        1 => Just(Some(TaskFailure::FailedToStart { reason: "CannotPullContainerError: no".to_owned() })),
        1 => Just(Some(TaskFailure::Lost { reason: "node lost".to_owned() })),
        1 => Just(Some(TaskFailure::SpotInterruption)),
        1 => Just(Some(TaskFailure::Unplaceable { reason: "full".to_owned() })),
    ]
}

/// Any observation, also one that contradicts the one before: whatever an orchestrator says, the rules hold.
fn any_observation() -> impl Strategy<Value = TaskObservation> {
    let [a, b, c] = NAMES.map(|name| proptest::option::weighted(0.8, any_container(name)));
    let second = || proptest::option::of(0..50_i64);
    (
        proptest::bool::weighted(0.8),
        second(),
        second(),
        second(),
        (a, b, c),
        any_failure(),
        proptest::bool::weighted(0.1),
    )
        .prop_map(|(placed, pull_started, pull_stopped, connected, (a, b, c), failure, released)| {
            TaskObservation {
                placed,
                pull_started_at: pull_started.map(at),
                pull_stopped_at: pull_stopped.map(at),
                network: connected.map(address),
                containers: [a, b, c].into_iter().flatten().collect(),
                failure,
                released,
                ..TaskObservation::accepted(TaskKey { cluster: cluster(), id: HexId::from_bits(1) })
            }
        })
}

pub(crate) fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => any_observation().prop_map(|seen| Event::Observe(Box::new(seen))),
        1 => proptest::sample::select(vec![TaskStopCode::UserInitiated, TaskStopCode::ServiceSchedulerInitiated])
            .prop_map(Event::Interrupt),
        2 => Just(Event::BeginStopping),
    ]
}

pub(crate) fn any_definition() -> impl Strategy<Value = TaskDefinition> {
    let flags = || (any::<bool>(), any::<bool>());
    (1..=3_usize, flags(), flags(), flags(), any::<bool>()).prop_map(|(count, a, b, c, awsvpc)| {
        let defined: Vec<Defined> = NAMES
            .into_iter()
            .zip([(true, a.1), b, c])
            .take(count)
            .map(|(name, (essential, checked))| Defined { name, essential, checked })
            .collect();
        definition(1, &defined, awsvpc)
    })
}
