//! Which Kubernetes is meant: found as kubectl would find it, or from within a Pod; and its name for people.

use std::fmt;

use kube::config::Kubeconfig;

use crate::error::ConnectError;
use crate::options::KubernetesOptions;

/// A Kubernetes, as people know it. Its `Display` is for a question before something is done there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The context of the kubeconfig; None from within a Pod.
    pub context: Option<String>,
    /// The API server's address.
    pub server: String,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.context {
            Some(context) => write!(f, "the context {context} ({})", self.server),
            None => write!(f, "the cluster that kecs runs in ({})", self.server),
        }
    }
}

/// Finds out which Kubernetes the options mean. Asks nobody there.
///
/// # Errors
/// When there is no usable configuration.
pub async fn target(options: &KubernetesOptions) -> Result<Target, ConnectError> {
    let config = options.client_config().await?;
    let file = match &options.kubeconfig {
        Some(path) => Some(Kubeconfig::read_from(path)?),
        // Without a file it is the Pod's own service account that was found.
        None => Kubeconfig::read().ok(),
    };
    let current = file.and_then(|file| file.current_context).filter(|name| !name.is_empty());
    Ok(Target { context: options.context.clone().or(current), server: config.cluster_url.to_string() })
}
