//! UpdateTaskSet.

use kecs_domain::model::{UpdateTaskSetRequest, UpdateTaskSetResponse};
use kecs_domain::service::task_set::percentage;

use super::TaskSets;
use crate::context::{Context, Result, check_model};

impl TaskSets<'_> {
    /// Scales a task set.
    ///
    /// # Errors
    /// `ClusterNotFoundException`, `ServiceNotFoundException`, `ServiceNotActiveException`,
    /// `TaskSetNotFoundException`; `InvalidParameterException` for another deployment controller, for a value that is
    /// no percentage, and for a task set that is being deleted.
    pub async fn update(
        &self,
        ctx: &Context,
        request: UpdateTaskSetRequest,
    ) -> Result<UpdateTaskSetResponse> {
        check_model(&request)?;
        let now = self.ports.clock.now();
        let view = self
            .change(ctx, (&request.cluster, &request.service), |service| {
                let id = service.key.task_set_ref(&request.task_set);
                let scale = percentage(Some(&request.scale))?;
                service.scale_task_set(id, scale, now).cloned()
            })
            .await?;
        Ok(UpdateTaskSetResponse { task_set: Some(view) })
    }
}
