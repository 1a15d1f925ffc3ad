//! One simulated task: from its place to its end. Pure: it is told the time, and what it holds on nodes and in the
//! address pool is the engine's to take and to give back.

mod container;
mod restore;
mod stop;
mod view;

use std::net::Ipv4Addr;
use std::sync::Arc;

use kecs_domain::Timestamp;
use kecs_domain::arn::TaskKey;
use kecs_domain::model::{self, ContainerCondition, HealthStatus, LaunchType, NetworkMode};
use kecs_domain::name::HexId;
use kecs_domain::placement::demand_of;
use kecs_domain::task::{Task, TaskFailure, zone_of_subnet};
use kecs_usecases::ports::Launch;

use crate::ids;
use crate::node::Demand;
use crate::options::SimOptions;
use crate::script::Script;

pub(crate) use container::{SimContainer, State};
pub(crate) use restore::{Kept, address_of, had_place, instance_of, stopping_since};

/// A task.
#[derive(Debug)]
pub(crate) struct SimTask {
    pub(crate) key: TaskKey,
    pub(crate) script: Arc<Script>,
    /// What it drew for `share`: 0 to 99.
    pub(crate) lot: u8,
    pub(crate) fargate: bool,
    pub(crate) phase: Phase,
    /// Whether it has, or had, a place.
    pub(crate) placed: bool,
    /// Before it is placed: the instance that it must go to.
    pub(crate) instance: Option<HexId>,
    pub(crate) zone: Option<Box<str>>,
    pub(crate) demand: Demand,
    pub(crate) address: Option<Address>,
    /// The first host port of each of the script's ports.
    pub(crate) host_ports: Box<[u16]>,
    pub(crate) pull_started_at: Option<Timestamp>,
    pub(crate) pull_stopped_at: Option<Timestamp>,
    pub(crate) containers: Box<[SimContainer]>,
    pub(crate) failure: Option<Box<TaskFailure>>,
    /// Whether it is on its way out: nothing is started any more.
    pub(crate) stopping: bool,
    /// When what it holds is given back.
    pub(crate) release_at: Option<Timestamp>,
    /// Facts of before a restart that don't follow from the task's id.
    pub(crate) kept: Option<Box<Kept>>,
    /// Under which time the engine has it among its timers.
    pub(crate) deadline: Option<Timestamp>,
    /// Whether something changed that can be seen, since the engine asked last.
    pub(crate) news: bool,
    /// Whether the engine will tell of it at the next opportunity.
    pub(crate) dirty: bool,
}

/// How far a task has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It gets its place at this time.
    Placing(Timestamp),
    /// There is no place for it at the moment.
    Waiting,
    /// Images are being pulled until this time; then the image of this container turns out to be missing.
    Pulling(Timestamp, Option<usize>),
    /// Containers are made; from here on each goes its own way.
    Up,
    /// Everything is given back.
    Released,
}

/// An address of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) ip: Ipv4Addr,
    /// Whether it must be given back to the pool.
    pub(crate) pooled: bool,
    pub(crate) connected_at: Timestamp,
}

/// What a container that waits can expect.
enum Readiness {
    Ready,
    Wait,
    Never,
}

impl SimTask {
    /// A task that was accepted and gets its place at `place_at`.
    pub(crate) fn new(launch: &Launch, script: Arc<Script>, place_at: Timestamp) -> Self {
        let task = &*launch.task;
        let demand = demand_of(&launch.definition.doc, task.doc.overrides.as_deref());
        let fargate = task.doc.launch_type == Some(LaunchType::Fargate);
        #[allow(clippy::cast_possible_truncation, reason = "less than 100")]
        let lot = ids::choice("share", &task.key.id.bits().to_be_bytes(), 100) as u8;
        Self {
            containers: script.containers.iter().map(|_| SimContainer::new()).collect(),
            script,
            lot,
            fargate,
            phase: Phase::Placing(place_at),
            placed: false,
            instance: task.instance.filter(|_| !fargate),
            zone: fargate.then(|| fargate_zone(task).into()),
            demand: Demand { cpu: demand.cpu, memory: demand.memory },
            address: None,
            host_ports: Box::default(),
            pull_started_at: None,
            pull_stopped_at: None,
            failure: None,
            stopping: false,
            release_at: None,
            kept: None,
            deadline: None,
            news: false,
            dirty: false,
            key: task.key.clone(),
        }
    }

