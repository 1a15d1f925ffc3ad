//! ECS Exec: which container of a task a command may run in, and what the managed agent shows of that.

mod command;

pub use command::{Unbalanced, split};

use crate::error::EcsError;
use crate::generated as model;
use crate::model::ManagedAgentName;
use crate::task::{Task, TaskStatus};

/// Why an agent has stopped. (ECS agent, task manager)
const CONTAINER_STOPPED: &str = "Received Container Stopped event";

/// The agent of a container that was just made.
pub(crate) fn new_agent() -> model::ManagedAgent {
    model::ManagedAgent {
        name: Some(ManagedAgentName::ExecuteCommandAgent),
        last_status: Some("PENDING".to_owned()),
        ..Default::default()
    }
}

/// Lets the agents of a container follow it: they start with it and end with it, and never before.
pub(crate) fn follow(container: &mut model::Container, started_at: Option<crate::Timestamp>) {
    let Some(status) = container.last_status.as_deref() else { return };
    let stopped = status == "STOPPED";
    for agent in container.managed_agents.iter_mut().flatten() {
        if agent.last_status.as_deref() == Some(status) {
            continue;
        }
        agent.last_status = Some(status.to_owned());
        if stopped {
            agent.reason = Some(CONTAINER_STOPPED.to_owned());
        } else {
            agent.last_started_at = agent.last_started_at.or(started_at);
        }
    }
}

/// The container that a command is to run in.
///
/// # Errors
/// `InvalidParameterException`, in ECS's words where these are known: the task or the container doesn't run, ECS Exec
/// was not enabled, the name is missing or is no container's.
pub fn target<'a>(task: &'a Task, named: Option<&str>) -> Result<&'a model::Container, EcsError> {
    let enabled = task.doc.enable_execute_command == Some(true);
    if !enabled || task.status != TaskStatus::Running {
        return Err(not_enabled());
    }
    let containers = task.doc.containers.as_deref().unwrap_or_default();
    let container = match named.filter(|name| !name.is_empty()) {
        Some(name) => containers.iter().find(|one| one.name.as_deref() == Some(name)).ok_or_else(|| {
            EcsError::invalid_parameter(format!("The container {name} does not exist in the task."))
        })?,
        None => match containers {
            [only] => only,
            _ => {
                return Err(EcsError::invalid_parameter(
                    "Container name must be specified when the task has more than one container.",
                ));
            }
        },
    };
    let agents = container.managed_agents.iter().flatten();
    let runs = |agent: &model::ManagedAgent| {
        agent.name == Some(ManagedAgentName::ExecuteCommandAgent)
            && agent.last_status.as_deref() == Some("RUNNING")
    };
    if container.last_status.as_deref() != Some("RUNNING") || !agents.into_iter().any(runs) {
        return Err(not_enabled());
    }
    Ok(container)
}

/// ECS says the same of a task that was started without ECS Exec, of a container that doesn't run and of an agent that
/// doesn't. (recorded)
fn not_enabled() -> EcsError {
    EcsError::invalid_parameter(
        "The execute command failed because execute command was not enabled when the task was run or the \
         execute command agent isn’t running. Wait and try again or run a new task with execute command \
         enabled and try again.",
    )
}

/// ECS's word for an agent that should be there and doesn't answer. (recorded)
pub fn not_connected() -> EcsError {
    EcsError::new(
        crate::ErrorCode::TargetNotConnected,
        "The execute command failed due to an internal error. Try again later.",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Timestamp;

    fn task(enabled: bool, status: &str, containers: &[(&str, &str)]) -> Task {
        let scope = json!({"account": "123456789012", "region": "eu-central-1"});
        let agent = |status: &str| json!({"name": "ExecuteCommandAgent", "lastStatus": status});
        let containers: Vec<_> = containers
            .iter()
            .map(|(name, status)| {
                json!({"name": name, "lastStatus": status, "managedAgents": [agent(status)]})
            })
            .collect();
        serde_json::from_value(json!({
            "key": {"cluster": {"scope": scope, "name": "main"}, "id": "0123456789abcdef0123456789abcdef"},
            "doc": {"enableExecuteCommand": enabled, "containers": containers},
            "status": status,
            "desired": "RUNNING",
            "definition": {"scope": scope, "family": "web", "revision": 1},
            "launch": {},
        }))
        .unwrap()
    }

    #[test]
    fn the_only_container_needs_no_name() {
        let task = task(true, "RUNNING", &[("web", "RUNNING")]);
        for named in [None, Some(""), Some("web")] {
            assert_eq!(target(&task, named).unwrap().name.as_deref(), Some("web"));
        }
        assert!(target(&task, Some("other")).unwrap_err().message.contains("other"));
    }

    #[test]
    fn one_of_several_must_be_named() {
        let task = task(true, "RUNNING", &[("web", "RUNNING"), ("log", "STOPPED")]);
        assert!(target(&task, None).unwrap_err().message.starts_with("Container name must be specified"));
        assert_eq!(target(&task, Some("web")).unwrap().name.as_deref(), Some("web"));
        assert_eq!(target(&task, Some("log")).unwrap_err(), not_enabled());
    }

    #[test]
    fn what_is_off_or_does_not_run_is_refused_alike() {
        for task in [
            task(false, "RUNNING", &[("web", "RUNNING")]),
            task(true, "PENDING", &[("web", "PENDING")]),
            task(true, "STOPPED", &[("web", "STOPPED")]),
            task(true, "DEACTIVATING", &[("web", "RUNNING")]),
        ] {
            assert_eq!(target(&task, Some("web")).unwrap_err(), not_enabled());
        }
        assert!(not_enabled().message.contains("isn’t running"), "the apostrophe is ECS's");
    }

    #[test]
    fn an_agent_follows_its_container_and_keeps_the_time_of_its_start() {
        let mut container = model::Container {
            last_status: Some("PENDING".to_owned()),
            managed_agents: Some(vec![new_agent()]),
            ..Default::default()
        };
        let shown = |container: &model::Container| {
            let agent = &container.managed_agents.as_ref().unwrap()[0];
            (agent.last_status.clone().unwrap(), agent.last_started_at, agent.reason.is_some())
        };
        follow(&mut container, None);
        assert_eq!(shown(&container), ("PENDING".to_owned(), None, false));
        let started = Some(Timestamp::from_millis(1000));
        container.last_status = Some("RUNNING".to_owned());
        follow(&mut container, started);
        assert_eq!(shown(&container), ("RUNNING".to_owned(), started, false));
        container.last_status = Some("STOPPED".to_owned());
        follow(&mut container, None);
        assert_eq!(shown(&container), ("STOPPED".to_owned(), started, true));
    }
}
