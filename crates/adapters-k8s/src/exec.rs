//! Commands inside of containers: the Pod's exec subresource, with a terminal.

use futures::channel::mpsc;
use futures::stream::{self, BoxStream, FuturesUnordered, StreamExt as _, select};
use futures::{FutureExt as _, SinkExt as _, future};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kecs_usecases::ports::{Exec, Input, Output, PortError, PortErrorKind, Process};
use kube::api::{Api, AttachParams, AttachedProcess, TerminalSize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::error::port_error;
use crate::names::dns_label;

/// How many keystrokes may wait.
const INPUT: usize = 64;
/// How much is read at a time.
const PIECE: usize = 4096;

/// Starts a command.
///
/// # Errors
/// When the Pod or the API refuses.
pub(crate) async fn start(api: &Api<Pod>, pod: &str, exec: &Exec) -> Result<Process, PortError> {
    let parameters = AttachParams::interactive_tty().container(dns_label(&exec.container));
    let attached = api.exec(pod, exec.command.iter().map(String::as_str), &parameters).await;
    let mut attached = attached.map_err(|error| {
        let error = port_error("running a command in a Pod", &error);
        // What the API says of its own business isn't for the user; of the command it says nothing here.
        if error.kind == PortErrorKind::Permanent { PortError::transient(error.message) } else { error }
    })?;
    let (input, keys) = mpsc::channel(INPUT);
    // Driven by whoever reads, and of no output itself.
    let typing: FuturesUnordered<_> = std::iter::once(typing(&mut attached, keys)).collect();
    let typing = typing.filter_map(|()| future::ready(None));
    let output = output(attached);
    Ok(Process { input, output: select(output, typing).take_until_last().boxed() })
}

/// Writes what is typed, until the command takes no more.
fn typing(attached: &mut AttachedProcess, mut keys: mpsc::Receiver<Input>) -> future::BoxFuture<'static, ()> {
    let (stdin, sizes) = (attached.stdin(), attached.terminal_size());
    async move {
        let (Some(mut stdin), Some(mut sizes)) = (stdin, sizes) else { return };
        while let Some(input) = keys.next().await {
            let written = match input {
                Input::Data(bytes) => stdin.write_all(&bytes).await.is_ok(),
                Input::Resize(size) => {
                    let size = TerminalSize { width: size.columns, height: size.rows };
                    sizes.send(size).await.is_ok()
                }
            };
            if !written {
                return;
            }
        }
    }
    .boxed()
}

/// What the command writes, then how it ended.
fn output(mut attached: AttachedProcess) -> BoxStream<'static, Output> {
    let (stdout, status) = (attached.stdout(), attached.take_status());
    let state = stdout.zip(status).map(|(stdout, status)| (attached, stdout, status));
    stream::unfold(state, |state| async move {
        let (attached, mut stdout, status) = state?;
        let mut piece = vec![0; PIECE];
        match stdout.read(&mut piece).await {
            Ok(length @ 1..) => {
                piece.truncate(length);
                Some((Output::Data(piece), Some((attached, stdout, status))))
            }
            Ok(0) | Err(_) => Some((end(status.await.as_ref()), None)),
        }
    })
    .boxed()
}

/// How a command ended.
fn end(status: Option<&Status>) -> Output {
    let lost = || Output::Failed("The connection to the container was lost.".to_owned());
    let Some(status) = status else { return lost() };
    if status.status.as_deref() == Some("Success") {
        return Output::Exited(0);
    }
    let causes = status.details.iter().flat_map(|details| details.causes.iter().flatten());
    let mut codes = causes.filter(|cause| cause.reason.as_deref() == Some("ExitCode"));
    let code = codes.find_map(|cause| cause.message.as_deref()?.parse().ok());
    match (code, &status.message) {
        (Some(code), _) => Output::Exited(code),
        // The runtime's words: mostly that there is no such program.
        (None, Some(message)) => {
            Output::Failed(format!("----------ERROR-------\nUnable to start command: {message}"))
        }
        (None, None) => lost(),
    }
}

/// Ends a stream after what is always the last of a command.
trait UntilLast {
    fn take_until_last(self) -> impl futures::Stream<Item = Output> + Send + 'static;
}

impl<S: futures::Stream<Item = Output> + Send + Unpin + 'static> UntilLast for S {
    fn take_until_last(self) -> impl futures::Stream<Item = Output> + Send + 'static {
        stream::unfold(Some(self), |state| async move {
            let mut stream = state?;
            let item = stream.next().await?;
            let goes_on = matches!(item, Output::Data(_));
            Some((item, goes_on.then_some(stream)))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ended(json: serde_json::Value) -> Output {
        end(Some(&serde_json::from_value(json).unwrap()))
    }

    #[test]
    fn the_status_tells_the_exit_code() {
        assert_eq!(ended(json!({"status": "Success"})), Output::Exited(0));
        // As a kubelet says it.
        let failed = json!({
            "status": "Failure", "reason": "NonZeroExitCode",
            "message": "command terminated with non-zero exit code: exit status 3",
            "details": {"causes": [{"reason": "ExitCode", "message": "3"}]},
        });
        assert_eq!(ended(failed), Output::Exited(3));
    }

    #[test]
    fn what_could_not_be_run_and_what_was_lost_is_told() {
        let missing = json!({
            "status": "Failure", "reason": "InternalError",
            "message": "exec: \"nope\": executable file not found in $PATH",
        });
        let Output::Failed(told) = ended(missing) else { panic!("it ran") };
        assert!(told.contains("executable file not found"), "{told}");
        assert!(matches!(end(None), Output::Failed(_)));
        assert!(matches!(ended(json!({"status": "Failure"})), Output::Failed(_)));
    }
}
