//! DeleteCapacityProvider: ACTIVE becomes INACTIVE, if no cluster has it.

use kecs_domain::Doc;
use kecs_domain::arn::ClusterKey;
use kecs_domain::capacity_provider::{CapacityProvider, name_of};
use kecs_domain::cluster::Cluster;
use kecs_domain::model::{
    CapacityProviderUpdateStatus, DeleteCapacityProviderRequest, DeleteCapacityProviderResponse,
};
use kecs_domain::name::ClusterName;

use super::load::stored;
use super::{CapacityProviders, is_used};
use crate::context::{check_model, retry_conflicts};
use crate::ports::{Changes, EntityKey, Version};
use crate::{Context, Result};

/// What came of an attempt to delete.
enum Outcome {
    /// It is INACTIVE now; before it was this.
    Deleted(CapacityProvider),
    /// It stays, and says why.
    Kept(CapacityProvider),
}

impl CapacityProviders<'_> {
    /// Deletes a provider. One that a cluster has stays, with `DELETE_FAILED` and the reason, as in ECS: that is no
    /// error. One of Managed Instances leaves its cluster with this, unless it is used there.
    ///
    /// # Errors
    /// `ClientException` for one that there isn't; `InvalidParameterException` for Fargate's;
    /// `ClusterNotFoundException`.
    pub async fn delete(
        &self,
        ctx: &Context,
        request: DeleteCapacityProviderRequest,
    ) -> Result<DeleteCapacityProviderResponse> {
        check_model(&request)?;
        let name = name_of(&ctx.scope, &request.capacity_provider);
        let outcome = retry_conflicts(|| async {
            let (found, version) = self.find_active(ctx, name, request.cluster.as_deref(), "deleted").await?;
            match found.cluster.clone() {
                None => self.delete_free(found, version).await,
                Some(cluster) => self.delete_scoped(found, version, cluster).await,
            }
        })
        .await?;
        let provider = match outcome {
            // What it is at the moment of the request; it is gone before anybody can ask again.
            Outcome::Deleted(before) => CapacityProvider {
                update: Some(CapacityProviderUpdateStatus::DeleteInProgress),
                update_reason: None,
                ..before
            },
            Outcome::Kept(provider) => provider,
        };
        Ok(DeleteCapacityProviderResponse { capacity_provider: Some(Doc::new(provider.view(true))) })
    }

    async fn commit(&self, provider: CapacityProvider, read: Version, mut changes: Changes) -> Result<()> {
        changes.update(stored(provider), read);
        self.ports.unit_of_work.commit(changes).await?;
        Ok(())
    }

    async fn keep(&self, found: &CapacityProvider, read: Version, reason: String) -> Result<Outcome> {
        let kept = found.kept(reason);
        self.commit(kept.clone(), read, Changes::new()).await?;
        Ok(Outcome::Kept(kept))
    }

    /// Deletes a provider that any cluster can have. None can get it meanwhile: with that it would change.
    async fn delete_free(&self, found: CapacityProvider, read: Version) -> Result<Outcome> {
        let keys: Vec<_> =
            found.clusters.iter().map(|name| ClusterKey::new(found.scope.clone(), name.clone())).collect();
        let clusters = self.ports.clusters.clusters(&keys).await?;
        let mut changes = Changes::new();
        for cluster in clusters.into_iter().flatten() {
            if cluster.is_active() && cluster.settings.capacity_providers.contains(&found.name) {
                let reason = format!(
                    "The capacity provider cannot be deleted because it is associated with cluster: {}. Remove the capacity provider from the cluster and try again.",
                    cluster.key.name
                );
                return self.keep(&found, read, reason).await;
            }
            changes.require(EntityKey::Cluster(cluster.key.clone()), cluster.version);
        }
        self.commit(found.deleted(), read, changes).await?;
        Ok(Outcome::Deleted(found))
    }

    /// Deletes a provider that belongs to a cluster, and takes it out of there.
    async fn delete_scoped(
        &self,
        found: CapacityProvider,
        read: Version,
        cluster: ClusterName,
    ) -> Result<Outcome> {
        let key = ClusterKey::new(found.scope.clone(), cluster);
        let Some(cluster) = crate::cluster::find(self.ports, &key).await? else {
            self.commit(found.deleted(), read, Changes::new()).await?;
            return Ok(Outcome::Deleted(found));
        };
        let names = [found.name.clone()];
        let in_use = format!(
            "The capacity provider cannot be deleted because it is in use in cluster: {}. Remove it from the strategies of the cluster and of its services, and try again.",
            key.name
        );
        if cluster.settings.is_default(&found.name) || is_used(self.ports, &key, &names).await? {
            return self.keep(&found, read, in_use).await;
        }
        let mut without = Cluster::clone(&cluster);
        without.settings.remove_scoped(&found.name);
        let mut changes = Changes::new();
        changes.update(without, cluster.version);
        self.commit(found.deleted(), read, changes).await?;

        // A task may have come in between the check and the commit: such a commit requires the cluster to be as it
        // was read, but doesn't change it. From now on none can, so this check is the last word.
        if is_used(self.ports, &key, &names).await? {
            let kept = found.kept(in_use);
            self.restore(&key, &kept).await?;
            return Ok(Outcome::Kept(kept));
        }
        Ok(Outcome::Deleted(found))
    }

    /// Puts a provider back into its cluster. Nobody else changes one that is INACTIVE but CreateCapacityProvider,
    /// which then has the last word.
    async fn restore(&self, key: &ClusterKey, kept: &CapacityProvider) -> Result<()> {
        retry_conflicts(|| async {
            let stored = super::find(self.ports, &kept.scope, &kept.name).await?;
            let Some((_, version)) = stored.filter(|(now, _)| !now.active) else { return Ok(()) };
            let mut changes = Changes::new();
            if let Some(cluster) = crate::cluster::find(self.ports, key).await? {
                let mut with = Cluster::clone(&cluster);
                with.settings.add_scoped(&kept.name, &mut || self.ports.ids.uuid())?;
                changes.update(with, cluster.version);
            }
            self.commit(kept.clone(), version, changes).await
        })
        .await
    }
}
