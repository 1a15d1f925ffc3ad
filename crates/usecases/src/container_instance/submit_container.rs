//! SubmitContainerStateChange.

use kecs_domain::model::{SubmitContainerStateChangeRequest, SubmitContainerStateChangeResponse};
use kecs_domain::task::AgentReport;

use super::ContainerInstances;
use super::reports::{ACK, check_container};
use crate::context::{Context, Result, check_model};
use crate::task::active_cluster;

impl ContainerInstances<'_> {
    /// Takes in what an agent says of a container of a task.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for a task that isn't there, for a container that isn't
    /// the task's, and for a status that is none.
    pub async fn submit_container(
        &self,
        ctx: &Context,
        request: SubmitContainerStateChangeRequest,
    ) -> Result<SubmitContainerStateChangeResponse> {
        check_model(&request)?;
        let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
        let report = AgentReport::of_container(&request)?;
        let now = self.ports.clock.now();
        self.report(&cluster.key, request.task.as_deref(), |task, definition| {
            for container in &report.containers {
                check_container(task, &container.name)?;
            }
            Ok(task.reported(&report, definition, now))
        })
        .await?;
        Ok(SubmitContainerStateChangeResponse { acknowledgment: Some(ACK.to_owned()) })
    }
}
