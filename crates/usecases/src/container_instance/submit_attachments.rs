//! SubmitAttachmentStateChanges.

use std::collections::BTreeMap;

use kecs_domain::EcsError;
use kecs_domain::arn::ClusterKey;
use kecs_domain::model::{SubmitAttachmentStateChangesRequest, SubmitAttachmentStateChangesResponse};
use kecs_domain::name::HexId;
use kecs_domain::task::{Task, attachment_ref};

use super::deregister::concerned;
use super::reports::ACK;
use super::{ContainerInstances, open, tasks_on};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, Versioned};
use crate::task::active_cluster;

impl ContainerInstances<'_> {
    /// Takes in what an agent says of attachments of its tasks, all of it or nothing.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for no attachment, for one that no task of the cluster
    /// has, and for a status that is none.
    pub async fn submit_attachments(
        &self,
        ctx: &Context,
        request: SubmitAttachmentStateChangesRequest,
    ) -> Result<SubmitAttachmentStateChangesResponse> {
        check_model(&request)?;
        let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
        if request.attachments.is_empty() {
            return Err(EcsError::invalid_parameter("attachments can not be empty.").into());
        }
        let mut given = Vec::with_capacity(request.attachments.len());
        for change in &request.attachments {
            given.push((attachment_ref(&ctx.scope, &change.attachment_arn)?, change.status.as_str()));
        }
        let woken = retry_conflicts(|| async {
            let tasks = self.tasks_with_attachments(&cluster.key).await?;
            let mut changed: BTreeMap<HexId, Task> = BTreeMap::new();
            for (id, status) in &given {
                let found = tasks
                    .iter()
                    .find(|task| task.has_attachment(id))
                    .ok_or_else(|| EcsError::invalid_parameter(format!("Attachment {id} was not found.")))?;
                let current = changed.get(&found.key.id).unwrap_or(&*found.value);
                // What the orchestrator runs, it observes itself.
                if let Some(next) = current.attachment_reported(id, status)?.filter(|_| found.by_agent) {
                    changed.insert(found.key.id, next);
                }
            }
            let mut changes = Changes::new();
            let mut woken = Vec::new();
            for task in &tasks {
                if let Some(next) = changed.remove(&task.key.id) {
                    woken.extend(concerned(&next));
                    changes.update(next, task.version);
                }
            }
            if !changes.is_empty() {
                self.ports.unit_of_work.commit(changes).await?;
            }
            Ok(woken)
        })
        .await?;
        self.ports.wake.wake(woken);
        Ok(SubmitAttachmentStateChangesResponse { acknowledgment: Some(ACK.to_owned()) })
    }

    /// The unfinished tasks on a cluster's instances that have attachments.
    async fn tasks_with_attachments(&self, cluster: &ClusterKey) -> Result<Vec<Versioned<Task>>> {
        let mut tasks = Vec::new();
        for member in open(self.ports, cluster).await? {
            let on_it = tasks_on(self.ports, cluster, member.id()).await?;
            let attached = |task: &Versioned<Task>| {
                task.doc.attachments.as_ref().is_some_and(|attachments| !attachments.is_empty())
            };
            tasks.extend(on_it.into_iter().filter(attached));
        }
        Ok(tasks)
    }
}
