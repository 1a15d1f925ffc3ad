//! Connecting the deployments of a service to gateways, and letting go of them.

use std::collections::BTreeSet;

use kecs_domain::arn::{GatewayKey, GatewayRouteKey, ServiceKey};
use kecs_domain::gateway::GatewayRoute;
use kecs_domain::name::GatewayName;
use kecs_domain::resource::{Resource, ResourceKey, ResourceKind};
use kecs_domain::service::{GatewayAccess, Service};

use super::{Read, list};
use crate::context::{Ports, Result};
use crate::ports::{Changes, Entity, EntityKey, Expect, WakeKey};

/// Decides which gateways the service's next deployment is connected to: those that its cluster is associated with
/// now, as far as its connector lets them. They are to be given to [`enter`] when the deployment is made.
pub(crate) async fn connect(ports: &Ports, service: &mut Service) -> Result<Vec<Read>> {
    let connector = service.revision_extras.gateway_connectors.iter().flatten().next().cloned();
    let Some(connector) = connector else {
        service.revision_extras.gateways = Vec::new();
        return Ok(Vec::new());
    };
    let cluster = &service.key.cluster;
    let all = list(ports, ResourceKind::Gateway, &cluster.scope, None).await?;
    let mut chosen: Vec<Read> = all.into_iter().filter_map(Read::of).collect();
    chosen.retain(|read| read.gateway.takes(&cluster.name, &connector));
    let access =
        |read: &Read| GatewayAccess { gateway: read.gateway.key.name.clone(), access: read.gateway.access() };
    service.revision_extras.gateways = chosen.iter().map(access).collect();
    Ok(chosen)
}

/// Enters the routes of a deployment that is made in these changes. Its gateways stay associated until it is there.
pub(crate) fn enter(service: &ServiceKey, gateways: &[Read], changes: &mut Changes) {
    for read in gateways {
        read.keep(changes);
        let route = Entity::from(kept(service, &read.gateway.key.name));
        changes.puts.push((route, Expect::Any));
    }
}

/// Keeps the routes in step with a service that its scheduler changes: deployments that are through are gone, and a
/// rollback brings one with the connections of an earlier revision. Gives back which gateways have to look at it.
pub(crate) fn follow(before: &Service, after: &Service, changes: &mut Changes) -> Vec<WakeKey> {
    let (had, has): (BTreeSet<_>, BTreeSet<_>) = (before.gateways(), after.gateways());
    for gained in has.difference(&had) {
        changes.puts.push((Entity::from(kept(&after.key, gained)), Expect::Any));
    }
    let mut wake = Vec::new();
    for lost in had.difference(&has) {
        let key = kept(&after.key, lost).key;
        changes.deletes.push((EntityKey::Resource(key), Expect::Any));
        let scope = after.key.cluster.scope.clone();
        wake.push(WakeKey::Gateway(GatewayKey { scope, name: lost.clone() }));
    }
    wake
}

/// A route as it is kept.
fn kept(service: &ServiceKey, gateway: &GatewayName) -> Resource {
    let scope = &service.cluster.scope;
    let gateway_key = GatewayKey { scope: scope.clone(), name: gateway.clone() };
    let route = GatewayRoute { key: GatewayRouteKey { gateway: gateway_key, service: service.clone() } };
    let ResourceKey { parent, id, .. } = route_key(service, gateway);
    Resource::new(scope, parent, id, route)
}

fn route_key(service: &ServiceKey, gateway: &GatewayName) -> ResourceKey {
    let id = format!("{}/{}", service.cluster.name, service.name);
    ResourceKey::of::<GatewayRoute>(&service.cluster.scope, gateway.as_str(), id)
}