    /// Whether it has a network interface of its own.
    pub(crate) fn has_interface(&self) -> bool {
        self.fargate || self.script.network == NetworkMode::Awsvpc
    }

    /// It has its place: resources are set up, then images are pulled.
    pub(crate) fn place(&mut self, t: Timestamp, options: &SimOptions) {
        self.placed = true;
        self.news = true;
        self.failure = None;
        self.phase = Phase::Up;
        let error =
            |index: usize| self.script.containers[index].behaviour(self.lot).resource_error.as_deref();
        if let Some((at_fault, text)) =
            (0..self.containers.len()).find_map(|index| Some((index, error(index)?)))
        {
            let reason = format!("ResourceInitializationError: {text}");
            self.fail_in(t, at_fault, reason, options);
            return;
        }
        self.pull_started_at = self.pull_started_at.or(Some(t));
        let pulls = (0..self.containers.len()).map(|index| {
            let behaviour = self.script.containers[index].behaviour(self.lot);
            (t.saturating_add(behaviour.pull_delay.unwrap_or(options.pull_delay)), index, behaviour)
        });
        let failing =
            pulls.clone().filter(|(.., it)| it.pull_error.is_some()).map(|(at, index, _)| (at, index)).min();
        self.phase = match failing {
            Some((at, index)) => Phase::Pulling(at, Some(index)),
            None => Phase::Pulling(pulls.map(|(at, ..)| at).max().unwrap_or(t), None),
        };
    }

    /// Does everything that is due at `t` and what follows from it at the same instant.
    pub(crate) fn settle(&mut self, t: Timestamp, options: &SimOptions) {
        while self.step(t, options) {}
    }

    /// Does what is due at `t`. Whether there was anything, so that more may follow.
    fn step(&mut self, t: Timestamp, options: &SimOptions) -> bool {
        match self.phase {
            Phase::Pulling(until, failing) if until <= t => {
                self.end_pull(t, failing, options);
                true
            }
            Phase::Up => {
                let mut changed = false;
                for index in 0..self.containers.len() {
                    changed |= self.step_container(index, t, options);
                }
                changed |= if self.stopping { self.send_signals(t) } else { self.start_ready(t, options) };
                if self.release_at.is_none() && self.containers.iter().all(SimContainer::has_stopped) {
                    self.release_at = Some(t.saturating_add(options.release_delay));
                    changed = true;
                }
                changed
            }
            Phase::Placing(_) | Phase::Waiting | Phase::Pulling(..) | Phase::Released => false,
        }
    }

    fn end_pull(&mut self, t: Timestamp, failing: Option<usize>, options: &SimOptions) {
        self.phase = Phase::Up;
        let Some(index) = failing else {
            self.pull_stopped_at = Some(t);
            self.news = true;
            return;
        };
        let text = self.script.containers[index].behaviour(self.lot).pull_error.clone().unwrap_or_default();
        self.fail_in(t, index, format!("CannotPullContainerError: {text}"), options);
    }

    /// Begins to start every container whose dependencies are met. The task ends if one never can.
    fn start_ready(&mut self, t: Timestamp, options: &SimOptions) -> bool {
        let mut changed = false;
        for index in 0..self.containers.len() {
            if self.containers[index].state != State::Waiting {
                continue;
            }
            match self.readiness(index, t) {
                Readiness::Wait => {}
                Readiness::Ready => {
                    let delay = self.script.containers[index].behaviour(self.lot).start_delay;
                    let at = t.saturating_add(delay.unwrap_or(options.start_delay));
                    self.containers[index].state = State::Starting(at);
                    changed = true;
                }
                Readiness::Never => {
                    self.fail(t, "Task failed to start".to_owned(), options);
                    return true;
                }
            }
        }
        changed
    }

