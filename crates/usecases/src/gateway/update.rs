//! UpdateGateway.

use kecs_domain::gateway::{change, check_role};
use kecs_domain::model::{GatewayStatus, UpdateGatewayRequest, UpdateGatewayResponse};

use super::Gateways;
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, WakeKey};

impl Gateways<'_> {
    /// Changes a gateway. It is UPDATE_IN_PROGRESS until its reconciler has carried the change out.
    ///
    /// # Errors
    /// `GatewayNotFoundException`; `InvalidParameterException` for what is wrong with the request.
    pub async fn update(
        &self,
        ctx: &Context,
        request: UpdateGatewayRequest,
    ) -> Result<UpdateGatewayResponse> {
        check_model(&request)?;
        if let Some(role) = &request.infrastructure_role_arn {
            check_role(role)?;
        }
        let gateway = retry_conflicts(|| async {
            let read = self.find(ctx, &request.gateway).await?;
            let mut gateway = read.gateway.clone();
            if let Some(given) = &request.configuration {
                gateway.configuration = Box::new(change(&gateway.configuration, given)?);
            }
            if let Some(role) = &request.infrastructure_role_arn {
                gateway.infrastructure_role.clone_from(role);
            }
            gateway.deletion_protection = request.deletion_protection.unwrap_or(gateway.deletion_protection);
            gateway.propagate_tags = request.propagate_tags.unwrap_or(gateway.propagate_tags);
            gateway.status = GatewayStatus::UpdateInProgress;
            gateway.updated_at = self.ports.clock.now();
            let mut changes = Changes::new();
            read.save(gateway.clone(), &mut changes);
            self.ports.unit_of_work.commit(changes).await?;
            Ok(gateway)
        })
        .await?;
        self.ports.wake.wake(vec![WakeKey::Gateway(gateway.key.clone())]);
        Ok(UpdateGatewayResponse {
            gateway_arn: Some(gateway.key.arn()),
            name: Some(gateway.key.name.to_string()),
            status: Some(gateway.status),
        })
    }
}
