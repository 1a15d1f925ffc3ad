//! GetTaskProtection.

use kecs_domain::model::{GetTaskProtectionRequest, GetTaskProtectionResponse};

use super::protection::{failure, keys};
use super::{Tasks, existing_cluster};
use crate::context::{Context, Result, check_model};

/// The most tasks in a call. (API reference)
const MOST_TASKS: usize = 100;

impl Tasks<'_> {
    /// Whether tasks are protected, and until when. Those that don't exist, and those that are no service's, come
    /// back as failures.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for no task, for more than 100, and for what is no
    /// identifier of a task of the cluster.
    pub async fn get_protection(
        &self,
        ctx: &Context,
        request: GetTaskProtectionRequest,
    ) -> Result<GetTaskProtectionResponse> {
        check_model(&request)?;
        let cluster = existing_cluster(self.ports, &ctx.scope, Some(&request.cluster)).await?;
        let keys = keys(&cluster, request.tasks.as_deref().unwrap_or_default(), MOST_TASKS)?;
        let found = self.ports.tasks.tasks(&keys).await?;
        let now = self.ports.clock.now();
        let (mut protected, mut failures) = (Vec::new(), Vec::new());
        for (key, found) in keys.iter().zip(found) {
            match found {
                None => failures.push(failure(key, "MISSING")),
                Some(task) if task.service.is_none() => failures.push(failure(key, "TASK_NOT_VALID")),
                Some(task) => protected.push(task.protection_view(now)),
            }
        }
        Ok(GetTaskProtectionResponse { protected_tasks: Some(protected), failures: Some(failures) })
    }
}
