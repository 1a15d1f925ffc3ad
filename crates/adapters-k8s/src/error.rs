//! Failures of the Kubernetes API, by what the caller can do about them.

use kecs_usecases::ports::PortError;
use kube::core::Status;

/// Why there is no connection to a Kubernetes cluster.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig can't be read, or has no such context.
    #[error("no usable kubeconfig: {0}. Name one with --kubeconfig, and a context of it with --context")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
    /// Neither a kubeconfig nor a service account was found.
    #[error("no Kubernetes cluster is configured: {0}. Name a kubeconfig with --kubeconfig")]
    Infer(#[from] kube::config::InferConfigError),
    /// The cluster doesn't answer.
    #[error("the Kubernetes cluster does not answer: {0}. Is it running, and may this user reach it?")]
    Unreachable(#[source] Box<kube::Error>),
}

/// Sorts a failure of the API.
pub(crate) fn port_error(what: &str, error: &kube::Error) -> PortError {
    match error {
        kube::Error::Api(status) => {
            let message = format!("{what}: {} ({})", status.message, status.code);
            match status.code {
                404 => PortError::not_found(message),
                409 => PortError::conflict(message),
                // A namespace that is being deleted refuses with 403; so does a role that lacks a right, which an
                // administrator can mend while we try again.
                403 | 408 | 429 => PortError::transient(message),
                400 | 405..=407 | 410..=428 | 430..=499 => PortError::permanent(message),
                _ => PortError::transient(message),
            }
        }
        kube::Error::SerdeError(_) | kube::Error::BuildRequest(_) => {
            PortError::permanent(format!("{what}: {error}"))
        }
        _ => PortError::transient(format!("{what}: {error}")),
    }
}

/// Sorts the answer to a task's Pod, or to what that needs. What Kubernetes' own rules refuse (Pod Security, a quota,
/// an admission webhook, a missing right, an illegal value), they refuse the next time too: the task ends, and the
/// server's words are its reason.
pub(crate) fn refusal(what: &str, error: &kube::Error) -> PortError {
    match error {
        kube::Error::Api(status) if matches!(status.code, 400 | 403 | 413 | 422) && !passes(status) => {
            PortError::permanent(status.message.clone())
        }
        // Not that it exists: a quota that others change at the same moment.
        kube::Error::Api(status) if status.code == 409 => {
            PortError::transient(format!("{what}: {}", status.message))
        }
        other => port_error(what, other),
    }
}

/// Whether a refusal is one of a moment: its namespace is on its way out, or so new that it has no service account.
fn passes(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let leaves = causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating");
    leaves || status.message.contains("because it is being terminated") || lacks_account(status)
}

/// Whether the namespace has no service account yet.
pub(crate) fn lacks_account(status: &Status) -> bool {
    status.code == 403 && status.message.contains("error looking up service account")
}

/// Whether the API answered with this HTTP status.
pub(crate) fn is_status(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

/// Whether there is such an object already. Other conflicts have the same HTTP status.
pub(crate) fn already_exists(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409 && status.reason == "AlreadyExists")
}
