//! The operations on tasks.

mod check;
mod describe;
mod get_protection;
mod list;
pub(crate) mod make;
mod protection;
mod run;
mod start;
mod stop;
mod update_protection;

use crate::context::{Ports, Result};
use crate::ports::Versioned;
use kecs_domain::EcsError;
use kecs_domain::arn::{ClusterKey, cluster_ref};
use kecs_domain::cluster::{Cluster, ClusterStatus};
use kecs_domain::scope::Scope;

pub(crate) use check::{Strategy, Where, check_network, launch_choice};
pub use list::TaskPage;
pub(crate) use run::fingerprint;

/// The operations on tasks, over some ports.
#[derive(Clone, Copy)]
pub struct Tasks<'a> {
    ports: &'a Ports,
}

impl<'a> Tasks<'a> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports }
    }
}

/// Finds the cluster that a request names; it may be INACTIVE.
pub(crate) async fn find_cluster(
    ports: &Ports,
    scope: &Scope,
    named: Option<&str>,
) -> Result<Versioned<Cluster>> {
    let key = cluster_ref(scope, named)?;
    let found = ports.clusters.clusters(std::slice::from_ref(&key)).await?.pop().flatten();
    Ok(found.ok_or_else(EcsError::cluster_not_found)?)
}

/// Finds the cluster that a request names; it must be ACTIVE.
pub(crate) async fn active_cluster(
    ports: &Ports,
    scope: &Scope,
    named: Option<&str>,
) -> Result<Versioned<Cluster>> {
    let cluster = find_cluster(ports, scope, named).await?;
    if cluster.status == ClusterStatus::Inactive {
        return Err(EcsError::cluster_inactive().into());
    }
    Ok(cluster)
}

/// The key of the cluster that a request names, after a check that it exists.
pub(crate) async fn existing_cluster(
    ports: &Ports,
    scope: &Scope,
    named: Option<&str>,
) -> Result<ClusterKey> {
    Ok(find_cluster(ports, scope, named).await?.key.clone())
}
