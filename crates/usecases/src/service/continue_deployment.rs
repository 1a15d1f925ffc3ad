//! ContinueServiceDeployment.

use kecs_domain::model::{
    ContinueServiceDeploymentRequest, ContinueServiceDeploymentResponse,
    DeploymentLifecycleHookAction as Action,
};

use super::Services;
use super::stop_deployment::deployment_key;
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, WakeKey};

impl Services<'_> {
    /// Lets a deployment that waits at a PAUSE hook go on, or rolls it back.
    ///
    /// # Errors
    /// `InvalidParameterException` for what is no ARN of a service deployment, and for a hook at which the deployment
    /// doesn't wait; `ServiceDeploymentNotFoundException`; `ClientException` for a rollback with nothing to go back to.
    pub async fn continue_deployment(
        &self,
        ctx: &Context,
        request: ContinueServiceDeploymentRequest,
    ) -> Result<ContinueServiceDeploymentResponse> {
        check_model(&request)?;
        let key = deployment_key(&ctx.scope, &request.service_deployment_arn)?;
        let action = request.action.unwrap_or(Action::Continue);
        retry_conflicts(|| async {
            let (record, service) = self.running_deployment(&key).await?;
            let now = self.ports.clock.now();
            let (next, resolved) = service.resolve_hook(&record, &request.hook_id, action, now)?;
            let mut changes = Changes::new();
            changes.update(next, service.version).update(resolved, record.version);
            self.ports.unit_of_work.commit(changes).await?;
            Ok(())
        })
        .await?;
        self.ports.wake.wake(vec![WakeKey::Service(key.service)]);
        Ok(ContinueServiceDeploymentResponse { service_deployment_arn: Some(request.service_deployment_arn) })
    }
}
