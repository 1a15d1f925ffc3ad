//! DescribeGatewayResources.

use kecs_domain::gateway::resources::entry;
use kecs_domain::model::{
    DescribeGatewayResourcesRequest, DescribeGatewayResourcesResponse, ElbGatewayResources,
    GatewayInfrastructureResources, GatewayResources,
};
use kecs_domain::pagination::{PageSizes, Pager};

use super::{Gateways, page_of};
use crate::context::{Context, Result, check_model};

/// The sizes of its pages. (API model)
const SIZES: PageSizes = PageSizes { default: 10, most: 20 };

impl Gateways<'_> {
    /// What a gateway manages outside ECS: one shared entry once there is a route, and which routes lead through it.
    ///
    /// # Errors
    /// `GatewayNotFoundException`; `InvalidParameterException` for `maxResults` or `nextToken`.
    pub async fn describe_resources(
        &self,
        ctx: &Context,
        request: DescribeGatewayResourcesRequest,
    ) -> Result<DescribeGatewayResourcesResponse> {
        check_model(&request)?;
        let key = self.find(ctx, &request.gateway).await?.gateway.key;
        let pager = Pager::new("DescribeGatewayResources", &ctx.scope, &key);
        let page = pager.request(request.next_token.as_deref(), request.max_results, SIZES)?;
        let routes = self.routes_of(&ctx.scope, Some(&key.name), |_| true).await?;
        let routes: Vec<_> = routes.into_iter().map(|one| one.route.key).collect();
        let entries: Vec<_> = entry(&routes).into_iter().collect();
        let position = |_: &ElbGatewayResources| key.arn();
        let page = page_of(entries, &page, position);
        let next_token = pager.next_token(&page, position);
        Ok(DescribeGatewayResourcesResponse {
            gateway_resources: Some(GatewayResources {
                gateway_arn: Some(key.arn()),
                resources: Some(GatewayInfrastructureResources { host_shared_alb: Some(page.items) }),
            }),
            next_token,
        })
    }
}
