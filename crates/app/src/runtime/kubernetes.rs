//! Opens the orchestrator of a Kubernetes cluster.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use kecs_usecases::ports::Clock;

use super::orchestrator::Opened;

/// Opens it.
///
/// # Errors
/// When the cluster can't be reached.
pub(super) async fn open(kubeconfig: Option<&Path>, context: Option<&str>, clock: &Arc<dyn Clock>) -> Result<Opened> {
    let _ = (kubeconfig, context, clock);
    bail!("this build of kecs has no Kubernetes orchestrator; use --orchestrator simulated")
}
