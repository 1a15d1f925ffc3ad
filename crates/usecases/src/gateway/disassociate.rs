//! DisassociateGatewayFromCluster.

use kecs_domain::gateway::Association;
use kecs_domain::model::{DisassociateGatewayFromClusterRequest, DisassociateGatewayFromClusterResponse};
use kecs_domain::{EcsError, ErrorCode};

use super::Gateways;
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, WakeKey};
use crate::task::existing_cluster;

impl Gateways<'_> {
    /// Ends an association: no further deployment is connected, and it is gone when there are no routes any more. The
    /// cluster may be INACTIVE, or its gateways could never be deleted.
    ///
    /// # Errors
    /// `GatewayNotFoundException`, `ClusterNotFoundException`; `ResourceNotFoundException` if there is no
    /// association.
    pub async fn disassociate(
        &self,
        ctx: &Context,
        request: DisassociateGatewayFromClusterRequest,
    ) -> Result<DisassociateGatewayFromClusterResponse> {
        check_model(&request)?;
        let (gateway, cluster) = retry_conflicts(|| async {
            let read = self.find(ctx, &request.gateway).await?;
            let cluster = existing_cluster(self.ports, &ctx.scope, Some(&request.cluster)).await?;
            let mut gateway = read.gateway.clone();
            let Some(association) = gateway.clusters.get_mut(&cluster.name) else {
                let message = "The gateway is not associated with the cluster.";
                return Err(EcsError::new(ErrorCode::ResourceNotFound, message).into());
            };
            if *association == Association::Active {
                *association = Association::Disassociating;
                let mut changes = Changes::new();
                read.save(gateway.clone(), &mut changes);
                self.ports.unit_of_work.commit(changes).await?;
            }
            Ok((gateway.key, cluster))
        })
        .await?;
        self.ports.wake.wake(vec![WakeKey::Gateway(gateway.clone())]);
        Ok(DisassociateGatewayFromClusterResponse {
            gateway_arn: Some(gateway.arn()),
            cluster_arn: Some(cluster.arn()),
            status: Some(Association::Disassociating.status()),
        })
    }
}
