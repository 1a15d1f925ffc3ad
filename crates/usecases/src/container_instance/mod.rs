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
use kecs_domain::capacity_provider::CapacityProvider;
use kecs_domain::container_instance::Shown;
use kecs_domain::daemon::DaemonKey;
use kecs_domain::model;
use kecs_domain::pagination::PageRequest;
use kecs_domain::resource::ResourceKind;

pub(crate) use members::{Member, count, find, forget_all, has_agents, members, open, save, tasks_on};

use crate::capacity_provider::load;
use crate::daemon_task_definition::all_kept;
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

/// Wakes the services and daemons of a cluster: they may have to move tasks, or find a place now where there was none.
async fn wake_schedulers(ports: &Ports, cluster: &ClusterKey) -> Result<()> {
    let daemons =
        all_kept(ports, &cluster.scope, ResourceKind::Daemon, Some(cluster.name.to_string())).await?;
    let keys = daemons.iter().filter_map(|kept| DaemonKey::of_resource(&kept.key));
    ports.wake.wake(keys.map(WakeKey::Daemon).collect());
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

/// How the instances of a cluster are shown: with the capacity providers that they may belong to, loaded once.
struct Viewer<'a> {
    ports: &'a Ports,
    cluster: &'a ClusterKey,
    providers: Vec<CapacityProvider>,
}

impl<'a> Viewer<'a> {
    async fn of(ports: &'a Ports, cluster: &'a ClusterKey) -> Result<Self> {
        let found = ports.clusters.clusters(std::slice::from_ref(cluster)).await?.pop().flatten();
        let named = found.map(|found| found.settings.capacity_providers.clone()).unwrap_or_default();
        let loaded = load(ports, &cluster.scope, named.iter().map(String::as_str)).await?;
        let providers = named.iter().filter_map(|name| loaded.known.get(name).cloned()).collect();
        Ok(Self { ports, cluster, providers })
    }

    /// An instance as the API shows it now.
    async fn view(&self, member: &Member, shown: Shown) -> Result<model::ContainerInstance> {
        let standing = members::standing(self.ports, self.cluster, member).await?;
        let mut owners = self.providers.iter().filter(|provider| provider.owns(&standing.attributes));
        let capacity_provider_name = owners.next().map(|provider| provider.name.clone());
        Ok(model::ContainerInstance {
            capacity_provider_name,
            ..standing.view(self.cluster, member.kept(), shown)
        })
    }
}

/// An instance as the API shows it now.
async fn view(
    ports: &Ports,
    cluster: &ClusterKey,
    member: &Member,
    shown: Shown,
) -> Result<model::ContainerInstance> {
    Viewer::of(ports, cluster).await?.view(member, shown).await
}
