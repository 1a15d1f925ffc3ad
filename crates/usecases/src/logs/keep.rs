//! Logs of a task that has ended, taken over before its orchestrator lets go of it.

use std::collections::VecDeque;

use futures::StreamExt as _;
use kecs_domain::task::Task;

use crate::context::Ports;
use crate::ports::{KeptLog, LogLine, LogQuery, PortError, PortErrorKind, Versioned};

/// What is kept of a container at most: its last lines, and of these so many bytes.
const LINES: usize = 2_000;
const BYTES: usize = 256 * 1024;

/// Keeps the last lines of a task's containers. Whatever fails here is only said in the log: the task's end, which is
/// stored already, doesn't depend on it.
pub(crate) async fn keep(ports: &Ports, task: &Versioned<Task>) {
    if ports.log_archive.has(&task.key) {
        return;
    }
    let mut logs = Vec::new();
    for container in task.doc.containers.iter().flatten() {
        let Some(name) = container.name.clone() else { continue };
        match last_lines(ports, task, &name).await {
            Ok(lines) if lines.is_empty() => {}
            Ok(lines) => logs.push(KeptLog { container: name, lines: lines.into() }),
            Err(error) if error.kind == PortErrorKind::NotFound => {}
            Err(cause) => {
                // The next container would make us wait for the same.
                tracing::warn!(task = %task.key.id, container = name, %cause, "logs could not be kept");
                break;
            }
        }
    }
    if logs.is_empty() {
        return;
    }
    if let Err(cause) = ports.log_archive.keep(&task.key, logs).await {
        tracing::warn!(task = %task.key.id, %cause, "logs could not be kept");
    }
}

/// The last lines of a container, within the limits.
async fn last_lines(
    ports: &Ports,
    task: &Versioned<Task>,
    container: &str,
) -> Result<VecDeque<LogLine>, PortError> {
    let query = LogQuery {
        task: task.value.clone(),
        container: container.to_owned(),
        follow: false,
        tail: Some(LINES),
        since: None,
    };
    let mut lines = ports.logs.lines(query).await?;
    let mut kept = VecDeque::new();
    let mut bytes = 0;
    while let Some(line) = lines.next().await {
        // What came before a failure is better than nothing.
        let Ok(mut line) = line else { break };
        let end = line.text.floor_char_boundary(BYTES);
        line.text.truncate(end);
        bytes += line.text.len();
        kept.push_back(line);
        while bytes > BYTES || kept.len() > LINES {
            bytes -= kept.pop_front().map_or(bytes, |first| first.text.len());
        }
    }
    Ok(kept)
}
