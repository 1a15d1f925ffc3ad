//! The scheduler: from a service and its tasks to what has to be done now.
//!
//! Pure: the same input gives the same plan. It is level-triggered, so it needs no memory but the service itself;
//! executing a plan twice, or not at all, is mended by the next one.

use std::sync::Arc;
use std::time::Duration;

use super::census::{Census, Condition, deployment_of};
use super::events::EventWriter;
use super::{
    DeploymentStatus, RecordEvent, Service, ServiceStatus, TaskSetStatus, hook, moves, outcome, sets, stop,
};
use crate::Timestamp;
use crate::arn::{TaskDefinitionKey, TaskKey};
use crate::model::{DeploymentControllerType, DeploymentRolloutState, TaskStopCode};
use crate::name::{DeploymentId, HexId, TaskId};
use crate::task::{Interruption, Task};
use crate::task_definition::TaskDefinition;

/// What the scheduler looks at.
pub struct PlanInput<'a> {
    /// The service.
    pub service: &'a Service,
    /// Its tasks: all that are not STOPPED, and those STOPPED ones that are not accounted for.
    pub tasks: &'a [Arc<Task>],
    /// Finds a task definition.
    pub definition: &'a (dyn Fn(&TaskDefinitionKey) -> Option<Arc<TaskDefinition>> + Sync),
    /// For the DAEMON strategy: the ACTIVE instances that a task of the service fits on.
    pub instances: &'a [HexId],
    /// For the REPLICA strategy: the instances that are DRAINING. Tasks there are to be replaced elsewhere. For the
    /// DAEMON strategy: those of them on which other tasks still run. There the daemon's task stays until they are
    /// gone.
    pub draining: &'a [HexId],
    /// Now.
    pub now: Timestamp,
}

/// Tasks to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Of which deployment.
    pub deployment: DeploymentId,
    /// How many.
    pub count: usize,
    /// On which instance; the DAEMON strategy names it.
    pub instance: Option<HexId>,
}

/// Something to be written into the record of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordChange {
    /// The record's identifier.
    pub record: String,
    /// What happened.
    pub event: RecordEvent,
}

/// The wish, of the circuit breaker or of a user, for a new deployment of an earlier revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// The deployment that failed.
    pub from: DeploymentId,
    /// The revision to go back to.
    pub to: DeploymentId,
    /// The record that goes on.
    pub record: String,
    /// `rolloutStateReason` of the new deployment.
    pub reason: String,
}

/// What has to be done.
#[derive(Debug)]
pub struct Plan {
    /// The service afterwards, with counts, states and events; started tasks aren't in its events yet.
    pub service: Service,
    /// Tasks to be started.
    pub start: Vec<Start>,
    /// Tasks to be ended.
    pub stop: Vec<(TaskKey, Interruption)>,
    /// Tasks that end, from which the conclusions are now drawn.
    pub account: Vec<TaskKey>,
    /// What happened to the records of deployments.
    pub records: Vec<RecordChange>,
    /// A rollback to be begun.
    pub rollback: Option<Rollback>,
    /// When to look again though nothing else happens.
    pub again_after: Option<Duration>,
}

impl Plan {
    /// Ends `tasks`, and says so in an event.
    pub(super) fn stop_tasks(
        &mut self,
        tasks: Vec<(&Task, Condition)>,
        why: &Interruption,
        events: &mut EventWriter<'_>,
    ) {
        self.stop_tasks_of(None, tasks, why, events);
    }

    /// Looks again after this long, or sooner.
    pub(super) fn look_after(&mut self, turn: Duration) {
        self.again_after = Some(self.again_after.map_or(turn, |sooner| sooner.min(turn)));
    }

    /// Ends `tasks`, all of one task set, and says so in an event.
    pub(super) fn stop_tasks_of(
        &mut self,
        set: Option<DeploymentId>,
        tasks: Vec<(&Task, Condition)>,
        why: &Interruption,
        events: &mut EventWriter<'_>,
    ) {
        if tasks.is_empty() {
            return;
        }
        let (pending, running): (Vec<_>, Vec<_>) =
            tasks.into_iter().partition(|(_, condition)| *condition == Condition::Pending);
        let ids: Vec<TaskId> = running.iter().map(|(task, _)| task.key.id).collect();
        events.stopped(&mut self.service, set, &ids, pending.len());
        self.stop.extend(running.into_iter().chain(pending).map(|(task, _)| (task.key.clone(), why.clone())));
    }
}

