//! What an instance's own agent reports of its tasks: changes, each of a part of the task.
//!
//! An orchestrator tells whole states ([`TaskObservation`]). An agent tells what has changed since its last report, so
//! its report is laid over what is known, and what comes out is observed like anything else.

use super::{ContainerObservation, ContainerState, DesiredStatus, Task, TaskFailure, TaskObservation};
use crate::arn::Arn;
use crate::generated as model;
use crate::model::{ContainerStateChange, SubmitContainerStateChangeRequest, SubmitTaskStateChangeRequest};
use crate::scope::Scope;
use crate::{EcsError, Timestamp};

/// What an agent says of one task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentReport {
    /// How far the task has come.
    pub state: Option<ContainerState>,
    /// Why.
    pub reason: Option<String>,
    /// Containers that have changed.
    pub containers: Vec<ContainerReport>,
    /// `pullStartedAt`
    pub pull_started_at: Option<Timestamp>,
    /// `pullStoppedAt`
    pub pull_stopped_at: Option<Timestamp>,
    /// `executionStoppedAt`
    pub execution_stopped_at: Option<Timestamp>,
}

/// What an agent says of one container.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerReport {
    /// Its name.
    pub name: String,
    /// How far it has come.
    pub state: Option<ContainerState>,
    /// `runtimeId`
    pub runtime_id: Option<String>,
    /// `imageDigest`
    pub image_digest: Option<String>,
    /// `exitCode`
    pub exit_code: Option<i32>,
    /// Why it is in this state.
    pub reason: Option<String>,
    /// Host ports that it got.
    pub bindings: Vec<model::NetworkBinding>,
}

/// The state that an agent's word stands for. What comes before RUNNING is all the same to ECS.
fn state(member: &str, word: Option<&str>) -> Result<Option<ContainerState>, EcsError> {
    Ok(Some(match word {
        None | Some("") => return Ok(None),
        Some(
            "NONE"
            | "MANIFEST_PULLED"
            | "PULLED"
            | "CREATED"
            | "RESOURCES_PROVISIONED"
            | "PROVISIONING"
            | "PENDING"
            | "ACTIVATING",
        ) => ContainerState::Pending,
        Some("RUNNING") => ContainerState::Running,
        Some("STOPPED") => ContainerState::Stopped,
        Some(other) => {
            return Err(EcsError::invalid_parameter(format!(
                "{member} '{other}' is invalid. It should be one of [PENDING,PULLED,CREATED,RUNNING,STOPPED]"
            )));
        }
    }))
}

impl ContainerReport {
    fn new(change: &ContainerStateChange) -> Result<Self, EcsError> {
        let name = change.container_name.clone().filter(|name| !name.is_empty());
        Ok(Self {
            name: name.ok_or_else(|| EcsError::invalid_parameter("containerName can not be empty."))?,
            state: state("status", change.status.as_deref())?,
            runtime_id: change.runtime_id.clone(),
            image_digest: change.image_digest.clone(),
            exit_code: change.exit_code,
            reason: change.reason.clone().filter(|reason| !reason.is_empty()),
            bindings: change.network_bindings.clone().unwrap_or_default(),
        })
    }
}

impl AgentReport {
    /// The report in a SubmitTaskStateChange.
    ///
    /// # Errors
    /// `InvalidParameterException` for a status that is none and for a container without a name.
    pub fn of_task(request: &SubmitTaskStateChangeRequest) -> Result<Self, EcsError> {
        let containers = request.containers.iter().flatten().map(ContainerReport::new);
        Ok(Self {
            state: state("status", request.status.as_deref())?,
            reason: request.reason.clone().filter(|reason| !reason.is_empty()),
            containers: containers.collect::<Result<_, _>>()?,
            pull_started_at: request.pull_started_at,
            pull_stopped_at: request.pull_stopped_at,
            execution_stopped_at: request.execution_stopped_at,
        })
    }

    /// The report in a SubmitContainerStateChange.
    ///
    /// # Errors
    /// `InvalidParameterException` for a status that is none and for no container name.
    pub fn of_container(request: &SubmitContainerStateChangeRequest) -> Result<Self, EcsError> {
        let container = ContainerReport::new(&ContainerStateChange {
            container_name: request.container_name.clone(),
            runtime_id: request.runtime_id.clone(),
            status: request.status.clone(),
            exit_code: request.exit_code,
            reason: request.reason.clone(),
            network_bindings: request.network_bindings.clone(),
            ..Default::default()
        })?;
        Ok(Self { containers: vec![container], ..Self::default() })
    }

    /// Nothing is left of the task. Said in the agent's place, when it won't say it any more.
    pub fn gone() -> Self {
        Self { state: Some(ContainerState::Stopped), ..Self::default() }
    }
}

impl Task {
    /// Draws the conclusions from an agent's report. None if there is nothing new.
    #[must_use]
    pub fn reported(
        &self,
        report: &AgentReport,
        definition: &model::TaskDefinition,
        now: Timestamp,
    ) -> Option<Self> {
        let seen = self.laid_over(report, now);
        self.observe(&seen, definition, now)
    }

