//! The one writer of a task's state: from what is observed and what is asked for to the next state.
//!
//! Every change goes forwards through the states of [`TaskStatus`], one step at a time as far as the facts reach, and
//! each step counts in `version`. Observations are whole states, so one that comes twice changes nothing.

use super::{ContainerState, DesiredStatus, Task, TaskFailure, TaskObservation, TaskStatus, network};
use crate::Timestamp;
use crate::exec;
use crate::generated as model;
use crate::model::{HealthStatus, TaskStopCode};
use crate::name::HexId;

/// The reason that StopTask gives when its caller gives none.
pub const STOPPED_BY_USER: &str = "Task stopped by user";

/// Why a task should end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interruption {
    /// `stopCode`
    pub code: TaskStopCode,
    /// `stoppedReason`
    pub reason: String,
}

impl Interruption {
    /// An interruption with `code` and `reason`.
    pub fn new(code: TaskStopCode, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

impl Task {
    /// Asks for the task's end. None if it is asked for already: the first reason stays.
    #[must_use]
    pub fn interrupt(&self, why: Interruption) -> Option<Self> {
        if self.desired == DesiredStatus::Stopped {
            return None;
        }
        let mut task = self.clone();
        task.set_interrupted(why);
        task.count_change(0);
        Some(task)
    }

    /// Gives a task that waited for capacity its place, on `instance` in `zone`.
    #[must_use]
    pub fn placed_on(&self, instance: HexId, zone: &str, now: Timestamp) -> Self {
        let mut task = self.clone();
        task.instance = Some(instance);
        let doc = task.doc.make_mut();
        doc.container_instance_arn = Some(task.key.cluster.container_instance_arn(instance));
        doc.availability_zone = Some(zone.to_owned());
        // One with an interface of its own waits for that now.
        let waits = network::has_interface(doc);
        let steps = if waits { 0 } else { task.advance(TaskStatus::Pending, now) };
        task.count_change(steps);
        task
    }

    /// Notes that its containers are being told to stop, before they are. None if that is noted already.
    #[must_use]
    pub fn begin_stopping(&self, now: Timestamp) -> Option<Self> {
        if self.desired == DesiredStatus::Running || self.status >= TaskStatus::Stopping {
            return None;
        }
        let mut task = self.clone();
        let steps = task.advance(TaskStatus::Stopping, now);
        task.count_change(steps);
        Some(task)
    }

    /// Draws the conclusions from what is observed. None if there is nothing new.
    #[must_use]
    pub fn observe(
        &self,
        seen: &TaskObservation,
        definition: &model::TaskDefinition,
        now: Timestamp,
    ) -> Option<Self> {
        if self.status == TaskStatus::Stopped {
            return None;
        }
        let mut task = self.clone();
        task.accepted = true;
        task.take_facts(seen, definition, now);
        let facts = Facts::of(seen, definition);
        let mut steps = 0;
        if task.desired == DesiredStatus::Running {
            steps += task.advance(facts.reached(seen), now);
            if task.status == TaskStatus::Running {
                task.doc.make_mut().started_at.get_or_insert(facts.started_at.unwrap_or(now));
            }
            if let Some(why) = facts.interruption(seen) {
                task.set_interrupted(why);
            }
        }
        if task.desired == DesiredStatus::Stopped && (facts.all_stopped || seen.released) {
            steps += task.advance(TaskStatus::Deprovisioning, now);
            if let Some(finished_at) = facts.finished_at {
                task.doc.make_mut().execution_stopped_at.get_or_insert(finished_at);
            }
            if seen.released {
                let doc = task.doc.make_mut();
                network::detach(doc);
                for container in doc.containers.iter_mut().flatten() {
                    set_text(&mut container.last_status, "STOPPED");
                    exec::follow(container, None);
                }
                steps += task.advance(TaskStatus::Stopped, now);
            }
        }
        if task == *self {
            return None;
        }
        task.count_change(steps);
        Some(task)
    }

    fn set_interrupted(&mut self, why: Interruption) {
        self.desired = DesiredStatus::Stopped;
        let doc = self.doc.make_mut();
        doc.desired_status = Some(DesiredStatus::Stopped.as_str().to_owned());
        doc.stop_code = Some(why.code);
        doc.stopped_reason = Some(why.reason);
    }

    /// Goes forwards to `goal`, step by step, and returns how many steps that took. Never goes back, and only a
    /// task that should end goes beyond RUNNING.
    fn advance(&mut self, goal: TaskStatus, now: Timestamp) -> i64 {
        let mut steps = 0;
        while self.status < goal {
            let next = next_step(self.status, goal);
            debug_assert!(self.status.may_become(next), "{} may not become {next}", self.status);
            self.status = next;
            steps += 1;
            if next == TaskStatus::Deactivating || next == TaskStatus::Stopping {
                self.doc.make_mut().stopping_at.get_or_insert(now);
            }
            if next == TaskStatus::Stopped {
                self.doc.make_mut().stopped_at = Some(now);
            }
        }
        if steps > 0 {
            self.doc.make_mut().last_status = Some(self.status.as_str().to_owned());
        }
        steps
    }

    fn count_change(&mut self, steps: i64) {
        let doc = self.doc.make_mut();
        doc.version = Some(doc.version.unwrap_or(0) + steps.max(1));
    }

    /// Copies the facts that are shown as they are.
    fn take_facts(&mut self, seen: &TaskObservation, definition: &model::TaskDefinition, now: Timestamp) {
        // Where it runs is the orchestrator's word, whatever was planned.
        // A Fargate task doesn't show what it runs on.
        let fargate = self.doc.launch_type == Some(model::LaunchType::Fargate);
        if let Some(instance) = seen.instance.filter(|instance| !fargate && self.instance != Some(*instance))
        {
            self.instance = Some(instance);
            self.doc.make_mut().container_instance_arn =
                Some(self.key.cluster.container_instance_arn(instance));
        }
        let doc = self.doc.make_mut();
        if doc.availability_zone.is_none() {
            doc.availability_zone.clone_from(&seen.availability_zone);
        }
        doc.pull_started_at = doc.pull_started_at.or(seen.pull_started_at);
        doc.pull_stopped_at = doc.pull_stopped_at.or(seen.pull_stopped_at);
        if seen.placed && !network::has_interface(doc) {
            // It shares its instance's connection, which was there before anything was pulled over it.
            network::connect(doc, seen.pull_started_at.unwrap_or(now));
        }
        if let Some(address) = &seen.network {
            network::attach(doc, address);
        }
        for container in doc.containers.iter_mut().flatten() {
            let observed = seen.containers.iter().find(|one| Some(&one.name) == container.name.as_ref());
            let Some(observed) = observed else {
                container.health_status.get_or_insert(HealthStatus::Unknown);
                continue;
            };
            let state = match observed.state {
                ContainerState::Pending => "PENDING",
                ContainerState::Running => "RUNNING",
                ContainerState::Stopped => "STOPPED",
            };
            // A container goes forwards only, and one that has stopped stays so: what comes later is of its removal.
            let before = container.last_status.as_deref();
            if before != Some("STOPPED") {
                container.health_status = Some(observed.health.unwrap_or(HealthStatus::Unknown));
                if before != Some("RUNNING") || observed.state == ContainerState::Stopped {
                    set_text(&mut container.last_status, state);
                }
            }
            exec::follow(container, observed.started_at);
            merge(&mut container.runtime_id, observed.runtime_id.as_ref());
            merge(&mut container.image_digest, observed.image_digest.as_ref());
            merge(&mut container.reason, observed.reason.as_ref());
            container.exit_code = container.exit_code.or(observed.exit_code);
            if !observed.bindings.is_empty() {
                container.network_bindings = Some(observed.bindings.clone());
            } else if container.network_bindings.is_none() && observed.state != ContainerState::Pending {
                container.network_bindings = Some(Vec::new());
            }
        }
        doc.health_status = Some(worst_health(doc.containers.as_deref().unwrap_or_default(), definition));
    }
}

fn set_text(slot: &mut Option<String>, text: &str) {
    if slot.as_deref() != Some(text) {
        *slot = Some(text.to_owned());
    }
}

fn merge(slot: &mut Option<String>, seen: Option<&String>) {
    if slot.is_none() {
        slot.clone_from(&seen.cloned());
    }
}

/// The next state on the way from `from` to `goal`. A task that never ran has nothing to deactivate, and one that
/// was never placed has nothing to stop.
fn next_step(from: TaskStatus, goal: TaskStatus) -> TaskStatus {
    use TaskStatus::{
        Activating, Deactivating, Deprovisioning, Pending, Provisioning, Running, Stopped, Stopping,
    };
    let ends = goal > Running;
    match from {
        Provisioning if ends => Deprovisioning,
        Provisioning => Pending,
        Pending | Activating if ends => Stopping,
        Pending => Activating,
        Activating => Running,
        Running => Deactivating,
        Deactivating => Stopping,
        Stopping => Deprovisioning,
        Deprovisioning | Stopped => Stopped,
    }
}

/// A task is as healthy as the worst of its essential containers that have a health check. (AWS documentation,
/// HealthCheck)
fn worst_health(containers: &[model::Container], definition: &model::TaskDefinition) -> HealthStatus {
    let mut worst = None;
    for defined in definition.container_definitions.iter().flatten() {
        if defined.health_check.is_none() || defined.essential == Some(false) {
            continue;
        }
        let health = containers
            .iter()
            .find(|container| container.name == defined.name)
            .and_then(|container| container.health_status)
            .unwrap_or(HealthStatus::Unknown);
        worst = Some(match (worst, health) {
            (Some(HealthStatus::Unhealthy), _) | (_, HealthStatus::Unhealthy) => HealthStatus::Unhealthy,
            (Some(HealthStatus::Unknown), _) | (_, HealthStatus::Unknown) => HealthStatus::Unknown,
            _ => HealthStatus::Healthy,
        });
    }
    worst.unwrap_or(HealthStatus::Unknown)
}

/// What an observation means for the task as a whole.
struct Facts {
    placed: bool,
    pulled: bool,
    all_up: bool,
    all_stopped: bool,
    essential_stopped: bool,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

impl Facts {
    fn of(seen: &TaskObservation, definition: &model::TaskDefinition) -> Self {
        let defined = definition.container_definitions.as_deref().unwrap_or_default();
        let mut facts = Self {
            placed: seen.placed,
            pulled: seen.pull_stopped_at.is_some(),
            all_up: !defined.is_empty(),
            all_stopped: !defined.is_empty(),
            essential_stopped: false,
            started_at: None,
            finished_at: None,
        };
        for container in defined {
            let observed = seen.containers.iter().find(|one| Some(&one.name) == container.name.as_ref());
            let state = observed.map_or(ContainerState::Pending, |observed| observed.state);
            let started = observed.and_then(|observed| observed.started_at);
            let essential = container.essential != Some(false);
            // One that stopped without ever having run did not come up; the task carries on without it if it isn't
            // essential.
            facts.all_up &= match state {
                ContainerState::Pending => false,
                ContainerState::Running => true,
                ContainerState::Stopped => started.is_some() || !essential,
            };
            facts.all_stopped &= state == ContainerState::Stopped;
            facts.essential_stopped |= essential && state == ContainerState::Stopped;
            facts.started_at = facts.started_at.max(started);
            facts.finished_at = facts.finished_at.max(observed.and_then(|observed| observed.finished_at));
        }
        facts
    }

    /// How far a task that should run has come. One that failed to start never was RUNNING.
    fn reached(&self, seen: &TaskObservation) -> TaskStatus {
        let failed_to_start = matches!(seen.failure, Some(TaskFailure::FailedToStart { .. }));
        if self.all_up && !failed_to_start {
            TaskStatus::Running
        } else if self.pulled && self.placed {
            TaskStatus::Activating
        } else if self.placed {
            TaskStatus::Pending
        } else {
            TaskStatus::Provisioning
        }
    }

    /// Why a task that should run can't go on.
    fn interruption(&self, seen: &TaskObservation) -> Option<Interruption> {
        match &seen.failure {
            Some(TaskFailure::FailedToStart { reason }) => {
                return Some(Interruption::new(TaskStopCode::TaskFailedToStart, reason));
            }
            Some(TaskFailure::Lost { reason }) => {
                return Some(Interruption::new(TaskStopCode::InfrastructureHealth, reason));
            }
            Some(TaskFailure::SpotInterruption) => {
                return Some(Interruption::new(
                    TaskStopCode::SpotInterruption,
                    "Your Spot Task was interrupted.",
                ));
            }
            Some(TaskFailure::Unplaceable { .. }) | None => {}
        }
        if self.essential_stopped {
            return Some(Interruption::new(
                TaskStopCode::EssentialContainerExited,
                "Essential container in task exited",
            ));
        }
        // The orchestrator let go of it without a word: whatever it ran on is gone.
        seen.released.then(|| {
            Interruption::new(
                TaskStopCode::InfrastructureHealth,
                "The task is no longer known to its orchestrator",
            )
        })
    }
}