/// Decides what has to be done for a service now. `uuid` yields the identifiers of events.
pub fn plan(input: &PlanInput<'_>, uuid: &mut (dyn FnMut() -> String + Send)) -> Plan {
    let now = input.now;
    let mut plan = Plan {
        service: input.service.clone(),
        start: Vec::new(),
        stop: Vec::new(),
        account: Vec::new(),
        records: Vec::new(),
        rollback: None,
        again_after: None,
    };
    let mut events = EventWriter { now, uuid };
    let census = Census::take(input.service, input.tasks.iter().map(|task| &**task), &input.definition, now);
    outcome::account_ended(&mut plan, input.tasks, now);
    match plan.service.status {
        ServiceStatus::Inactive => {}
        ServiceStatus::Draining => drain(&mut plan, &census, &mut events),
        ServiceStatus::Active if plan.service.controller() == DeploymentControllerType::Ecs => {
            notice(&mut plan);
            hook::wait(&mut plan, &census, &mut events);
            stop::heed(&mut plan, &mut events);
            outcome::judge(&mut plan, &census, &mut events);
            moves::make(&mut plan, &census, input, &mut events);
            outcome::complete(&mut plan, &census, input.draining, &mut events);
        }
        ServiceStatus::Active if plan.service.controller() == DeploymentControllerType::External => {
            sets::make(&mut plan, &census, input.draining, &mut events);
        }
        ServiceStatus::Active => {}
    }
    tally(&mut plan.service, &census, now);
    plan
}

/// Begins with deployments that are seen for the first time.
fn notice(plan: &mut Plan) {
    for deployment in plan.service.deployments.iter_mut().filter(|deployment| !deployment.seen) {
        deployment.seen = true;
        plan.records.push(RecordChange { record: deployment.record.clone(), event: RecordEvent::Started });
    }
}

/// A deleted service ends its tasks, and is INACTIVE when the last one is gone.
fn drain(plan: &mut Plan, census: &Census<'_>, events: &mut EventWriter<'_>) {
    for deployment in &mut plan.service.deployments {
        deployment.desired = 0;
        if deployment.rollout == DeploymentRolloutState::InProgress
            && deployment.status == DeploymentStatus::Primary
        {
            plan.records
                .push(RecordChange { record: deployment.record.clone(), event: RecordEvent::ServiceDeleted });
        }
        deployment.status = DeploymentStatus::Draining;
    }
    for set in &mut plan.service.task_sets {
        set.desired = 0;
        set.status = TaskSetStatus::Draining;
        if set.stable {
            (set.stable, set.stable_at) = (false, events.now);
        }
    }
    if census.live.is_empty() {
        plan.service.status = ServiceStatus::Inactive;
        plan.service.deployments.clear();
        plan.service.task_sets.clear();
        return;
    }
    let deployment = plan.service.deployments.first().map(|newest| newest.id);
    let newest = deployment.or(plan.service.task_sets.first().map(|newest| newest.id));
    let reason = newest.map_or_else(
        || "Scaling activity initiated by service deletion".to_owned(),
        |newest| format!("Scaling activity initiated by (deployment {newest})"),
    );
    let wanted = census
        .live
        .iter()
        .filter(|(_, condition)| !matches!(condition, Condition::Ending | Condition::Leaving))
        .copied()
        .collect();
    plan.stop_tasks(wanted, &Interruption::new(TaskStopCode::ServiceSchedulerInitiated, reason), events);
}

/// Writes the counts of now into the service and its deployments.
fn tally(service: &mut Service, census: &Census<'_>, now: Timestamp) {
    service.running = census.running(None);
    service.pending = census.pending(None);
    for deployment in &mut service.deployments {
        let (running, pending) = (census.running(Some(deployment.id)), census.pending(Some(deployment.id)));
        let before = (deployment.running, deployment.pending);
        if before != (running, pending) {
            (deployment.running, deployment.pending) = (running, pending);
            deployment.updated_at = now;
        }
    }
    for set in &mut service.task_sets {
        let (running, pending) = (census.running(Some(set.id)), census.pending(Some(set.id)));
        if (set.running, set.pending) != (running, pending) {
            (set.running, set.pending) = (running, pending);
            set.updated_at = now;
        }
    }
}

/// Whether any unfinished task belongs to a deployment.
pub(super) fn has_tasks(census: &Census<'_>, deployment: DeploymentId) -> bool {
    census
        .live
        .iter()
        .any(|(task, condition)| deployment_of(task) == Some(deployment) && *condition != Condition::Leaving)
}
