//! One gateway: carry out its update, and let go of the clusters that have no routes any more.

use kecs_domain::arn::GatewayKey;
use kecs_domain::gateway::{Association, Gateway};
use kecs_domain::model::GatewayStatus;
use kecs_domain::pagination::PageRequest;
use kecs_domain::resource::ResourceKind;

use super::{Next, Reconciler};
use crate::context::{Result, retry_conflicts};
use crate::gateway::{load, routes};
use crate::ports::{Changes, WakeKey};

/// How many gateways are loaded at a time.
const PER_PAGE: usize = 1_000;

impl Reconciler<'_> {
    pub(super) async fn gateway(&self, key: &GatewayKey) -> Result<Next> {
        retry_conflicts(|| self.try_gateway(key)).await?;
        Ok(Next::default())
    }

    async fn try_gateway(&self, key: &GatewayKey) -> Result<()> {
        let Some(read) = load(self.ports, key).await?.filter(|read| read.gateway.is_restless()) else {
            return Ok(());
        };
        let mut gateway = read.gateway.clone();
        if gateway.status == GatewayStatus::UpdateInProgress {
            // Here the shared entry would get its new settings; as it has no counterpart, what is stored is all there
            // is to an update.
            gateway.status = GatewayStatus::UpdateComplete;
        }
        let routed = routes(self.ports, &key.scope, Some(&key.name), |_| true).await?;
        gateway.clusters.retain(|cluster, association| {
            let has_routes = routed.iter().any(|one| one.route.key.service.cluster.name == *cluster);
            *association == Association::Active || has_routes
        });
        if gateway != read.gateway {
            let mut changes = Changes::new();
            read.save(gateway, &mut changes);
            self.ports.unit_of_work.commit(changes).await?;
        }
        Ok(())
    }

    /// Wakes the gateways that aren't at rest.
    pub(super) async fn wake_gateways(&self) -> Result<()> {
        let mut after = None;
        loop {
            let request = PageRequest { after, limit: PER_PAGE };
            let page = self.ports.resources.resources_everywhere(ResourceKind::Gateway, request).await?;
            let gateways = page.items.iter().filter_map(|stored| stored.get::<Gateway>());
            let restless = gateways.filter(|gateway| gateway.is_restless());
            self.ports.wake.wake(restless.map(|gateway| WakeKey::Gateway(gateway.key.clone())).collect());
            after = page.items.last().map(|stored| stored.key.clone());
            if !page.more {
                return Ok(());
            }
        }
    }
}
