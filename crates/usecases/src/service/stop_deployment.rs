//! StopServiceDeployment.

use kecs_domain::arn::{ServiceDeploymentKey, service_child_ref};
use kecs_domain::model::{
    StopServiceDeploymentRequest, StopServiceDeploymentResponse, StopServiceDeploymentStopType as StopType,
};
use kecs_domain::service::{Service, ServiceDeployment, StopRequest};
use kecs_domain::{EcsError, ErrorCode, Scope};

use super::Services;
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, Versioned, WakeKey};

impl Services<'_> {
    /// Asks for the end of a deployment that is under way: it is rolled back to the last one that completed, or left
    /// as it stands. The scheduler does it at once; the record says that it was asked for.
    ///
    /// # Errors
    /// `InvalidParameterException` for what is no ARN of a service deployment; `ServiceDeploymentNotFoundException`;
    /// `ConflictException` for one that is not under way, is being stopped already, or has nothing to go back to.
    pub async fn stop_deployment(
        &self,
        ctx: &Context,
        request: StopServiceDeploymentRequest,
    ) -> Result<StopServiceDeploymentResponse> {
        check_model(&request)?;
        let key = deployment_key(&ctx.scope, &request.service_deployment_arn)?;
        let how = match request.stop_type {
            None | Some(StopType::Rollback) => StopRequest::Rollback,
            Some(StopType::Abort) => StopRequest::Abort,
        };
        retry_conflicts(|| async {
            let (record, service) = self.running_deployment(&key).await?;
            let (next, stopped) = service.stop_deployment(&record, how, self.ports.clock.now())?;
            let mut changes = Changes::new();
            changes.update(next, service.version).update(stopped, record.version);
            self.ports.unit_of_work.commit(changes).await?;
            Ok(())
        })
        .await?;
        self.ports.wake.wake(vec![WakeKey::Service(key.service)]);
        Ok(StopServiceDeploymentResponse { service_deployment_arn: Some(request.service_deployment_arn) })
    }

    /// The record of a deployment and its service.
    pub(super) async fn running_deployment(
        &self,
        key: &ServiceDeploymentKey,
    ) -> Result<(Versioned<ServiceDeployment>, Versioned<Service>)> {
        let missing = || EcsError::new(ErrorCode::ServiceDeploymentNotFound, "Service deployment not found.");
        let record = self.ports.services.service_deployment(key).await?.ok_or_else(missing)?;
        let service = self.load(&key.service).await?.ok_or_else(missing)?;
        Ok((record, service))
    }
}

/// Reads the ARN of a service deployment.
pub(super) fn deployment_key(scope: &Scope, arn: &str) -> Result<ServiceDeploymentKey> {
    let (service, id) = service_child_ref(scope, "service-deployment", arn)
        .ok_or_else(|| EcsError::invalid_parameter("The Service Deployment ARN is invalid."))?;
    Ok(ServiceDeploymentKey { service, id: id.to_owned() })
}