    /// What is known of the task, with the report laid over it.
    fn laid_over(&self, report: &AgentReport, now: Timestamp) -> TaskObservation {
        let doc = &*self.doc;
        let released = report.state == Some(ContainerState::Stopped);
        let finished_at = report.execution_stopped_at.unwrap_or(now);
        let containers: Vec<ContainerObservation> = doc
            .containers
            .iter()
            .flatten()
            .map(|container| {
                let name = container.name.clone().unwrap_or_default();
                let told = report.containers.iter().find(|told| told.name == name);
                let before = match container.last_status.as_deref() {
                    Some("STOPPED") => ContainerState::Stopped,
                    Some("RUNNING") => ContainerState::Running,
                    _ => ContainerState::Pending,
                };
                let told_state = told.and_then(|told| told.state).unwrap_or(ContainerState::Pending);
                // A task that runs, or has stopped, says so of each of its containers.
                let of_task = report.state.unwrap_or(ContainerState::Pending);
                let state = before.max(told_state).max(of_task);
                let exit_code = container.exit_code.or_else(|| told.and_then(|told| told.exit_code));
                let ran = exit_code.is_some()
                    || before == ContainerState::Running
                    || state == ContainerState::Running
                    || doc.started_at.is_some();
                let stopped_now = state == ContainerState::Stopped && before != ContainerState::Stopped;
                ContainerObservation {
                    state,
                    runtime_id: told.and_then(|told| told.runtime_id.clone()),
                    image_digest: told.and_then(|told| told.image_digest.clone()),
                    started_at: ran.then(|| doc.started_at.unwrap_or(now)),
                    finished_at: stopped_now.then_some(finished_at),
                    exit_code,
                    reason: told.and_then(|told| told.reason.clone()),
                    health: container.health_status,
                    bindings: told.map(|told| told.bindings.clone()).unwrap_or_default(),
                    ..ContainerObservation::pending(name)
                }
            })
            .collect();
        let never_ran = containers.iter().all(|container| container.started_at.is_none());
        let failure = report
            .reason
            .clone()
            .filter(|_| released && never_ran && self.desired == DesiredStatus::Running)
            .map(|reason| TaskFailure::FailedToStart { reason });
        TaskObservation {
            placed: true,
            instance: self.instance,
            availability_zone: doc.availability_zone.clone(),
            pull_started_at: report.pull_started_at,
            pull_stopped_at: report.pull_stopped_at,
            network: None,
            containers,
            failure,
            released,
            key: self.key.clone(),
        }
    }

    /// Whether an attachment is the task's.
    pub fn has_attachment(&self, id: &str) -> bool {
        self.doc.attachments.iter().flatten().any(|attachment| attachment.id.as_deref() == Some(id))
    }

    /// Takes in what an agent says of an attachment. None if there is nothing new: attachments go forwards only.
    ///
    /// # Errors
    /// `InvalidParameterException` for a status that is none.
    pub fn attachment_reported(&self, id: &str, status: &str) -> Result<Option<Self>, EcsError> {
        const IN_ORDER: [&str; 6] =
            ["PRECREATED", "ATTACHING", "ATTACHED", "DETACHING", "DETACHED", "DELETED"];
        let rank = |status: &str| IN_ORDER.iter().position(|one| *one == status);
        let reached = rank(status).filter(|rank| *rank > 0).ok_or_else(|| {
            let legal = IN_ORDER[1..].join(",");
            EcsError::invalid_parameter(format!(
                "Attachment status '{status}' is invalid. It should be one of [{legal}]"
            ))
        })?;
        let mut task = self.clone();
        let found = task.doc.make_mut().attachments.iter_mut().flatten();
        let Some(attachment) = found.into_iter().find(|attachment| attachment.id.as_deref() == Some(id))
        else {
            return Ok(None);
        };
        if attachment.status.as_deref().and_then(rank).is_some_and(|before| before >= reached) {
            return Ok(None);
        }
        attachment.status = Some(status.to_owned());
        let doc = task.doc.make_mut();
        doc.version = Some(doc.version.unwrap_or(0) + 1);
        Ok(Some(task))
    }
}

/// Reads an attachment as agents name it: its ARN or its id.
///
/// # Errors
/// `InvalidParameterException` for the ARN of something else or of another scope.
pub fn attachment_ref<'a>(scope: &Scope, text: &'a str) -> Result<&'a str, EcsError> {
    let id = match Arn::parse(text) {
        None => text,
        Some(arn) => {
            if arn.service != "ecs" || arn.kind != "attachment" {
                return Err(EcsError::invalid_parameter(format!("Unsupported resource type: {}", arn.kind)));
            }
            arn.within(scope)?;
            arn.rest.rsplit('/').next().unwrap_or(arn.rest)
        }
    };
    if id.is_empty() {
        return Err(EcsError::invalid_parameter("attachmentArn can not be empty."));
    }
    Ok(id)
}
