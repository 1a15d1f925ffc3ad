//! DiscoverPollEndpoint.

use kecs_domain::arn::container_instance_ref;
use kecs_domain::model::{DiscoverPollEndpointRequest, DiscoverPollEndpointResponse};
use kecs_domain::{EcsError, ErrorCode};

use super::{ContainerInstances, find, not_found};
use crate::context::{Context, Error, Result, check_model};
use crate::task::active_cluster;

impl ContainerInstances<'_> {
    /// Tells an agent where to turn to: `base`, the address at which it has reached us. There is one endpoint for
    /// everything here.
    ///
    /// # Errors
    /// `ClientException` for a cluster and `InvalidParameterException` for an instance that isn't there or is INACTIVE.
    pub async fn discover_poll_endpoint(
        &self,
        ctx: &Context,
        request: DiscoverPollEndpointRequest,
        base: &str,
    ) -> Result<DiscoverPollEndpointResponse> {
        check_model(&request)?;
        let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await;
        let cluster = cluster.map_err(|error| match error {
            // This operation has no exception of its own for that. (API model)
            Error::Ecs(error) if error.code == ErrorCode::ClusterNotFound => {
                Error::Ecs(EcsError::client(error.message))
            }
            other => other,
        })?;
        if let Some(named) = request.container_instance.as_deref().filter(|named| !named.is_empty()) {
            let id = container_instance_ref(&cluster.key, named)?;
            let member = find(self.ports, &cluster.key, id).await?;
            member.filter(|member| !member.is_inactive()).ok_or_else(|| not_found(named))?;
        }
        let endpoint = || Some(base.to_owned());
        Ok(DiscoverPollEndpointResponse {
            endpoint: endpoint(),
            telemetry_endpoint: endpoint(),
            service_connect_endpoint: endpoint(),
        })
    }
}
