//! Whether a cluster's tasks or services use a capacity provider.

use kecs_domain::arn::{ClusterKey, ServiceKey, TaskKey};
use kecs_domain::model::CapacityProviderStrategyItem;
use kecs_domain::pagination::PageRequest;
use kecs_domain::task::TaskStatus;

use crate::ports::{ServiceQuery, TaskQuery};
use crate::{Ports, Result};

/// How many tasks or services are looked at together.
const PAGE: usize = 500;

/// Whether a task of `cluster` that is not STOPPED runs on one of the providers `names`, or an ACTIVE service has one
/// of them in its strategy. There is no index for this: it is asked when a provider is taken away, which is rare.
pub(crate) async fn is_used(ports: &Ports, cluster: &ClusterKey, names: &[String]) -> Result<bool> {
    if names.is_empty() {
        return Ok(false);
    }
    Ok(by_services(ports, cluster, names).await? || by_tasks(ports, cluster, names).await?)
}

async fn by_services(ports: &Ports, cluster: &ClusterKey, names: &[String]) -> Result<bool> {
    let query = ServiceQuery {
        cluster: cluster.clone(),
        launch_type: None,
        scheduling_strategy: None,
        management: None,
    };
    let named = |items: &Vec<CapacityProviderStrategyItem>| {
        items.iter().any(|item| names.contains(&item.capacity_provider))
    };
    let mut after = None;
    loop {
        let page = ports.services.list_services(&query, PageRequest { after, limit: PAGE }).await?;
        let keys: Vec<_> = page
            .items
            .iter()
            .map(|name| ServiceKey { cluster: cluster.clone(), name: name.clone() })
            .collect();
        let services = ports.services.services(&keys).await?;
        if services
            .iter()
            .flatten()
            .any(|found| found.spec.capacity_provider_strategy.as_ref().is_some_and(named))
        {
            return Ok(true);
        }
        if !page.more {
            return Ok(false);
        }
        after = page.items.last().cloned();
    }
}

async fn by_tasks(ports: &Ports, cluster: &ClusterKey, names: &[String]) -> Result<bool> {
    let query = TaskQuery {
        cluster: cluster.clone(),
        family: None,
        service: None,
        started_by: None,
        desired: None,
        launch_type: None,
        instance: None,
    };
    let mut after = None;
    loop {
        let page = ports.tasks.list_tasks(&query, PageRequest { after, limit: PAGE }).await?;
        let keys: Vec<_> =
            page.items.iter().map(|id| TaskKey { cluster: cluster.clone(), id: *id }).collect();
        let tasks = ports.tasks.tasks(&keys).await?;
        let uses = tasks.iter().flatten().any(|task| {
            task.status != TaskStatus::Stopped
                && task.doc.capacity_provider_name.as_ref().is_some_and(|name| names.contains(name))
        });
        if uses {
            return Ok(true);
        }
        if !page.more {
            return Ok(false);
        }
        after = page.items.last().copied();
    }
}
