//! How Kubernetes is reached, and what the one that is reached can do.

use std::path::PathBuf;

use k8s_openapi::apimachinery::pkg::version::Info;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};

use crate::error::ConnectError;
use crate::names::DEFAULT_INSTALLATION;
use crate::translate::{Offer, StorageClasses};

/// How Kubernetes is reached.
#[derive(Clone, Debug)]
pub struct KubernetesOptions {
    /// The kubeconfig file; without one, as kubectl would find it, or the Pod's own service account.
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig; without one, its current one.
    pub context: Option<String>,
    /// Two installations with different names share a Kubernetes without seeing each other's objects.
    pub installation: String,
    /// The storage classes of volumes.
    pub storage: StorageClasses,
}

impl Default for KubernetesOptions {
    fn default() -> Self {
        Self {
            kubeconfig: None,
            context: None,
            installation: DEFAULT_INSTALLATION.to_owned(),
            storage: StorageClasses::default(),
        }
    }
}

impl KubernetesOptions {
    /// The configuration of the client.
    pub(crate) async fn client_config(&self) -> Result<Config, ConnectError> {
        let choice = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        let mut config = match &self.kubeconfig {
            Some(path) => Config::from_custom_kubeconfig(Kubeconfig::read_from(path)?, &choice).await?,
            None if self.context.is_some() => Config::from_kubeconfig(&choice).await?,
            None => Config::infer().await?,
        };
        // Repeated by ourselves, within a deadline: see `calls`.
        config.default_retry = false;
        Ok(config)
    }

    /// What a server of this version has to offer.
    pub(crate) fn offer(self, version: &Info) -> Offer {
        Offer { storage: self.storage, restarts: has_restarts(version) }
    }
}

/// Whether single containers can be started again.
fn has_restarts(version: &Info) -> bool {
    // Vendors put a plus behind theirs.
    let number =
        |text: &str| text.trim_end_matches(|c: char| !c.is_ascii_digit()).parse::<u32>().unwrap_or(0);
    (number(&version.major), number(&version.minor)) >= (1, 35)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_restarted_from_1_35_on() {
        for (major, minor, expected) in
            [("1", "34", false), ("1", "35", true), ("1", "37+", true), ("2", "0", true)]
        {
            let version = Info { major: major.to_owned(), minor: minor.to_owned(), ..Info::default() };
            assert_eq!(has_restarts(&version), expected, "{major}.{minor}");
        }
    }
}
