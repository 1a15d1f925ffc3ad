//! UpdateServicePrimaryTaskSet.

use kecs_domain::model::{UpdateServicePrimaryTaskSetRequest, UpdateServicePrimaryTaskSetResponse};

use super::TaskSets;
use crate::context::{Context, Result, check_model};

impl TaskSets<'_> {
    /// Makes a task set the PRIMARY one of its service. The service then shows what the task set was made with.
    ///
    /// # Errors
    /// `ClusterNotFoundException`, `ServiceNotFoundException`, `ServiceNotActiveException`,
    /// `TaskSetNotFoundException`; `InvalidParameterException` for another deployment controller, and for a task set
    /// that is being deleted.
    pub async fn promote(
        &self,
        ctx: &Context,
        request: UpdateServicePrimaryTaskSetRequest,
    ) -> Result<UpdateServicePrimaryTaskSetResponse> {
        check_model(&request)?;
        let now = self.ports.clock.now();
        let view = self
            .change(ctx, (&request.cluster, &request.service), |service| {
                let id = service.key.task_set_ref(&request.primary_task_set);
                service.promote_task_set(id, now).cloned()
            })
            .await?;
        Ok(UpdateServicePrimaryTaskSetResponse { task_set: Some(view) })
    }
}
