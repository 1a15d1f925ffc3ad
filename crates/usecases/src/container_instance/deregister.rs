//! DeregisterContainerInstance.

use kecs_domain::arn::{ServiceKey, container_instance_ref};
use kecs_domain::container_instance::Shown;
use kecs_domain::model::{
    DeregisterContainerInstanceRequest, DeregisterContainerInstanceResponse, TaskStopCode,
};
use kecs_domain::task::{AgentReport, Interruption, Task};
use kecs_domain::{Doc, EcsError};

use super::{ContainerInstances, find, not_found, tasks_on, view, wake_schedulers};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, EntityKey, WakeKey};
use crate::task::active_cluster;

/// `stoppedReason` of the tasks that a deregistered instance had.
const DEREGISTERED: &str = "Container instance was deregistered";

impl ContainerInstances<'_> {
    /// Takes an instance out of its cluster: it becomes INACTIVE, and only describable. A node comes back with a
    /// registration that names it. With `force` its tasks are given up: those of services are replaced elsewhere.
    /// They are stopped too, which ECS leaves to the owner of the instance. Deregistering again answers the same.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for an instance that isn't there, and without `force`
    /// for one with tasks.
    pub async fn deregister(
        &self,
        ctx: &Context,
        request: DeregisterContainerInstanceRequest,
    ) -> Result<DeregisterContainerInstanceResponse> {
        check_model(&request)?;
        let named = &request.container_instance;
        let force = request.force.unwrap_or(false);
        let (key, member, woken) = retry_conflicts(|| async {
            let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
            let key = cluster.key.clone();
            let id = container_instance_ref(&key, named)?;
            let member = find(self.ports, &key, id).await?.ok_or_else(|| not_found(named))?;
            if member.is_inactive() {
                return Ok((key, member, Vec::new()));
            }
            let tasks = tasks_on(self.ports, &key, id).await?;
            if !tasks.is_empty() && !force {
                let message = "Found running tasks on the instance.";
                return Err(EcsError::invalid_parameter(message).into());
            }
            let now = self.ports.clock.now();
            let mut changes = Changes::new();
            let mut woken = Vec::new();
            for task in tasks {
                let why = Interruption::new(TaskStopCode::UserInitiated, DEREGISTERED);
                let mut next = task.interrupt(why);
                if task.by_agent {
                    // Its agent has nothing to say any more.
                    let ending = next.as_ref().unwrap_or(&*task.value);
                    let definition = self.ports.task_definitions.task_definition(&task.definition).await?;
                    let doc = definition.map(|found| found.doc.clone()).unwrap_or_default();
                    next = ending.reported(&AgentReport::gone(), &doc, now).or(next);
                }
                if let Some(next) = next {
                    woken.extend(concerned(&next));
                    changes.update(next, task.version);
                }
            }
            let mut kept = member.to_kept();
            kept.deregister(now);
            member.save(&key, kept.clone(), &mut changes);
            changes.require(EntityKey::Cluster(key.clone()), cluster.version);
            self.ports.unit_of_work.commit(changes).await?;
            Ok((key.clone(), member.with(&key, kept), woken))
        })
        .await?;
        self.ports.wake.wake(woken);
        wake_schedulers(self.ports, &key).await?;
        let view = view(self.ports, &key, &member, Shown::default()).await?;
        Ok(DeregisterContainerInstanceResponse { container_instance: Some(Doc::new(view)) })
    }
}

/// Whom a change of a task concerns: itself, and its service.
pub(super) fn concerned(task: &Task) -> Vec<WakeKey> {
    let cluster = &task.key.cluster;
    let service = task.service.as_ref().map(|membership| {
        WakeKey::Service(ServiceKey { cluster: cluster.clone(), name: membership.name.clone() })
    });
    std::iter::once(WakeKey::Task(task.key.clone())).chain(service).collect()
}
