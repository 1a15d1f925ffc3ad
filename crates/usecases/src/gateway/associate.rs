//! AssociateGatewayWithCluster.

use kecs_domain::EcsError;
use kecs_domain::gateway::{Association, MOST_PER_CLUSTER};
use kecs_domain::model::{AssociateGatewayWithClusterRequest, AssociateGatewayWithClusterResponse};

use super::{Gateways, not_found};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, EntityKey};
use crate::task::active_cluster;

impl Gateways<'_> {
    /// Lets the services of a cluster use a gateway, from their next deployments on. Doing it again answers the same;
    /// of an association that is ending it makes an ACTIVE one again.
    ///
    /// # Errors
    /// `GatewayNotFoundException`, `ClusterNotFoundException`; `ClientException` for a sixth gateway of a cluster.
    pub async fn associate(
        &self,
        ctx: &Context,
        request: AssociateGatewayWithClusterRequest,
    ) -> Result<AssociateGatewayWithClusterResponse> {
        check_model(&request)?;
        let (gateway, cluster) = retry_conflicts(|| async {
            let named = self.find(ctx, &request.gateway).await?.gateway.key;
            let cluster = active_cluster(self.ports, &ctx.scope, Some(&request.cluster)).await?;
            let all = self.all(&ctx.scope).await?;
            let read = all.iter().find(|read| read.gateway.key == named).ok_or_else(not_found)?;
            let name = &cluster.key.name;
            if read.gateway.clusters.get(name) == Some(&Association::Active) {
                return Ok((read.gateway.key.clone(), cluster.key.clone()));
            }
            let others = all.iter().filter(|other| other.gateway.key != read.gateway.key);
            let associated = others.clone().filter(|other| other.gateway.clusters.contains_key(name)).count();
            if associated >= MOST_PER_CLUSTER {
                let message =
                    format!("A cluster can be associated with at most {MOST_PER_CLUSTER} gateways.");
                return Err(EcsError::client(message).into());
            }
            let mut changes = Changes::new();
            changes.require(EntityKey::Cluster(cluster.key.clone()), cluster.version);
            // Nobody else may bring the cluster to its limit meanwhile.
            others.for_each(|other| other.keep(&mut changes));
            let mut gateway = read.gateway.clone();
            gateway.clusters.insert(name.clone(), Association::Active);
            read.save(gateway, &mut changes);
            self.ports.unit_of_work.commit(changes).await?;
            Ok((read.gateway.key.clone(), cluster.key.clone()))
        })
        .await?;
        Ok(AssociateGatewayWithClusterResponse {
            gateway_arn: Some(gateway.arn()),
            cluster_arn: Some(cluster.arn()),
            status: Some(Association::Active.status()),
        })
    }
}
