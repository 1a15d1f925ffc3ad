//! Finding the task definition that a task or a service is to be made of.

use kecs_domain::arn::{BadTaskDefinitionRef, TaskDefinitionKey, TaskDefinitionRef, task_definition_ref};
use kecs_domain::task_definition::{TaskDefinition, TaskDefinitionState};
use kecs_domain::{EcsError, ErrorCode, Scope};

use super::bad_revision;
use crate::ports::Versioned;
use crate::{Ports, Result};

/// Which states pass, and the exception for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accept {
    /// ACTIVE ones; `InvalidParameterException` for others. (RunTask, StartTask)
    Active,
    /// ACTIVE ones; `ClientException` for others. (CreateService, UpdateService)
    ActiveForService,
    /// All: what runs already goes on.
    Any,
}

/// The task definition that `text` names: `family` (its newest ACTIVE revision), `family:revision`, or its ARN.
///
/// # Errors
/// `InvalidParameterException` for a revision that is no number, `ClientException` for one that isn't there, and
/// those of [`Accept`].
pub(crate) async fn resolve(
    ports: &Ports,
    scope: &Scope,
    text: &str,
    accept: Accept,
) -> Result<Versioned<TaskDefinition>> {
    let not_found = || EcsError::client("TaskDefinition not found.");
    if text.is_empty() {
        return Err(EcsError::invalid_parameter("Family should not be null or empty.").into());
    }
    let named = task_definition_ref(scope, text).map_err(|bad| match bad {
        BadTaskDefinitionRef::Revision => bad_revision(),
        BadTaskDefinitionRef::Family if text.contains("arn:") => not_found(),
        BadTaskDefinitionRef::Family => EcsError::client("Family contains invalid characters."),
    })?;
    let found = lookup(ports, scope, named).await?.ok_or_else(not_found)?;
    let code = match (accept, found.state) {
        (Accept::Any, _) | (_, TaskDefinitionState::Active) => return Ok(found),
        (Accept::Active, _) => ErrorCode::InvalidParameter,
        (Accept::ActiveForService, _) => ErrorCode::Client,
    };
    let deleting = found.state == TaskDefinitionState::DeleteInProgress;
    let message = if deleting { "TaskDefinition is being deleted" } else { "TaskDefinition is inactive" };
    Err(EcsError::new(code, message).into())
}

/// The revision that is named, or else the newest ACTIVE one.
pub(super) async fn lookup(
    ports: &Ports,
    scope: &Scope,
    named: TaskDefinitionRef,
) -> Result<Option<Versioned<TaskDefinition>>> {
    let TaskDefinitionRef { family, revision } = named;
    let store = &ports.task_definitions;
    Ok(match revision {
        Some(revision) => {
            store.task_definition(&TaskDefinitionKey { scope: scope.clone(), family, revision }).await?
        }
        None => store.latest_active(&(scope.clone(), family)).await?,
    })
}