    fn readiness(&self, index: usize, t: Timestamp) -> Readiness {
        let mut readiness = Readiness::Ready;
        for (dependency, condition) in &self.script.containers[index].depends_on {
            let container = &self.containers[*dependency];
            if self.is_met(*dependency, *condition) {
                continue;
            }
            let ill =
                *condition == ContainerCondition::Healthy && container.health == HealthStatus::Unhealthy;
            let late = *condition != ContainerCondition::Start
                && self.times_out_at(*dependency).is_some_and(|at| at <= t);
            if container.has_stopped() || ill || late {
                return Readiness::Never;
            }
            readiness = Readiness::Wait;
        }
        readiness
    }

    /// Whether the container at `index` has come as far as `condition` says.
    fn is_met(&self, index: usize, condition: ContainerCondition) -> bool {
        let container = &self.containers[index];
        match condition {
            ContainerCondition::Start => container.started_at.is_some(),
            ContainerCondition::Complete => container.has_stopped() && container.started_at.is_some(),
            ContainerCondition::Success => container.has_stopped() && container.exit_code == Some(0),
            ContainerCondition::Healthy => {
                container.state == State::Running && container.health == HealthStatus::Healthy
            }
        }
    }

    /// When the container at `index` has had its `startTimeout`. As in ECS's agent that runs from its start, and
    /// there is none unless it is given.
    fn times_out_at(&self, index: usize) -> Option<Timestamp> {
        let timeout = self.script.containers[index].start_timeout?;
        self.containers[index].started_at.map(|started| started.saturating_add(timeout))
    }

    /// When something happens next, after everything due at `t` has been done.
    pub(crate) fn due(&self, t: Timestamp, options: &SimOptions) -> Option<Timestamp> {
        match self.phase {
            Phase::Placing(at) | Phase::Pulling(at, _) => Some(at),
            Phase::Waiting | Phase::Released => None,
            Phase::Up => {
                let containers =
                    (0..self.containers.len()).filter_map(|index| self.container_due(index, options));
                // A timeout that has passed without consequence is over.
                let timeouts = self.timeouts().filter(|at| *at > t);
                self.release_at.into_iter().chain(containers).chain(timeouts).min()
            }
        }
    }

    /// The start timeouts that a container waits under.
    fn timeouts(&self) -> impl Iterator<Item = Timestamp> + '_ {
        let waiting = self.script.containers.iter().zip(&self.containers);
        let waiting = waiting.filter(|(_, container)| container.state == State::Waiting);
        let conditions = waiting.flat_map(|(script, _)| &script.depends_on);
        conditions
            .filter(|(index, condition)| {
                *condition != ContainerCondition::Start && !self.is_met(*index, *condition)
            })
            .filter_map(|(index, _)| self.times_out_at(*index))
    }
}

/// The zone of a Fargate task: the one that it was given, or that of its subnet.
fn fargate_zone(task: &Task) -> String {
    if let Some(zone) = &task.doc.availability_zone {
        return zone.clone();
    }
    let network = task.launch.network.as_ref().and_then(|network| network.awsvpc_configuration.as_ref());
    let subnet = network.and_then(|vpc: &model::AwsVpcConfiguration| vpc.subnets.first());
    zone_of_subnet(task.key.cluster.scope.region(), subnet.map_or("", String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_of_two_containers_costs_less_than_a_kilobyte() {
        // Its key again in the index, with the index's own share; its place in the map; its timer; what is
        // allocated for its zone and for a reason.
        let beside = (size_of::<TaskKey>() + 8) * 2 + 24 + 24 + 64;
        let total = size_of::<SimTask>() + 2 * size_of::<SimContainer>() + beside;
        assert!(total < 1024, "{} + 2 * {} + {beside}", size_of::<SimTask>(), size_of::<SimContainer>());
    }
}
