//! Commands that are run inside of a task's containers, with a terminal.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::channel::mpsc;
use futures::stream::BoxStream;
use kecs_domain::task::Task;
use kecs_domain::task_definition::TaskDefinition;

use super::{PortError, PortErrorKind};

/// A command to be run.
#[derive(Clone)]
pub struct Exec {
    /// The task.
    pub task: Arc<Task>,
    /// What it is made of.
    pub definition: Arc<TaskDefinition>,
    /// The container's name in the task definition.
    pub container: String,
    /// The program and its arguments. Never empty.
    pub command: Vec<String>,
}

/// The command may hold a password: it is never shown.
impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exec")
            .field("task", &self.task.key)
            .field("container", &self.container)
            .field("command", &"***")
            .finish_non_exhaustive()
    }
}

/// A terminal's size in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalSize {
    /// Characters in a line.
    pub columns: u16,
    /// Lines.
    pub rows: u16,
}

/// What goes into a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Keys that were pressed.
    Data(Vec<u8>),
    /// The terminal has another size now.
    Resize(TerminalSize),
}

/// What comes out of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// What it wrote: a terminal has one stream for output and errors.
    Data(Vec<u8>),
    /// It ended with this exit code. The last that comes out.
    Exited(i32),
    /// It could not be run, or was lost. For the caller's eyes; the last that comes out.
    Failed(String),
}

/// A running command. Dropping it MUST end it.
pub struct Process {
    /// Takes what goes in. It is bounded: a command that doesn't read makes its writer wait. Ends without an error
    /// being raised when the command has ended.
    pub input: mpsc::Sender<Input>,
    /// Yields what comes out. Nothing is produced faster than it is taken, and nothing is lost.
    pub output: BoxStream<'static, Output>,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").finish_non_exhaustive()
    }
}

/// Runs commands inside of containers.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait Shell: Send + Sync {
    /// Whether a command could be run in the container now. MUST be quick: a request waits for it.
    ///
    /// # Errors
    /// When that can't be found out.
    async fn is_connected(&self, task: &Task, container: &str) -> Result<bool, PortError>;

    /// Starts a command in a terminal of its own. MUST end it when the container ends. A program that can't be run
    /// MAY be told as [`Output::Failed`].
    ///
    /// # Errors
    /// `NotFound` when the container isn't there, `Permanent` for a program that can't be run (its message is shown
    /// to the caller), else `Transient`.
    async fn start(&self, exec: Exec) -> Result<Process, PortError>;
}

/// No shell at all: for those who embed the use cases without ECS Exec.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoShell;

#[async_trait]
impl Shell for NoShell {
    async fn is_connected(&self, _: &Task, _: &str) -> Result<bool, PortError> {
        Ok(false)
    }

    async fn start(&self, _: Exec) -> Result<Process, PortError> {
        Err(PortError::new(PortErrorKind::NotFound, "commands can't be run here"))
    }
}
