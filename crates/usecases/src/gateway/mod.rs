//! The operations on gateways, their associations with clusters and their routes, one per file.

mod associate;
mod associations;
pub(crate) mod connect;
mod create;
mod delete;
mod describe;
mod disassociate;
mod list;
mod resources;
mod routes;
mod update;

use kecs_domain::arn::{GatewayKey, ServiceKey, gateway_ref};
use kecs_domain::gateway::{Gateway, GatewayRoute};
use kecs_domain::model::GatewayRouteStatus;
use kecs_domain::name::GatewayName;
use kecs_domain::pagination::{Page, PageRequest};
use kecs_domain::resource::{Resource, ResourceKey, ResourceKind};
use kecs_domain::{EcsError, ErrorCode, Scope};

use crate::context::{Context, Ports, Result};
use crate::ports::{Changes, EntityKey, ResourceQuery, Versioned};

/// How many resources are loaded at a time.
const PER_PAGE: usize = 1_000;

/// The operations on gateways, over some ports.
#[derive(Clone, Copy)]
pub struct Gateways<'a> {
    ports: &'a Ports,
}

/// A route that is there: its key, its status and its port.
pub(crate) struct Route {
    pub(crate) route: GatewayRoute,
    pub(crate) status: GatewayRouteStatus,
    pub(crate) port: String,
}

/// A gateway as it was read.
pub(crate) struct Read {
    pub(crate) gateway: Gateway,
    pub(crate) stored: Versioned<Resource>,
}

impl Read {
    fn of(stored: Versioned<Resource>) -> Option<Self> {
        Some(Self { gateway: stored.get::<Gateway>()?.clone(), stored })
    }

    /// Puts the gateway, as it is to be, into the changes.
    pub(crate) fn save(&self, gateway: Gateway, changes: &mut Changes) {
        changes.update(resource(gateway), self.stored.version);
    }

    /// Asks that nobody changes the gateway meanwhile.
    pub(crate) fn keep(&self, changes: &mut Changes) {
        changes.require(EntityKey::Resource(self.stored.key.clone()), self.stored.version);
    }
}

impl<'a> Gateways<'a> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports }
    }

    /// The gateway that a request names.
    ///
    /// # Errors
    /// `GatewayNotFoundException`; `InvalidParameterException` for the ARN of something else.
    async fn find(&self, ctx: &Context, named: &str) -> Result<Read> {
        let key = gateway_ref(&ctx.scope, named)?.ok_or_else(not_found)?;
        Ok(load(self.ports, &key).await?.ok_or_else(not_found)?)
    }

    /// Every gateway of the scope, by name. There are few.
    async fn all(&self, scope: &Scope) -> Result<Vec<Read>> {
        Ok(list(self.ports, ResourceKind::Gateway, scope, None)
            .await?
            .into_iter()
            .filter_map(Read::of)
            .collect())
    }

    /// The routes of one gateway, or of all of the scope, that pass `wanted`, by gateway, cluster and service.
    async fn routes_of(
        &self,
        scope: &Scope,
        gateway: Option<&GatewayName>,
        wanted: impl Fn(&GatewayRoute) -> bool,
    ) -> Result<Vec<Route>> {
        routes(self.ports, scope, gateway, wanted).await
    }
}

/// The routes that are there: those that are kept, and whose service says so.
pub(crate) async fn routes(
    ports: &Ports,
    scope: &Scope,
    gateway: Option<&GatewayName>,
    wanted: impl Fn(&GatewayRoute) -> bool,
) -> Result<Vec<Route>> {
    let stored = list(ports, ResourceKind::GatewayRoute, scope, gateway.map(GatewayName::as_str)).await?;
    let routes: Vec<GatewayRoute> = stored
        .iter()
        .filter_map(|stored| stored.get::<GatewayRoute>().filter(|route| wanted(route)).cloned())
        .collect();
    let services: Vec<ServiceKey> = routes.iter().map(|route| route.key.service.clone()).collect();
    let services = ports.services.services(&services).await?;
    let seen = routes.into_iter().zip(services).filter_map(|(route, service)| {
        let service = service?;
        let (status, port) = service.route(&route.key.gateway.name)?;
        let port = port.to_owned();
        Some(Route { route, status, port })
    });
    Ok(seen.collect())
}

/// One gateway.
pub(crate) async fn load(ports: &Ports, key: &GatewayKey) -> Result<Option<Read>> {
    let found = ports.resources.resources(std::slice::from_ref(&resource_key(key))).await?.pop().flatten();
    Ok(found.and_then(Read::of))
}

/// The resources of a kind, of one parent or of all.
async fn list(
    ports: &Ports,
    kind: ResourceKind,
    scope: &Scope,
    parent: Option<&str>,
) -> Result<Vec<Versioned<Resource>>> {
    let query = ResourceQuery { kind, scope: scope.clone(), parent: parent.map(str::to_owned) };
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = ports.resources.list_resources(&query, PageRequest { after, limit: PER_PAGE }).await?;
        after = page.items.last().map(|last| (last.key.parent.clone(), last.key.id.clone()));
        all.extend(page.items);
        if !page.more {
            return Ok(all);
        }
    }
}

fn resource_key(key: &GatewayKey) -> ResourceKey {
    ResourceKey::of::<Gateway>(&key.scope, "", key.name.as_str())
}

/// A gateway as it is kept.
pub(crate) fn resource(gateway: Gateway) -> Resource {
    let key = gateway.key.clone();
    Resource::new(&key.scope, "", key.name.as_str(), gateway)
}

/// A page of a list that is there as a whole, sorted by `key`.
fn page_of<T, K: Ord>(items: Vec<T>, request: &PageRequest<K>, key: impl Fn(&T) -> K) -> Page<T> {
    let rest = items.into_iter().filter(|item| request.after.as_ref().is_none_or(|after| key(item) > *after));
    Page::take(rest, request.limit)
}

fn not_found() -> EcsError {
    EcsError::new(ErrorCode::GatewayNotFound, "Gateway not found.")
}
