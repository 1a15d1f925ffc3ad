//! The operations on container instances and those of their agents, one per file, and the ways in which other
//! operations look at container instances.

mod delete_attributes;
mod deregister;
mod describe;
mod discover_poll_endpoint;
mod list;
mod list_attributes;
mod members;
mod put_attributes;
mod register;
mod reports;
mod submit_attachments;
mod submit_container;
mod submit_task;
mod update_agent;
mod update_state;

use kecs_domain::EcsError;
use kecs_domain::arn::ClusterKey;
use kecs_domain::container_instance::Shown;
use kecs_domain::model;
use kecs_domain::pagination::PageRequest;

pub(crate) use members::{Member, count, find, forget_all, has_agents, members, open, save, tasks_on};

use crate::ports::{ServiceQuery, WakeKey};
use crate::{Ports, Result};

/// The operations on container instances.
#[derive(Clone, Copy)]
pub struct ContainerInstances<'a> {
    ports: &'a Ports,
}

impl<'a> ContainerInstances<'a> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports }
    }
}

/// How many services are woken at a time.
const PER_PAGE: usize = 1_000;

/// Wakes the services of a cluster: they may have to move tasks, or find a place now where there was none.
async fn wake_services(ports: &Ports, cluster: &ClusterKey) -> Result<()> {
    let query = ServiceQuery {
        cluster: cluster.clone(),
        launch_type: None,
        scheduling_strategy: None,
        management: None,
    };
    let mut after = None;
    loop {
        let page = ports.services.list_services(&query, PageRequest { after, limit: PER_PAGE }).await?;
        let key = |name: &kecs_domain::name::ServiceName| {
            WakeKey::Service(kecs_domain::arn::ServiceKey { cluster: cluster.clone(), name: name.clone() })
        };
        ports.wake.wake(page.items.iter().map(key).collect());
        after = page.items.last().cloned();
        if !page.more {
            return Ok(());
        }
    }
}

/// A failure of one of several.
pub(crate) fn failure(cluster: &ClusterKey, id: kecs_domain::name::HexId, reason: &str) -> model::Failure {
    model::Failure {
        arn: Some(cluster.container_instance_arn(id)),
        reason: Some(reason.to_owned()),
        ..Default::default()
    }
}

/// The instance is not one of the cluster's.
fn not_found(named: &str) -> EcsError {
    EcsError::invalid_parameter(format!("Referenced container instance {named} not found."))
}

/// An instance as the API shows it now.
async fn view(
    ports: &Ports,
    cluster: &ClusterKey,
    member: &Member,
    shown: Shown,
) -> Result<model::ContainerInstance> {
    let standing = members::standing(ports, cluster, member).await?;
    Ok(standing.view(cluster, member.kept(), shown))
}
