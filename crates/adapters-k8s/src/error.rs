//! Failures of the Kubernetes API, by what the caller can do about them.

use kecs_usecases::ports::PortError;

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
    let message = format!("{what}: {error}");
    match error {
        kube::Error::Api(status) => match status.code {
            404 => PortError::not_found(message),
            409 => PortError::conflict(message),
            // A namespace that is being deleted refuses with 403; so does a role that lacks a right, which an
            // administrator can mend while we try again.
            403 | 408 | 429 => PortError::transient(message),
            400 | 405..=407 | 410..=428 | 430..=499 => PortError::permanent(message),
            _ => PortError::transient(message),
        },
        kube::Error::SerdeError(_) | kube::Error::BuildRequest(_) => PortError::permanent(message),
        _ => PortError::transient(message),
    }
}

/// Whether the API answered with this HTTP status.
pub(crate) fn is_status(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}
