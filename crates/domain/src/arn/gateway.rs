//! The ARNs of gateways and of their routes.

use serde::{Deserialize, Serialize};

use super::{Arn, ClusterKey, ServiceKey, ecs_arn};
use crate::error::EcsError;
use crate::name::{ClusterName, GatewayName, ServiceName};
use crate::scope::Scope;

/// A gateway's identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GatewayKey {
    /// Whose gateway.
    pub scope: Scope,
    /// Its name.
    pub name: GatewayName,
}

/// The identity of a gateway route: a service behind a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GatewayRouteKey {
    /// The gateway.
    pub gateway: GatewayKey,
    /// The service, of the same scope.
    pub service: ServiceKey,
}

impl GatewayKey {
    /// `gateway/NAME`
    pub fn arn(&self) -> String {
        ecs_arn(&self.scope, format_args!("gateway/{}", self.name))
    }
}

impl GatewayRouteKey {
    /// `gateway-route/GATEWAY/CLUSTER/SERVICE`
    pub fn arn(&self) -> String {
        let (gateway, service) = (&self.gateway, &self.service);
        ecs_arn(
            &gateway.scope,
            format_args!("gateway-route/{}/{}/{}", gateway.name, service.cluster.name, service.name),
        )
    }

    /// Reads the ARN of a route of `scope`; `None` if it is none.
    pub fn parse(scope: &Scope, text: &str) -> Option<Self> {
        let arn = Arn::parse(text).filter(|arn| arn.service == "ecs" && arn.kind == "gateway-route")?;
        arn.within(scope).ok()?;
        let mut parts = arn.rest.splitn(3, '/');
        let gateway = GatewayKey { scope: scope.clone(), name: GatewayName::parse(parts.next()?)? };
        let cluster = ClusterKey::new(scope.clone(), ClusterName::parse(parts.next()?)?);
        Some(Self { gateway, service: ServiceKey { cluster, name: ServiceName::parse(parts.next()?)? } })
    }
}

/// Reads a gateway as clients name it: a name or an ARN. None for a name that no gateway can have and for another
/// scope's ARN: there is no such gateway here.
///
/// # Errors
/// `InvalidParameterException` for the ARN of something else.
pub fn gateway_ref(scope: &Scope, text: &str) -> Result<Option<GatewayKey>, EcsError> {
    let name = match Arn::parse(text) {
        None => text,
        Some(arn) => {
            arn.expect_kind("gateway")?;
            if arn.within(scope).is_err() {
                return Ok(None);
            }
            arn.rest
        }
    };
    Ok(GatewayName::parse(name).map(|name| GatewayKey { scope: scope.clone(), name }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope::new("123456789012", "eu-central-1")
    }

    #[test]
    fn gateways_and_their_routes_are_named_by_arn_and_gateways_by_name_too() {
        let arn = "arn:aws:ecs:eu-central-1:123456789012:gateway/front";
        for text in ["front", arn] {
            assert_eq!(gateway_ref(&scope(), text).unwrap().unwrap().arn(), arn);
        }
        for text in ["", "no spaces", "arn:aws:ecs:eu-central-1:999999999999:gateway/front"] {
            assert_eq!(gateway_ref(&scope(), text), Ok(None), "{text}");
        }
        assert!(gateway_ref(&scope(), "arn:aws:ecs:eu-central-1:123456789012:cluster/front").is_err());
        let route = "arn:aws:ecs:eu-central-1:123456789012:gateway-route/front/main/web";
        assert_eq!(GatewayRouteKey::parse(&scope(), route).unwrap().arn(), route);
        for text in ["front", arn, "arn:aws:ecs:eu-central-1:123456789012:gateway-route/front/main"] {
            assert_eq!(GatewayRouteKey::parse(&scope(), text), None, "{text}");
        }
    }
}
