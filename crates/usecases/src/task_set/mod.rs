//! The operations on task sets.

mod create;
mod delete;
mod describe;
mod primary;
mod update;

use kecs_domain::EcsError;
use kecs_domain::arn::{ServiceKey, service_ref};
use kecs_domain::cluster::Cluster;
use kecs_domain::model;
use kecs_domain::service::{Service, TaskSet};

use crate::context::{Context, Ports, Result, retry_conflicts};
use crate::ports::{Changes, Versioned, WakeKey};
use crate::task::active_cluster;

/// The operations on task sets, over some ports.
#[derive(Clone, Copy)]
pub struct TaskSets<'a> {
    ports: &'a Ports,
}

impl<'a> TaskSets<'a> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports }
    }

    /// The cluster and the service that a request names.
    async fn find(
        &self,
        ctx: &Context,
        cluster: &str,
        service: &str,
    ) -> Result<(Versioned<Cluster>, Versioned<Service>)> {
        let cluster = active_cluster(self.ports, &ctx.scope, Some(cluster)).await?;
        let key = service_ref(&cluster.key, service)?.ok_or_else(EcsError::service_not_found)?;
        Ok((cluster, self.load(&key).await?))
    }

    async fn load(&self, key: &ServiceKey) -> Result<Versioned<Service>> {
        let found = self.ports.services.services(std::slice::from_ref(key)).await?.pop().flatten();
        Ok(found.ok_or_else(EcsError::service_not_found)?)
    }

    /// Loads the service, changes one of its task sets and saves it, as often as others change it meanwhile. Returns
    /// the task set as it is answered: without tags.
    async fn change(
        &self,
        ctx: &Context,
        (cluster, service): (&str, &str),
        change: impl Fn(&mut Service) -> std::result::Result<TaskSet, EcsError>,
    ) -> Result<model::TaskSet> {
        let (key, view) = retry_conflicts(|| async {
            let (_, found) = self.find(ctx, cluster, service).await?;
            found.check_task_sets(false)?;
            let mut next = Service::clone(&found);
            let set = change(&mut next)?;
            let view = set.view(&next, None);
            if next != *found.value {
                let mut changes = Changes::new();
                changes.update(next, found.version);
                self.ports.unit_of_work.commit(changes).await?;
            }
            Ok((found.key.clone(), view))
        })
        .await?;
        self.ports.wake.wake(vec![WakeKey::Service(key)]);
        Ok(view)
    }
}
