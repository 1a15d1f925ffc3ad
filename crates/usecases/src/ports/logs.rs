//! What containers write to their standard output and error.

use async_trait::async_trait;
use futures::stream::BoxStream;
use kecs_domain::Timestamp;
use kecs_domain::arn::TaskKey;
use std::sync::Arc;

use kecs_domain::task::Task;

use super::PortError;

/// Which lines of which container.
#[derive(Clone, Debug)]
pub struct LogQuery {
    /// The task.
    pub task: Arc<Task>,
    /// The container's name in the task definition.
    pub container: String,
    /// Whether to go on with what the container is yet to write.
    pub follow: bool,
    /// Only so many lines of what is there, the last ones.
    pub tail: Option<usize>,
    /// Only lines that were written at this time or later.
    pub since: Option<Timestamp>,
}

/// A line, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written.
    pub at: Timestamp,
    /// What was written. What is not UTF-8 was replaced.
    pub text: String,
}

/// Lines in the order in which they were written. A failure is the last that comes.
pub type LogLines = BoxStream<'static, Result<LogLine, PortError>>;

/// Reads what containers write.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait Logs: Send + Sync {
    /// The lines of a container that runs, or that has ended and whose task was not let go of yet. They MUST come in
    /// their order. Without `follow` they MUST end by themselves, and soon; with it, when the container has ended.
    /// Nothing is produced faster than it is taken.
    ///
    /// # Errors
    /// `NotFound` when there is no such container, or when it hasn't started.
    async fn lines(&self, query: LogQuery) -> Result<LogLines, PortError>;
}

/// What one container wrote, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLog {
    /// The container's name.
    pub container: String,
    /// Its last lines.
    pub lines: Vec<LogLine>,
}

/// Keeps what containers wrote when the orchestrator has let go of their task. It MAY lose anything: logs are worth
/// less than the tasks, and nothing waits for them.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait LogArchive: Send + Sync {
    /// Whether logs of this task are kept, or should not be. MUST be quick and without I/O.
    fn has(&self, task: &TaskKey) -> bool;

    /// Keeps the logs of a task, in the place of those that were kept of it. It MUST bound what it keeps in all.
    async fn keep(&self, task: &TaskKey, logs: Vec<KeptLog>) -> Result<(), PortError>;

    /// The lines of a container, if they are kept.
    async fn kept(&self, task: &TaskKey, container: &str) -> Result<Option<Vec<LogLine>>, PortError>;

    /// Drops what is kept of a task. MUST be idempotent.
    async fn drop_task(&self, task: &TaskKey) -> Result<(), PortError>;
}

/// No logs at all: for those who embed the use cases without them.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLogs;

#[async_trait]
impl Logs for NoLogs {
    async fn lines(&self, _: LogQuery) -> Result<LogLines, PortError> {
        Err(PortError::not_found("logs are not read here"))
    }
}

#[async_trait]
impl LogArchive for NoLogs {
    fn has(&self, _: &TaskKey) -> bool {
        // So that nothing is read that nobody keeps.
        true
    }

    async fn keep(&self, _: &TaskKey, _: Vec<KeptLog>) -> Result<(), PortError> {
        Ok(())
    }

    async fn kept(&self, _: &TaskKey, _: &str) -> Result<Option<Vec<LogLine>>, PortError> {
        Ok(None)
    }

    async fn drop_task(&self, _: &TaskKey) -> Result<(), PortError> {
        Ok(())
    }
}
