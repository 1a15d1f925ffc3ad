//! DescribeGateway.

use kecs_domain::model::{DescribeGatewayRequest, DescribeGatewayResponse};

use super::Gateways;
use crate::context::{Context, Result, check_model};

impl Gateways<'_> {
    /// Describes a gateway, with its tags.
    ///
    /// # Errors
    /// `GatewayNotFoundException`; `InvalidParameterException` for the ARN of something else.
    pub async fn describe(
        &self,
        ctx: &Context,
        request: DescribeGatewayRequest,
    ) -> Result<DescribeGatewayResponse> {
        check_model(&request)?;
        let read = self.find(ctx, &request.gateway).await?;
        let routes = self.routes_of(&ctx.scope, Some(&read.gateway.key.name), |_| true).await?;
        Ok(DescribeGatewayResponse { gateway: Some(read.gateway.view(routes.len())) })
    }
}
