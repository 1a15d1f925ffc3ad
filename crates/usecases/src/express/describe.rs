//! DescribeExpressGatewayService.

use kecs_domain::model::{
    DescribeExpressGatewayServiceRequest, DescribeExpressGatewayServiceResponse, ExpressGatewayServiceInclude,
};
use kecs_domain::{EcsError, ErrorCode};

use super::ExpressServices;
use crate::context::{Context, Result, check_model};

impl ExpressServices<'_> {
    /// Describes an Express service, with the configurations of the deployments that it has now.
    ///
    /// # Errors
    /// `InvalidParameterException` for what is no ARN of an Express service; `ClusterNotFoundException`;
    /// `ResourceNotFoundException`.
    pub async fn describe(
        &self,
        ctx: &Context,
        request: DescribeExpressGatewayServiceRequest,
    ) -> Result<DescribeExpressGatewayServiceResponse> {
        check_model(&request)?;
        let not_found = EcsError::new(ErrorCode::ResourceNotFound, "Service not found.");
        let service = self.find(ctx, &request.service_arn, not_found).await?;
        let active = self.configurations(&service).await?;
        let with_tags = request.include.iter().flatten().any(|it| *it == ExpressGatewayServiceInclude::Tags);
        let view = service.express_view(active, with_tags);
        Ok(DescribeExpressGatewayServiceResponse { service: Some(view) })
    }
}
