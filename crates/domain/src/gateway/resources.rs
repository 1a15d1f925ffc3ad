//! What a gateway manages outside ECS: one shared entry, and a rule in it for each route.
//!
//! The ARNs name that entry and its rules the way AWS names a load balancer's; they follow from the gateway's and the
//! route's identity and never change. Nothing stands behind them yet. On Kubernetes the entry would be a Gateway of
//! the Gateway API (or an Ingress) in a namespace of the gateway's own, with a certificate for the routes' hosts, and
//! a rule an HTTPRoute to a Service that selects the service's Pods; `crate::endpoint` says more of the names. What
//! only AWS has, security groups, certificates and target groups, is left out of the answers.

use crate::arn::{GatewayKey, GatewayRouteKey};
use crate::endpoint::digest;
use crate::model::{ElbGatewayResources, GatewayRouteAlbResources};

/// The longest name of a load balancer, without the prefix. (Elastic Load Balancing)
const LONGEST: usize = 28;

/// `KIND/app/ecs-GATEWAY/HASH`
fn path(gateway: &GatewayKey, kind: &str) -> String {
    let scope = &gateway.scope;
    let name: String = gateway.name.as_str().replace('_', "-").chars().take(LONGEST).collect();
    format!(
        "arn:{}:elasticloadbalancing:{}:{}:{kind}/app/ecs-{}/{}",
        scope.partition(),
        scope.region(),
        scope.account(),
        name.trim_matches('-'),
        digest(&gateway.arn(), 16)
    )
}

fn listener(gateway: &GatewayKey, kind: &str) -> String {
    format!("{}/{}", path(gateway, kind), digest(&format!("{}:443", gateway.arn()), 16))
}

/// The gateway's entry with the routes that lead through it; None if there are none: it is made for the first one.
pub fn entry(gateway: &GatewayKey, routes: &[GatewayRouteKey]) -> Option<ElbGatewayResources> {
    if routes.is_empty() {
        return None;
    }
    Some(ElbGatewayResources {
        load_balancer_arn: Some(path(gateway, "loadbalancer")),
        listener_arn: Some(listener(gateway, "listener")),
        security_group: None,
        gateway_route_arns: Some(routes.iter().map(GatewayRouteKey::arn).collect()),
    })
}

/// What belongs to one route.
pub fn of_route(route: &GatewayRouteKey) -> GatewayRouteAlbResources {
    let gateway = &route.gateway;
    GatewayRouteAlbResources {
        load_balancer_arn: Some(path(gateway, "loadbalancer")),
        listener_arn: Some(listener(gateway, "listener")),
        listener_rule_arn: Some(format!(
            "{}/{}",
            listener(gateway, "listener-rule"),
            digest(&route.arn(), 16)
        )),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;
    use crate::arn::gateway_ref;

    #[test]
    fn there_is_one_entry_for_all_routes_and_a_rule_for_each() {
        let scope = Scope::new("123456789012", "eu-central-1");
        let gateway = gateway_ref(&scope, "Front_Door").unwrap().unwrap();
        assert_eq!(entry(&gateway, &[]), None);
        let route = |service: &str| {
            let arn =
                format!("arn:aws:ecs:eu-central-1:123456789012:gateway-route/Front_Door/main/{service}");
            GatewayRouteKey::parse(&scope, &arn).unwrap()
        };
        let (web, shop) = (route("web"), route("shop"));
        let made = entry(&gateway, &[web.clone(), shop.clone()]).unwrap();
        let arn = made.load_balancer_arn.unwrap();
        let start = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/ecs-Front-Door/";
        assert!(arn.starts_with(start), "{arn}");
        assert_eq!(made.gateway_route_arns, Some(vec![web.arn(), shop.arn()]));
        let (one, two) = (of_route(&web), of_route(&shop));
        assert_eq!(one.load_balancer_arn, Some(arn));
        assert_eq!(one.listener_arn, made.listener_arn);
        assert_ne!(one.listener_rule_arn, two.listener_rule_arn);
    }
}
