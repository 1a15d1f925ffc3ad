//! SubmitTaskStateChange.

use kecs_domain::model::{SubmitTaskStateChangeRequest, SubmitTaskStateChangeResponse};
use kecs_domain::task::{AgentReport, Task, attachment_ref};

use super::ContainerInstances;
use super::reports::{ACK, check_container};
use crate::context::{Context, Result, check_model};
use crate::task::active_cluster;

impl ContainerInstances<'_> {
    /// Takes in what an agent says of a task: how far it, its containers, their managed agents and its attachments have
    /// come.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for a task that isn't there, for a container that isn't
    /// the task's, and for a status that is none.
    pub async fn submit_task(
        &self,
        ctx: &Context,
        request: SubmitTaskStateChangeRequest,
    ) -> Result<SubmitTaskStateChangeResponse> {
        check_model(&request)?;
        let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
        let report = AgentReport::of_task(&request)?;
        let mut attachments = Vec::new();
        for change in request.attachments.iter().flatten() {
            attachments.push((attachment_ref(&ctx.scope, &change.attachment_arn)?, change.status.as_str()));
        }
        let now = self.ports.clock.now();
        self.report(&cluster.key, request.task.as_deref(), |task, definition| {
            for container in &report.containers {
                check_container(task, &container.name)?;
            }
            let mut next: Option<Task> = None;
            for (id, status) in &attachments {
                let current = next.as_ref().unwrap_or(task);
                next = current.attachment_reported(id, status)?.or(next);
            }
            for change in request.managed_agents.iter().flatten() {
                let current = next.as_ref().unwrap_or(task);
                next = current.managed_agent_reported(change, now)?.or(next);
            }
            let current = next.as_ref().unwrap_or(task);
            Ok(current.reported(&report, definition, now).or(next))
        })
        .await?;
        Ok(SubmitTaskStateChangeResponse { acknowledgment: Some(ACK.to_owned()) })
    }
}
