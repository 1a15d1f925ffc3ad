//! The operations on task definitions, one per file, and the way in which other operations find one.

mod delete;
mod deregister;
mod describe;
mod list;
mod list_families;
mod register;
pub(crate) mod resolve;

use kecs_domain::EcsError;

use crate::context::retry_conflicts;
use crate::ports::PortErrorKind;
use crate::{Error, Ports, Result};

/// The operations on task definitions.
#[derive(Clone, Copy)]
pub struct TaskDefinitions<'a> {
    ports: &'a Ports,
}

impl<'a> TaskDefinitions<'a> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports }
    }
}

/// `family:x`, where x is no positive number.
pub(crate) fn bad_revision() -> EcsError {
    EcsError::invalid_parameter("Invalid task definition: Invalid revision number.")
}

/// What DescribeTaskDefinition and the operations on tags say of a task definition that isn't there.
pub(crate) fn unable_to_describe() -> EcsError {
    EcsError::client("Unable to describe task definition.")
}

/// Saves the next revision of a family, of task definitions or of daemon task definitions: several at once all get one
/// of their own.
pub(crate) async fn next_revision<T, F, Fut>(save: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    match retry_conflicts(save).await {
        Err(Error::Port(error)) if error.kind == PortErrorKind::Conflict => {
            let message = "Too many concurrent attempts to create a new revision of the specified family.";
            Err(EcsError::client(message).into())
        }
        outcome => outcome,
    }
}
