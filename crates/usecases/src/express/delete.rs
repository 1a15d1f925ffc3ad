//! DeleteExpressGatewayService.

use kecs_domain::EcsError;
use kecs_domain::model::{DeleteExpressGatewayServiceRequest, DeleteExpressGatewayServiceResponse};
use kecs_domain::service::{Service, ServiceStatus};

use super::{ExpressServices, not_active};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, WakeKey};

impl ExpressServices<'_> {
    /// Deletes an Express service: it drains until its tasks have ended. Deleting one that drains answers the same.
    /// Its task definitions stay, as those of every service do.
    ///
    /// # Errors
    /// `ServiceNotFoundException`, `ClusterNotFoundException`, `ServiceNotActiveException` for one that is gone;
    /// `InvalidParameterException` for what is no ARN of an Express service.
    pub async fn delete(
        &self,
        ctx: &Context,
        request: DeleteExpressGatewayServiceRequest,
    ) -> Result<DeleteExpressGatewayServiceResponse> {
        check_model(&request)?;
        let service = retry_conflicts(|| async {
            let found = self.find(ctx, &request.service_arn, EcsError::service_not_found()).await?;
            match found.status {
                ServiceStatus::Active => {}
                ServiceStatus::Draining => return Ok(Service::clone(&found)),
                ServiceStatus::Inactive => return Err(not_active().into()),
            }
            let mut service = Service::clone(&found);
            service.status = ServiceStatus::Draining;
            service.spec.desired_count = Some(0);
            let mut changes = Changes::new();
            changes.update(service.clone(), found.version);
            self.ports.unit_of_work.commit(changes).await?;
            Ok(service)
        })
        .await?;
        self.ports.wake.wake(vec![WakeKey::Service(service.key.clone())]);
        let active = self.configurations(&service).await?;
        Ok(DeleteExpressGatewayServiceResponse { service: Some(service.express_view(active, false)) })
    }
}
