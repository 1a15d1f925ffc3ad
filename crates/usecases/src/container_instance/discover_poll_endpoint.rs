//! DiscoverPollEndpoint.

use kecs_domain::model::{DiscoverPollEndpointRequest, DiscoverPollEndpointResponse};

use super::ContainerInstances;
use crate::context::{Result, check_model};

impl ContainerInstances<'_> {
    /// Tells an agent where to turn to: `base`, the address at which it has reached us. There is one endpoint for
    /// all clusters and instances, so it doesn't matter which are named, nor whether they are there.
    ///
    /// # Errors
    /// `InvalidParameterException` for what breaks the API model.
    pub fn discover_poll_endpoint(
        &self,
        request: &DiscoverPollEndpointRequest,
        base: &str,
    ) -> Result<DiscoverPollEndpointResponse> {
        check_model(request)?;
        let endpoint = || Some(base.to_owned());
        Ok(DiscoverPollEndpointResponse {
            endpoint: endpoint(),
            telemetry_endpoint: endpoint(),
            service_connect_endpoint: endpoint(),
        })
    }
}
