//! Logs of containers: the Pod's log subresource, line by line.

use std::time::Duration;

use async_trait::async_trait;
use futures::io::{AsyncBufRead, AsyncBufReadExt as _};
use futures::stream::{self, StreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff;
use kecs_domain::Timestamp;
use kecs_usecases::ports::{LogLine, LogLines, LogQuery, Logs, PortError};
use kube::api::{Api, LogParams};
use tokio::time::timeout;

use crate::error::{is_status, port_error};
use crate::names::dns_label;
use crate::orchestrator::KubernetesOrchestrator;

/// How long the API may take to begin, and between two lines that are there already. A node that doesn't answer must not
/// keep anybody: the logs of an ended task are read before it is let go of.
const PATIENCE: Duration = Duration::from_secs(5);

#[async_trait]
impl Logs for KubernetesOrchestrator {
    async fn lines(&self, query: LogQuery) -> Result<LogLines, PortError> {
        let Some((api, pod)) = self.find(&query.task.key).await? else {
            return Err(PortError::not_found("the task's Pod is gone"));
        };
        lines(&api, &pod, &query).await
    }
}

/// The lines of a container of the Pod.
async fn lines(api: &Api<Pod>, pod: &str, query: &LogQuery) -> Result<LogLines, PortError> {
    let parameters = LogParams {
        container: Some(dns_label(&query.container)),
        follow: query.follow,
        tail_lines: query.tail.map(|lines| i64::try_from(lines).unwrap_or(i64::MAX)),
        since_time: query.since.map(jiff::Timestamp::from),
        timestamps: true,
        ..LogParams::default()
    };
    let opened = timeout(PATIENCE, api.log_stream(pod, &parameters)).await;
    let opened = opened.map_err(|_| PortError::transient("the node does not give its logs out"))?;
    let reader = opened.map_err(|error| {
        // So the API says that the container hasn't started, or that there is no such container.
        if is_status(&error, 400) || is_status(&error, 404) {
            PortError::not_found(format!("reading logs: {error}"))
        } else {
            port_error("reading logs", &error)
        }
    })?;
    let (since, follow) = (query.since, query.follow);
    let lines = stream::unfold(Some(Box::pin(reader)), move |reader| async move {
        let mut reader = reader?;
        match next(&mut reader, follow).await {
            Ok(Some(line)) => Some((Ok(line), Some(reader))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    // The API knows whole seconds only.
    let wanted = move |line: &Result<LogLine, PortError>| match (line, since) {
        (Ok(line), Some(since)) => line.at >= since,
        _ => true,
    };
    Ok(lines.filter(move |line| std::future::ready(wanted(line))).boxed())
}

async fn next(reader: &mut (impl AsyncBufRead + Unpin), follow: bool) -> Result<Option<LogLine>, PortError> {
    let mut bytes = Vec::new();
    let read = reader.read_until(b'\n', &mut bytes);
    let read = if follow {
        read.await
    } else {
        timeout(PATIENCE, read).await.map_err(|_| PortError::transient("the logs stopped coming"))?
    };
    match read {
        Ok(0) => Ok(None),
        Ok(_) => Ok(Some(line(&bytes))),
        Err(error) => Err(PortError::transient(format!("reading logs: {error}"))),
    }
}

/// `2026-03-01T10:15:30.123456789Z what the container wrote`
fn line(bytes: &[u8]) -> LogLine {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let (time, rest) = text.split_once(' ').unwrap_or((text, ""));
    match time.parse::<jiff::Timestamp>() {
        Ok(at) => LogLine { at: Timestamp::from(at), text: rest.to_owned() },
        // The node says something of its own, about a log that it can't read.
        Err(_) => LogLine { at: Timestamp::MIN, text: text.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_its_time_and_its_text() {
        let read = line(b"2026-03-01T10:15:30.123456789Z  two  spaces\n");
        assert_eq!(read.text, " two  spaces");
        assert_eq!(read.at.as_millis(), 1_772_360_130_123);
        assert_eq!(line(b"2026-03-01T10:15:30Z \n").text, "");
        assert_eq!(line(b"2026-03-01T10:15:30Z \xff").text, "\u{fffd}");
        assert_eq!(line(b"unable to retrieve container logs").text, "unable to retrieve container logs");
    }
}
