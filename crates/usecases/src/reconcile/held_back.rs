//! Tasks that the orchestrator finds no place for: their services say so, and those that were placed on an instance
//! which turns out to be full are called off, so that another one can be tried.
//!
//! Two requests that are placed at the same moment may both count on the last room of an instance. One of them comes
//! too late, and would wait there for ever though there is room elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use kecs_domain::arn::{ClusterKey, ServiceKey};
use kecs_domain::model::{SchedulingStrategy, TaskStopCode};
use kecs_domain::placement::{Demand, Misfit, demand_of};
use kecs_domain::service::{EventWriter, Service};
use kecs_domain::task::{Interruption, Task};

use super::Reconciler;
use super::definitions::Definitions;
use crate::container_instance::{self, Member};
use crate::context::{Result, retry_conflicts};
use crate::ports::{Changes, WakeKey};
use crate::task::make::candidate;

impl Reconciler<'_> {
    /// Takes in which tasks are held back, each with the reason in the orchestrator's words. If we die in between,
    /// the next snapshot tells it again.
    pub(super) async fn held_back(
        &self,
        tasks: Vec<(Arc<Task>, String)>,
        definitions: &Definitions,
    ) -> Result<()> {
        let mut instances: BTreeMap<ClusterKey, Vec<Member>> = BTreeMap::new();
        for (task, reason) in tasks {
            let cluster = &task.key.cluster;
            let service = match &task.service {
                Some(membership) => {
                    let key = ServiceKey { cluster: cluster.clone(), name: membership.name.clone() };
                    self.tell_held_back(&key, &reason).await?
                }
                None => None,
            };
            // A daemon belongs on its instance and nowhere else, so it waits there.
            let strategy = service.map(|service| service.scheduling_strategy());
            if task.daemon.is_some() || strategy == Some(SchedulingStrategy::Daemon) {
                continue;
            }
            if !instances.contains_key(cluster) {
                instances.insert(cluster.clone(), container_instance::open(self.ports, cluster).await?);
            }
            let known = instances.get(cluster).map(Vec::as_slice).unwrap_or_default();
            if let Some(misfit) = misfit(&task, known, definitions) {
                self.call_off(&task, misfit).await?;
            }
        }
        Ok(())
    }

    /// Lets a service say that the orchestrator finds no place for one of its tasks. Returns the service.
    async fn tell_held_back(&self, key: &ServiceKey, reason: &str) -> Result<Option<Arc<Service>>> {
        retry_conflicts(|| async {
            let found = self.ports.services.services(std::slice::from_ref(key)).await?.pop().flatten();
            let Some(found) = found else { return Ok(None) };
            let mut service = Service::clone(&found);
            let mut uuid = || self.ports.ids.uuid();
            let mut events = EventWriter { now: self.ports.clock.now(), uuid: &mut uuid };
            events.held_back(&mut service, reason);
            if service != *found.value {
                let mut changes = Changes::new();
                changes.update(service, found.version);
                self.ports.unit_of_work.commit(changes).await?;
            }
            Ok(Some(found.value))
        })
        .await
    }

    /// Ends a task that never came to its instance. Its service starts another one.
    async fn call_off(&self, task: &Task, misfit: Misfit) -> Result<()> {
        let code = match task.service {
            Some(_) => TaskStopCode::ServiceSchedulerInitiated,
            None => TaskStopCode::TaskFailedToStart,
        };
        let why = Interruption::new(code, misfit.as_str());
        let called_off = retry_conflicts(|| async {
            let current = self.load_task(&task.key).await?.filter(|current| current.status.is_pending());
            let Some(current) = current else { return Ok(false) };
            let Some(interrupted) = current.interrupt(why.clone()) else { return Ok(false) };
            let mut changes = Changes::new();
            changes.update(interrupted, current.version);
            self.ports.unit_of_work.commit(changes).await?;
            Ok(true)
        })
        .await?;
        if called_off {
            let service = task.service.as_ref().map(|membership| {
                WakeKey::Service(ServiceKey {
                    cluster: task.key.cluster.clone(),
                    name: membership.name.clone(),
                })
            });
            let keys = std::iter::once(WakeKey::Task(task.key.clone())).chain(service);
            self.ports.wake.wake(keys.collect());
        }
        Ok(())
    }
}

/// What the instance of a task lacks for it. None unless placement sees it in the same way: a task that placement
/// would put there again may as well wait there.
fn misfit(task: &Task, instances: &[Member], definitions: &Definitions) -> Option<Misfit> {
    let instance = instances.iter().find(|instance| Some(instance.id()) == task.instance)?;
    let definition = definitions.of(task)?;
    let amounts = demand_of(&definition.doc, task.doc.overrides.as_deref());
    candidate(instance, 0).check(&Demand { amounts, ..Demand::default() }).err()
}
