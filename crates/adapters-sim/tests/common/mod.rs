//! What the tests of this crate share: a clock that is set by hand, and the text of a timeline.
#![allow(dead_code, unreachable_pub, reason = "every test binary uses a part of this")]

use std::fmt::Write as _;

use kecs_domain::arn::ClusterKey;
use kecs_domain::name::{ClusterName, TaskId};
use kecs_domain::task::{ContainerObservation, ContainerState, TaskFailure, TaskObservation};
use kecs_domain::{Scope, Timestamp};
use kecs_usecases::ports::Clock;
use parking_lot::Mutex;

/// When every test begins.
pub const BEGIN: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// A clock that stands still until it is set.
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    pub fn new() -> Self {
        Self(Mutex::new(BEGIN))
    }

    /// Goes forwards to `time`; never back.
    pub fn set(&self, time: Timestamp) {
        let mut now = self.0.lock();
        *now = time.max(*now);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

pub fn cluster() -> ClusterKey {
    let name = ClusterName::parse("main").expect("a legal name");
    ClusterKey::new(Scope::new("123456789012", "eu-central-1"), name)
}

pub fn id(bits: u128) -> TaskId {
    TaskId::from_bits(bits)
}

/// Seconds since the beginning.
pub fn at(time: Timestamp) -> String {
    let millis = time.as_millis() - BEGIN.as_millis();
    format!("{}{}.{:03}", if millis < 0 { "-" } else { "" }, millis.abs() / 1000, millis.abs() % 1000)
}

/// An observation as text: a line for the task and one for each container.
pub fn text(now: Timestamp, seen: &TaskObservation) -> String {
    let mut out = format!("{:>9}  task {:x}", at(now), seen.key.id.bits());
    let mut say = |words: String| out += &format!(", {words}");
    say(if seen.placed { "placed".into() } else { "not placed".into() });
    let short = |text: &str| text.chars().take(12).collect::<String>();
    seen.instance.iter().for_each(|it| say(format!("instance {}", short(&it.to_string()))));
    seen.availability_zone.iter().for_each(|it| say(format!("zone {it}")));
    match (seen.pull_started_at, seen.pull_stopped_at) {
        (Some(first), Some(last)) => say(format!("pulled {} to {}", at(first), at(last))),
        (Some(first), None) => say(format!("pulls since {}", at(first))),
        _ => {}
    }
    if let Some(network) = &seen.network {
        say(format!("address {} since {}", network.private_ipv4, at(network.connected_at)));
    }
    match &seen.failure {
        Some(TaskFailure::FailedToStart { reason }) => say(format!("FAILED TO START '{reason}'")),
        Some(TaskFailure::Lost { reason }) => say(format!("LOST '{reason}'")),
        Some(TaskFailure::SpotInterruption) => say("SPOT INTERRUPTION".into()),
        Some(TaskFailure::Unplaceable { reason }) => say(format!("UNPLACEABLE '{reason}'")),
        None => {}
    }
    if seen.released {
        say("RELEASED".into());
    }
    seen.containers.iter().for_each(|container| container_text(&mut out, container));
    out + "\n"
}

fn container_text(out: &mut String, seen: &ContainerObservation) {
    let state = match seen.state {
        ContainerState::Pending => "PENDING",
        ContainerState::Running => "RUNNING",
        ContainerState::Stopped => "STOPPED",
    };
    let _ = write!(out, "\n             {:8} {state}", seen.name);
    match (seen.started_at, seen.finished_at) {
        (Some(first), Some(last)) => *out += &format!(" ran {} to {}", at(first), at(last)),
        (Some(first), None) => *out += &format!(" since {}", at(first)),
        _ => {}
    }
    seen.exit_code.iter().for_each(|code| *out += &format!(", exit code {code}"));
    seen.health.iter().for_each(|health| *out += &format!(", {health}"));
    seen.reason.iter().for_each(|reason| *out += &format!(", '{reason}'"));
    for binding in &seen.bindings {
        let port = |port: Option<i32>, range: &Option<String>| {
            range.clone().or(port.map(|port| port.to_string())).unwrap_or_default()
        };
        let host = port(binding.host_port, &binding.host_port_range);
        *out += &format!(", port {} at {host}", port(binding.container_port, &binding.container_port_range));
    }
}
