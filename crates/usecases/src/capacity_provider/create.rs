//! CreateCapacityProvider.

use kecs_domain::arn::{ClusterKey, cluster_ref};
use kecs_domain::capacity_provider::{Capacity, CapacityProvider};
use kecs_domain::cluster::Cluster;
use kecs_domain::model::{
    CapacityProviderStatus, CapacityProviderUpdateStatus, CreateCapacityProviderRequest,
    CreateCapacityProviderResponse,
};
use kecs_domain::pagination::PageRequest;
use kecs_domain::resource::ResourceValue;
use kecs_domain::{Doc, EcsError};

use super::load::stored;
use super::{CapacityProviders, find};
use crate::context::{check_model, retry_conflicts};
use crate::ports::{Changes, ResourceQuery};
use crate::task::active_cluster;
use crate::{Context, Result};

/// How many providers are looked at together.
const PAGE: usize = 500;

impl CapacityProviders<'_> {
    /// Creates a provider. One of an Auto Scaling group can then be given to clusters; one of Managed Instances
    /// belongs to the cluster that it names, and is in it at once.
    ///
    /// # Errors
    /// `ClientException` for a bad name, for one that is taken, and for a group that another provider has;
    /// `InvalidParameterException` for what else is wrong; `ClusterNotFoundException`.
    pub async fn create(
        &self,
        ctx: &Context,
        request: CreateCapacityProviderRequest,
    ) -> Result<CreateCapacityProviderResponse> {
        let cluster =
            request.cluster.as_deref().map(|named| cluster_ref(&ctx.scope, Some(named))).transpose()?;
        // Before the model's own checks: for names and tags, ECS has words of its own.
        let name = cluster.as_ref().map(|cluster| cluster.name.clone());
        let wanted = CapacityProvider::create(&ctx.scope, &request, name)?;
        check_model(&request)?;
        retry_conflicts(|| self.try_create(ctx, &wanted, cluster.as_ref())).await?;
        let mut view = wanted.view(true);
        if cluster.is_some() {
            // What it is at the moment of the request; it is there before anybody can ask again.
            view.status = Some(CapacityProviderStatus::Provisioning);
            view.update_status = Some(CapacityProviderUpdateStatus::CreateInProgress);
        }
        Ok(CreateCapacityProviderResponse { capacity_provider: Some(Doc::new(view)) })
    }

    async fn try_create(
        &self,
        ctx: &Context,
        wanted: &CapacityProvider,
        cluster: Option<&ClusterKey>,
    ) -> Result<()> {
        let mut changes = Changes::new();
        let mut provider = wanted.clone();
        if let Some(cluster) = cluster {
            let found = active_cluster(self.ports, &ctx.scope, Some(cluster.name.as_str())).await?;
            let mut changed = Cluster::clone(&found);
            changed.settings.add_scoped(&wanted.name, &mut || self.ports.ids.uuid())?;
            changes.update(changed, found.version);
            provider.clusters.insert(cluster.name.clone());
        }
        match find(self.ports, &ctx.scope, &wanted.name).await? {
            None => changes.create(stored(provider)),
            Some((old, version)) if !old.active => changes.update(stored(provider), version),
            Some(_) => {
                return Err(EcsError::client(
                    "The specified capacity provider already exists. To change the configuration of an existing capacity provider, update the capacity provider.",
                )
                .into());
            }
        };
        self.check_group(ctx, wanted).await?;
        self.ports.unit_of_work.commit(changes).await?;
        Ok(())
    }

    /// A group belongs to one provider. Two that are made at the same moment may both pass this: then they share
    /// their nodes, which harms neither.
    async fn check_group(&self, ctx: &Context, wanted: &CapacityProvider) -> Result<()> {
        let Capacity::AutoScalingGroup(wanted) = &wanted.capacity else { return Ok(()) };
        let taken = self.all(ctx).await?.into_iter().any(|other| {
            matches!(&other.capacity, Capacity::AutoScalingGroup(group)
                if other.active && group.auto_scaling_group_arn == wanted.auto_scaling_group_arn)
        });
        if taken {
            return Err(EcsError::client(
                "The specified Auto Scaling group ARN is already being used by another capacity provider. Specify a unique Auto Scaling group ARN and try again.",
            )
            .into());
        }
        Ok(())
    }

    /// The account's own providers by name, INACTIVE ones too.
    pub(super) async fn all(&self, ctx: &Context) -> Result<Vec<CapacityProvider>> {
        let query = ResourceQuery {
            kind: CapacityProvider::KIND,
            scope: ctx.scope.clone(),
            parent: Some(String::new()),
        };
        let mut providers = Vec::new();
        let mut after = None;
        loop {
            let page =
                self.ports.resources.list_resources(&query, PageRequest { after, limit: PAGE }).await?;
            providers
                .extend(page.items.iter().filter_map(|found| found.value.get::<CapacityProvider>().cloned()));
            if !page.more {
                return Ok(providers);
            }
            after = page.items.last().map(|last| (last.key.parent.clone(), last.key.id.clone()));
        }
    }
}
