//! DeleteGateway.

use kecs_domain::EcsError;
use kecs_domain::model::{DeleteGatewayRequest, DeleteGatewayResponse, GatewayStatus};

use super::Gateways;
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, EntityKey, Expect};

impl Gateways<'_> {
    /// Deletes a gateway, at once and for good.
    ///
    /// # Errors
    /// `GatewayNotFoundException`; `InvalidParameterException` while it is protected or associated with a cluster.
    pub async fn delete(
        &self,
        ctx: &Context,
        request: DeleteGatewayRequest,
    ) -> Result<DeleteGatewayResponse> {
        check_model(&request)?;
        let key = retry_conflicts(|| async {
            let read = self.find(ctx, &request.gateway).await?;
            let refuse = |message: String| Err(EcsError::invalid_parameter(message).into());
            if read.gateway.deletion_protection {
                return refuse(
                    "The gateway can not be deleted while deletion protection is enabled.".to_owned(),
                );
            }
            if !read.gateway.clusters.is_empty() {
                let names: Vec<_> = read.gateway.clusters.keys().map(ToString::to_string).collect();
                return refuse(format!(
                    "The gateway can not be deleted while it is associated with clusters: {}",
                    names.join(", ")
                ));
            }
            let mut changes = Changes::new();
            let expect = Expect::Version(read.stored.version);
            changes.deletes.push((EntityKey::Resource(read.stored.key.clone()), expect));
            self.ports.unit_of_work.commit(changes).await?;
            Ok(read.gateway.key)
        })
        .await?;
        Ok(DeleteGatewayResponse {
            gateway_arn: Some(key.arn()),
            name: Some(key.name.to_string()),
            status: Some(GatewayStatus::Deleted),
        })
    }
}
