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

    /// Takes in what an agent says of a managed agent, such as that of ECS Exec. None if there is nothing new.
    ///
    /// # Errors
    /// `InvalidParameterException` for a status that is none, and for a container that isn't the task's.
    pub fn managed_agent_reported(
        &self,
        change: &model::ManagedAgentStateChange,
        now: Timestamp,
    ) -> Result<Option<Self>, EcsError> {
        if !matches!(change.status.as_str(), "PENDING" | "RUNNING" | "STOPPED") {
            return Err(EcsError::invalid_parameter(format!(
                "Managed agent status '{}' is invalid. It should be one of [PENDING,RUNNING,STOPPED]",
                change.status
            )));
        }
        let mut task = self.clone();
        let mut containers = task.doc.make_mut().containers.iter_mut().flatten();
        let container = containers.find(|container| container.name.as_ref() == Some(&change.container_name));
        let container = container.ok_or_else(|| {
            let name = &change.container_name;
            EcsError::invalid_parameter(format!("Container '{name}' is not a container of the task."))
        })?;
        let agents = container.managed_agents.get_or_insert_default();
        let at = match agents.iter().position(|agent| agent.name == Some(change.managed_agent_name)) {
            Some(at) => at,
            None => {
                let name = Some(change.managed_agent_name);
                agents.push(model::ManagedAgent { name, ..Default::default() });
                agents.len() - 1
            }
        };
        let agent = &mut agents[at];
        let before = agent.clone();
        if change.status == "RUNNING" && agent.last_status.as_deref() != Some("RUNNING") {
            agent.last_started_at = Some(now);
        }
        agent.last_status = Some(change.status.clone());
        agent.reason = change.reason.clone().filter(|reason| !reason.is_empty());
        if *agent == before {
            return Ok(None);
        }
        let doc = task.doc.make_mut();
        doc.version = Some(doc.version.unwrap_or(0) + 1);
        Ok(Some(task))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TaskStopCode;
    use crate::task::TaskStatus;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn definition() -> model::TaskDefinition {
        let container = |name: &str, essential| model::ContainerDefinition {
            name: Some(name.to_owned()),
            essential: Some(essential),
            ..Default::default()
        };
        model::TaskDefinition {
            container_definitions: Some(vec![container("app", true), container("side", false)]),
            ..Default::default()
        }
    }

    fn task() -> Task {
        serde_json::from_value(serde_json::json!({
            "key": {
                "cluster": {"scope": {"account": "123456789012", "region": "eu-central-1"}, "name": "main"},
                "id": "0123456789abcdef0123456789abcdef",
            },
            "doc": {
                "containers": [{"name": "app", "lastStatus": "PENDING"}, {"name": "side", "lastStatus": "PENDING"}],
                "attachments": [{"id": "eni-1", "status": "PRECREATED"}],
                "version": 1,
            },
            "status": "PENDING",
            "desired": "RUNNING",
            "definition": {
                "scope": {"account": "123456789012", "region": "eu-central-1"}, "family": "web", "revision": 1,
            },
            "launch": {},
            "by_agent": true,
        }))
        .unwrap()
    }

    fn of_task(status: &str, reason: &str) -> AgentReport {
        let request = SubmitTaskStateChangeRequest {
            status: Some(status.to_owned()),
            reason: Some(reason.to_owned()),
            ..Default::default()
        };
        AgentReport::of_task(&request).unwrap()
    }

    fn of_container(name: &str, status: &str, exit_code: Option<i32>) -> AgentReport {
        let request = SubmitContainerStateChangeRequest {
            container_name: Some(name.to_owned()),
            status: Some(status.to_owned()),
            exit_code,
            ..Default::default()
        };
        AgentReport::of_container(&request).unwrap()
    }

    fn after(task: &Task, report: &AgentReport, seconds: i64) -> Task {
        task.reported(report, &definition(), at(seconds)).unwrap_or_else(|| task.clone())
    }

    #[test]
    fn a_task_runs_when_each_of_its_containers_does() {
        let one = after(&task(), &of_container("side", "RUNNING", None), 1);
        assert_eq!(one.status, TaskStatus::Pending);
        let both = after(&one, &of_container("app", "RUNNING", None), 2);
        assert_eq!((both.status, both.doc.started_at), (TaskStatus::Running, Some(at(2))));
        assert_eq!(both.reported(&of_task("RUNNING", ""), &definition(), at(3)), None, "that is nothing new");
        assert_eq!(both.reported(&of_container("app", "PENDING", None), &definition(), at(3)), None);
    }

    #[test]
    fn the_end_of_an_essential_container_is_wanted_before_it_is_complete() {
        let running = after(&task(), &of_task("RUNNING", ""), 1);
        let ending = after(&running, &of_container("app", "STOPPED", Some(3)), 2);
        assert_eq!((ending.status, ending.desired), (TaskStatus::Running, DesiredStatus::Stopped));
        assert_eq!(ending.doc.stop_code, Some(TaskStopCode::EssentialContainerExited));
        let ended = after(&ending, &of_task("STOPPED", ""), 3);
        assert_eq!(ended.status, TaskStatus::Stopped);
        let app = &ended.doc.containers.as_ref().unwrap()[0];
        assert_eq!((app.exit_code, app.last_status.as_deref()), (Some(3), Some("STOPPED")));
    }

    #[test]
    fn a_task_that_never_ran_failed_to_start_for_the_agents_reason() {
        let ended = after(&task(), &of_task("STOPPED", "no such image"), 1);
        assert_eq!((ended.status, ended.doc.started_at), (TaskStatus::Stopped, None));
        assert_eq!(ended.doc.stop_code, Some(TaskStopCode::TaskFailedToStart));
        assert_eq!(ended.doc.stopped_reason.as_deref(), Some("no such image"));
    }

    #[test]
    fn attachments_go_forwards_only() {
        let attached = task().attachment_reported("eni-1", "ATTACHED").unwrap().unwrap();
        assert_eq!(attached.attachment_reported("eni-1", "ATTACHING"), Ok(None));
        assert_eq!(attached.attachment_reported("eni-2", "DELETED"), Ok(None));
        assert!(attached.attachment_reported("eni-1", "BROKEN").is_err());
    }

    #[test]
    fn a_managed_agent_is_shown_with_its_container() {
        let change = |status: &str, container: &str| model::ManagedAgentStateChange {
            container_name: container.to_owned(),
            managed_agent_name: model::ManagedAgentName::ExecuteCommandAgent,
            status: status.to_owned(),
            reason: None,
        };
        let told = task().managed_agent_reported(&change("RUNNING", "app"), at(1)).unwrap().unwrap();
        let agent = &told.doc.containers.as_ref().unwrap()[0].managed_agents.as_ref().unwrap()[0];
        assert_eq!((agent.last_status.as_deref(), agent.last_started_at), (Some("RUNNING"), Some(at(1))));
        assert_eq!(told.managed_agent_reported(&change("RUNNING", "app"), at(2)), Ok(None));
        assert!(told.managed_agent_reported(&change("RUNNING", "x"), at(2)).is_err());
        assert!(told.managed_agent_reported(&change("HAPPY", "app"), at(2)).is_err());
    }
}
