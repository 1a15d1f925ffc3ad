//! The operations on clusters, one per file, and the ways in which other operations look at a cluster.

mod create;
mod delete;
mod describe;
mod list;
mod put_capacity_providers;
mod update;
mod update_settings;

use kecs_domain::EcsError;
use kecs_domain::arn::ClusterKey;
use kecs_domain::capacity_provider::Providers;
use kecs_domain::cluster::{Cluster, ClusterCounts, Include};
use kecs_domain::model;

use crate::capacity_provider::load;
use crate::ports::Versioned;
use crate::{Ports, Result};

/// The operations on clusters.
#[derive(Clone, Copy)]
pub struct Clusters<'a> {
    ports: &'a Ports,
}

impl<'a> Clusters<'a> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports }
    }
}

/// The cluster, if there ever was one.
pub(crate) async fn find(ports: &Ports, key: &ClusterKey) -> Result<Option<Versioned<Cluster>>> {
    Ok(ports.clusters.clusters(std::slice::from_ref(key)).await?.pop().flatten())
}

/// The cluster, ACTIVE or INACTIVE.
///
/// # Errors
/// `ClusterNotFoundException` when there never was one.
pub(crate) async fn find_any(ports: &Ports, key: &ClusterKey) -> Result<Versioned<Cluster>> {
    Ok(find(ports, key).await?.ok_or_else(EcsError::cluster_not_found)?)
}

/// The cluster, to be changed.
///
/// # Errors
/// `ClusterNotFoundException` when there never was one, `ClientException` when it is INACTIVE.
async fn find_changeable(ports: &Ports, key: &ClusterKey) -> Result<Versioned<Cluster>> {
    let found = find_any(ports, key).await?;
    if found.is_active() { Ok(found) } else { Err(EcsError::client("Cluster was not ACTIVE.").into()) }
}

/// The cluster with what it has at this moment.
async fn view(ports: &Ports, cluster: &Cluster, include: Include) -> Result<model::Cluster> {
    if !cluster.is_active() {
        // It could only be deleted when it had nothing, and nothing can be put in since.
        return Ok(cluster.view(&ClusterCounts::default(), 0, &Providers::default(), include));
    }
    let counts = ports.clusters.cluster_counts(&cluster.key).await?;
    let instances = crate::container_instance::count(ports, &cluster.key).await?;
    let own = cluster.settings.attachments.keys().filter(|_| include.attachments);
    let own = load(ports, &cluster.key.scope, own.map(String::as_str)).await?;
    Ok(cluster.view(&counts, i32::try_from(instances).unwrap_or(i32::MAX), &own.known, include))
}
