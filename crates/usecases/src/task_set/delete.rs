//! DeleteTaskSet.

use kecs_domain::model::{DeleteTaskSetRequest, DeleteTaskSetResponse};

use super::TaskSets;
use crate::context::{Context, Result, check_model};

impl TaskSets<'_> {
    /// Deletes a task set: it drains until its tasks have ended. Deleting it again meanwhile answers the same.
    ///
    /// # Errors
    /// `ClusterNotFoundException`, `ServiceNotFoundException`, `ServiceNotActiveException`,
    /// `TaskSetNotFoundException`; `InvalidParameterException` for another deployment controller, for the PRIMARY task
    /// set, and without `force` for one that is scaled above zero.
    pub async fn delete(
        &self,
        ctx: &Context,
        request: DeleteTaskSetRequest,
    ) -> Result<DeleteTaskSetResponse> {
        check_model(&request)?;
        let now = self.ports.clock.now();
        let force = request.force == Some(true);
        let view = self
            .change(ctx, (&request.cluster, &request.service), |service| {
                let id = service.key.task_set_ref(&request.task_set);
                service.delete_task_set(id, force, now).cloned()
            })
            .await?;
        Ok(DeleteTaskSetResponse { task_set: Some(view) })
    }
}
