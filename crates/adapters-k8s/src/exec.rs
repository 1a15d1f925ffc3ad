//! Commands inside of containers: the Pod's exec subresource, with a terminal.

use std::time::Duration;

use futures::channel::mpsc;
use futures::stream::{self, StreamExt as _};
use futures::{SinkExt as _, future};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kecs_usecases::ports::{Exec, Input, Output, PortError, PortErrorKind, Process};
use kube::api::{Api, AttachParams, AttachedProcess, TerminalSize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::error::port_error;
use crate::names::dns_label;

/// How many keystrokes may wait.
const INPUT: usize = 64;
/// How much is read at a time.
const PIECE: usize = 4096;

/// Keys that nobody pressed: interrupt and end of file, for a command that is left alone. Kubernetes has no way to end
/// one, and a closed connection tells it nothing.
const HANG_UP: &[u8] = b"\x03\x04";
/// How long a command may take to end on its own then.
const GRACE: Duration = Duration::from_secs(2);

/// Starts a command.
///
/// # Errors
/// When the Pod or the API refuses.
pub(crate) async fn start(api: &Api<Pod>, pod: &str, exec: &Exec) -> Result<Process, PortError> {
    let parameters = AttachParams::interactive_tty().container(dns_label(&exec.container));
    let attached = api.exec(pod, exec.command.iter().map(String::as_str), &parameters).await;
    let attached = attached.map_err(|error| {
        let error = port_error("running a command in a Pod", &error);
        // What the API says of its own business isn't for the user; of the command it says nothing here.
        if error.kind == PortErrorKind::Permanent { PortError::transient(error.message) } else { error }
    })?;
    let (input, keys) = mpsc::channel(INPUT);
    // No more than a piece is read before it is wanted.
    let (tell, told) = tokio::sync::mpsc::channel(1);
    // A task of its own: it has something to do when the session is gone, too.
    tokio::spawn(attend(attached, keys, tell));
    let output = stream::unfold(told, |mut told| async move { told.recv().await.map(|one| (one, told)) });
    Ok(Process { input, output: output.boxed() })
}

/// Types what is typed and tells what comes out, until the command has ended or nobody listens any more.
async fn attend(
    mut attached: AttachedProcess,
    mut keys: mpsc::Receiver<Input>,
    tell: tokio::sync::mpsc::Sender<Output>,
) {
    let streams = (attached.stdin(), attached.stdout(), attached.terminal_size(), attached.take_status());
    let (Some(mut stdin), Some(mut stdout), Some(mut sizes), Some(status)) = streams else { return };
    let typing = async {
        while let Some(input) = keys.next().await {
            let written = match input {
                Input::Data(bytes) => stdin.write_all(&bytes).await.is_ok(),
                Input::Resize(size) => {
                    let size = TerminalSize { width: size.columns, height: size.rows };
                    sizes.send(size).await.is_ok()
                }
            };
            if !written {
                break;
            }
        }
        // How the command ends is told by its output.
        future::pending::<()>().await;
    };
    let reading = async {
        loop {
            let mut piece = vec![0; PIECE];
            match stdout.read(&mut piece).await {
                Ok(length @ 1..) => {
                    piece.truncate(length);
                    if tell.send(Output::Data(piece)).await.is_err() {
                        return false;
                    }
                }
                Ok(0) | Err(_) => break,
            }
        }
        let _ = tell.send(end(status.await.as_ref())).await;
        true
    };
    let ended = tokio::select! {
        () = typing => false,
        ended = reading => ended,
        () = tell.closed() => false,
    };
    if !ended {
        let last = async {
            let mut rest = vec![0; PIECE];
            let _ = stdin.write_all(HANG_UP).await;
            // What it still says has to be taken, or it could not go on to its end.
            while matches!(stdout.read(&mut rest).await, Ok(1..)) {}
        };
        let _ = timeout(GRACE, last).await;
    }
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
