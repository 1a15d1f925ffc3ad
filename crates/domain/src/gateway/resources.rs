//! What a gateway manages outside ECS: one shared entry, with the routes that lead through it.
//!
//! In AWS that is a load balancer with a listener, and a rule for each route. Here nothing of that is there yet, so
//! their ARNs are left out of the answers: whoever looked one up would find nothing. On Kubernetes the entry would be a
//! Gateway of the Gateway API (or an Ingress) in a namespace of the gateway's own, with a certificate for the routes'
//! hosts, and a rule an HTTPRoute to a Service that selects the service's Pods; `crate::endpoint` says more of the
//! names.

use crate::arn::GatewayRouteKey;
use crate::model::ElbGatewayResources;

/// The gateway's entry with the routes that lead through it; None if there are none: it is made for the first one.
pub fn entry(routes: &[GatewayRouteKey]) -> Option<ElbGatewayResources> {
    let arns = routes.iter().map(GatewayRouteKey::arn).collect();
    (!routes.is_empty())
        .then(|| ElbGatewayResources { gateway_route_arns: Some(arns), ..ElbGatewayResources::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;

    #[test]
    fn there_is_one_entry_for_all_routes_and_none_without() {
        assert_eq!(entry(&[]), None);
        let scope = Scope::new("123456789012", "eu-central-1");
        let route = |service: &str| {
            let arn =
                format!("arn:aws:ecs:eu-central-1:123456789012:gateway-route/Front_Door/main/{service}");
            GatewayRouteKey::parse(&scope, &arn).unwrap()
        };
        let (web, shop) = (route("web"), route("shop"));
        let made = entry(&[web.clone(), shop.clone()]).unwrap();
        assert_eq!(made.gateway_route_arns, Some(vec![web.arn(), shop.arn()]));
        assert_eq!((made.load_balancer_arn, made.listener_arn), (None, None), "nothing is called so");
    }
}
