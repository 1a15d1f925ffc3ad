//! The opening of a promised session: the token is looked at, and the command starts.

use kecs_domain::{Timestamp, exec};

use super::{Execs, Ticket};
use crate::ports::{Exec, PortError, PortErrorKind, Process};

/// Why a command didn't start. Its message is for whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotStarted(pub String);

impl Execs<'_> {
    /// Takes the session that was promised under this id and token. None if there is none, if it was taken before or
    /// waited too long.
    pub fn redeem(&self, id: &str, token: &str) -> Option<Ticket> {
        self.ports.exec_sessions.redeem(self.now(), id, token)
    }

    /// Starts what the ticket is for.
    ///
    /// # Errors
    /// When the task has ended meanwhile, when the command is no command, and when it can't be run.
    pub async fn start(&self, ticket: &Ticket) -> Result<Process, NotStarted> {
        let unavailable = |cause: PortError| {
            tracing::warn!(task = %ticket.task.id, container = ticket.container, %cause, "a command was not started");
            NotStarted(exec::not_connected().message)
        };
        let keys = std::slice::from_ref(&ticket.task);
        let task = self.ports.tasks.tasks(keys).await.map_err(unavailable)?.pop().flatten();
        let task = task.ok_or_else(|| NotStarted("The referenced task was not found.".to_owned()))?;
        exec::target(&task, Some(&ticket.container)).map_err(|error| NotStarted(error.message))?;
        let definition = self.ports.task_definitions.task_definition(&task.definition).await;
        let Some(definition) = definition.map_err(unavailable)? else {
            return Err(NotStarted("The task's task definition is gone".to_owned()));
        };
        let command = match exec::split(&ticket.command) {
            Ok(command) if !command.is_empty() => command,
            Ok(_) => return Err(cannot_run("the command is empty")),
            Err(error) => return Err(cannot_run(&error.to_string())),
        };
        let exec = Exec {
            task: task.value,
            definition: definition.value,
            container: ticket.container.clone(),
            command,
        };
        self.ports.shell.start(exec).await.map_err(|cause| match cause.kind {
            PortErrorKind::Permanent => cannot_run(&cause.message),
            _ => unavailable(cause),
        })
    }

    /// Now, for those who keep a session open.
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }
}

/// In the words of ECS's own agent.
fn cannot_run(why: &str) -> NotStarted {
    NotStarted(format!("----------ERROR-------\nUnable to start command: {why}"))
}
