//! DeleteService.

use kecs_domain::model::{DeleteServiceRequest, DeleteServiceResponse, SchedulingStrategy};
use kecs_domain::service::{DeploymentStatus, Service, ServiceStatus};
use kecs_domain::{Doc, EcsError, ErrorCode};

use super::{Services, namespace};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, WakeKey};
use crate::task::active_cluster;

impl Services<'_> {
    /// Deletes a service: it drains until its tasks have ended. Deleting it again answers the same.
    ///
    /// # Errors
    /// `ServiceNotFoundException` with an empty message; `InvalidParameterException` while it is scaled above zero
    /// and `force` isn't set; `ClusterNotFoundException`.
    pub async fn delete(
        &self,
        ctx: &Context,
        request: DeleteServiceRequest,
    ) -> Result<DeleteServiceResponse> {
        check_model(&request)?;
        let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
        let service = retry_conflicts(|| async {
            let found = self.find(&cluster.key, &request.service).await?;
            // The empty message is ECS's own. (recorded)
            let found = found.ok_or_else(|| EcsError::new(ErrorCode::ServiceNotFound, ""))?;
            if found.status != ServiceStatus::Active {
                return Ok(Service::clone(&found));
            }
            let replica = found.scheduling_strategy() == SchedulingStrategy::Replica;
            if replica && found.desired_count() > 0 && request.force != Some(true) {
                return Err(EcsError::invalid_parameter(
                    "The service cannot be stopped while it is scaled above 0.",
                )
                .into());
            }
            if !found.task_sets.is_empty() && request.force != Some(true) {
                return Err(EcsError::invalid_parameter(
                    "The service cannot be stopped while deployments are active.",
                )
                .into());
            }
            let mut service = Service::clone(&found);
            service.status = ServiceStatus::Draining;
            service.spec.desired_count = Some(0);
            let mut changes = Changes::new();
            namespace::follow(Some(&found), &service, &mut changes);
            changes.update(service.clone(), found.version);
            self.ports.unit_of_work.commit(changes).await?;
            Ok(service)
        })
        .await?;
        self.ports.wake.wake(vec![WakeKey::Service(service.key.clone())]);
        let mut view = service.view(false);
        // The answer to a delete lacks these. (recorded)
        view.current_service_revisions = None;
        if let Some(configuration) = &mut view.deployment_configuration {
            configuration.bake_time_in_minutes = None;
            if let Some(breaker) = &mut configuration.deployment_circuit_breaker {
                breaker.reset_on_healthy_task = None;
                breaker.threshold_configuration = None;
            }
        }
        for deployment in view.deployments.iter_mut().flatten() {
            deployment.status = Some(DeploymentStatus::Draining.as_str().to_owned());
            deployment.desired_count = Some(0);
        }
        Ok(DeleteServiceResponse { service: Some(Doc::new(view)) })
    }
}
