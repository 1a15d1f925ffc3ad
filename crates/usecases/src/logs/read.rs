//! Reading logs: of what runs from the orchestrator, of what has ended from the archive.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use kecs_domain::EcsError;
use kecs_domain::arn::task_ref;
use kecs_domain::model;
use kecs_domain::task::{Task, TaskStatus};

use super::ContainerLogs;
use crate::context::{Context, Result};
use crate::ports::{LogLine, LogLines, LogQuery, PortErrorKind};
use crate::task::existing_cluster;

/// Whose logs, and how much of them.
#[derive(Clone, Debug, Default)]
pub struct LogRequest {
    /// The cluster's name or ARN; `default` without.
    pub cluster: Option<String>,
    /// The task's id or ARN.
    pub task: String,
    /// The container's name. A task of one container needs none.
    pub container: Option<String>,
    /// Whether to go on with what the container is yet to write.
    pub follow: bool,
    /// Only the last lines.
    pub tail: Option<usize>,
    /// Only what was written within this time.
    pub since: Option<Duration>,
}

impl ContainerLogs<'_> {
    /// The lines of a container.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for a task or container that isn't there, for a missing
    /// name where there are several, and where there are no logs.
    pub async fn read(&self, ctx: &Context, request: LogRequest) -> Result<LogLines> {
        let cluster = existing_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
        let key = task_ref(&cluster, &request.task)?;
        let found = self.ports.tasks.tasks(std::slice::from_ref(&key)).await?.pop().flatten();
        let task = found.ok_or_else(|| EcsError::invalid_parameter("The referenced task was not found."))?;
        let container = container(&task, request.container.as_deref())?;
        let since = request.since.map(|since| self.ports.clock.now().saturating_sub(since));
        // Once a task has ended, its logs are kept before its orchestrator lets go of it.
        if task.status == TaskStatus::Stopped
            && let Some(lines) = self.ports.log_archive.kept(&key, &container).await?
        {
            let mut lines: Vec<LogLine> =
                lines.into_iter().filter(|line| since.is_none_or(|since| line.at >= since)).collect();
            let more = lines.len().saturating_sub(request.tail.unwrap_or(usize::MAX));
            lines.drain(..more);
            return Ok(stream::iter(lines.into_iter().map(Ok)).boxed());
        }
        let query = LogQuery {
            task: task.value.clone(),
            container: container.clone(),
            follow: request.follow,
            tail: request.tail,
            since,
        };
        match self.ports.logs.lines(query).await {
            Ok(lines) => Ok(lines),
            Err(error) if error.kind == PortErrorKind::NotFound => {
                tracing::debug!(task = %key.id, container, cause = %error, "there are no logs");
                Err(EcsError::invalid_parameter(match task.status {
                    TaskStatus::Stopped => format!("No logs of the container {container} are kept."),
                    _ => format!("The container {container} has no logs: it has not started."),
                })
                .into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The container that is meant.
fn container(task: &Task, named: Option<&str>) -> Result<String> {
    let all: Vec<&str> = task
        .doc
        .containers
        .iter()
        .flatten()
        .filter_map(|one: &model::Container| one.name.as_deref())
        .collect();
    match (named.filter(|name| !name.is_empty()), &all[..]) {
        (Some(name), all) if all.contains(&name) => Ok(name.to_owned()),
        (Some(name), all) => Err(EcsError::invalid_parameter(format!(
            "The container {name} does not exist in the task. It has {}.",
            all.join(", ")
        ))
        .into()),
        (None, [only]) => Ok((*only).to_owned()),
        (None, all) => Err(EcsError::invalid_parameter(format!(
            "Container name must be specified when the task has more than one container. It has {}.",
            all.join(", ")
        ))
        .into()),
    }
}
