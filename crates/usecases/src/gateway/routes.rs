//! ListGatewayRoutes and DescribeGatewayRoute.

use kecs_domain::arn::{Arn, GatewayRouteKey, ServiceKey};
use kecs_domain::gateway::GatewayRoute;
use kecs_domain::model::{
    self, DescribeGatewayRouteRequest, DescribeGatewayRouteResponse, GatewayRouteSummary,
    ListGatewayRoutesRequest, ListGatewayRoutesResponse,
};
use kecs_domain::pagination::{PageSizes, Pager};
use kecs_domain::{EcsError, ErrorCode};

use super::associations::cluster_filter;
use super::{Gateways, Route, page_of};
use crate::context::{Context, Result, check_model};

impl Gateways<'_> {
    /// Lists routes, by gateway, cluster and service.
    ///
    /// # Errors
    /// `GatewayNotFoundException` for a gateway that isn't there; `InvalidParameterException` for a filter that can't
    /// be read, for `maxResults` or `nextToken`.
    pub async fn list_routes(
        &self,
        ctx: &Context,
        request: ListGatewayRoutesRequest,
    ) -> Result<ListGatewayRoutesResponse> {
        check_model(&request)?;
        let clusters = cluster_filter(&ctx.scope, request.cluster.as_deref())?;
        let service = request.service.as_deref();
        if service.and_then(Arn::parse).is_some_and(|arn| arn.service != "ecs" || arn.kind != "service") {
            return Err(EcsError::invalid_parameter("service must be a name or the ARN of a service.").into());
        }
        let status = request.status.unwrap_or_default();
        let port = request.service_container_port_name.as_deref();
        let filters = (&request.gateway, &request.cluster, &request.service, port, &status);
        let pager = Pager::new("ListGatewayRoutes", &ctx.scope, &filters);
        let page = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::LIST)?;
        let gateway = match request.gateway.as_deref() {
            Some(named) => Some(self.find(ctx, named).await?.gateway.key.name),
            None => None,
        };
        let wanted = |route: &GatewayRoute| {
            let of = &route.key.service;
            clusters.passes(&of.cluster.name) && service.is_none_or(|named| is_named(of, named))
        };
        let mut found = self.routes_of(&ctx.scope, gateway.as_ref(), wanted).await?;
        found.retain(|one| {
            (status.is_empty() || status.contains(&one.status)) && port.is_none_or(|port| port == one.port)
        });
        // The store sorts the pairs as `CLUSTER/SERVICE`; pages go on by the same text.
        let key = |one: &Route| {
            let (gateway, service) = (&one.route.key.gateway.name, &one.route.key.service);
            (gateway.to_string(), format!("{}/{}", service.cluster.name, service.name))
        };
        found.sort_by_key(key);
        let page = page_of(found, &page, key);
        Ok(ListGatewayRoutesResponse {
            gateway_routes: Some(page.items.iter().map(summary).collect()),
            next_token: pager.next_token(&page, key),
        })
    }

    /// Describes a route.
    ///
    /// # Errors
    /// `ResourceNotFoundException`; `InvalidParameterException` for what is no ARN of a route.
    pub async fn describe_route(
        &self,
        ctx: &Context,
        request: DescribeGatewayRouteRequest,
    ) -> Result<DescribeGatewayRouteResponse> {
        check_model(&request)?;
        let arn = Arn::parse(&request.gateway_route_arn)
            .filter(|arn| arn.service == "ecs" && arn.kind == "gateway-route")
            .ok_or_else(|| {
                EcsError::invalid_parameter("gatewayRouteArn must be the ARN of a gateway route.")
            })?;
        arn.within(&ctx.scope)?;
        let not_found = || EcsError::new(ErrorCode::ResourceNotFound, "Gateway route not found.");
        let key = GatewayRouteKey::parse(&ctx.scope, &request.gateway_route_arn).ok_or_else(not_found)?;
        let wanted = |route: &GatewayRoute| route.key == key;
        let found = self.routes_of(&ctx.scope, Some(&key.gateway.name), wanted).await?.pop();
        Ok(DescribeGatewayRouteResponse { gateway_route: Some(view(&found.ok_or_else(not_found)?)) })
    }
}

/// Whether a service is meant: its name is that of services in several clusters, its ARN is its own.
fn is_named(service: &ServiceKey, named: &str) -> bool {
    if Arn::parse(named).is_some() { service.arn() == named } else { service.name.as_str() == named }
}

fn summary(one: &Route) -> GatewayRouteSummary {
    let key = &one.route.key;
    GatewayRouteSummary {
        gateway_route_arn: Some(key.arn()),
        gateway_arn: Some(key.gateway.arn()),
        cluster_arn: Some(key.service.cluster.arn()),
        service_arn: Some(key.service.arn()),
        service_container_port_name: Some(one.port.clone()),
        status: Some(one.status),
    }
}

fn view(one: &Route) -> model::GatewayRoute {
    let key = &one.route.key;
    model::GatewayRoute {
        gateway_route_arn: Some(key.arn()),
        service_arn: Some(key.service.arn()),
        service_container_port_name: Some(one.port.clone()),
        status: Some(one.status),
        service_url: Some(key.url()),
        // What the gateway manages for it outside ECS isn't there.
        resources: None,
    }
}
