//! PutClusterCapacityProviders: which capacity providers a cluster has, and its default strategy.

use kecs_domain::arn::{ClusterKey, cluster_ref};
use kecs_domain::cluster::{Cluster, ClusterSpec, Include, strategy};
use kecs_domain::{EcsError, ErrorCode, model};

use super::{Clusters, find_changeable, view};
use crate::capacity_provider::{is_used, load};
use crate::context::{check_model, retry_conflicts};
use crate::ports::Changes;
use crate::{Context, Result};

impl Clusters<'_> {
    /// Gives a cluster these capacity providers and this default strategy, and no others.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `ClientException` for an INACTIVE cluster; `InvalidParameterException` for a
    /// provider that there isn't and for a strategy that breaks a rule; `ResourceInUseException` when one that is
    /// left out is used by a task or a service.
    pub async fn put_capacity_providers(
        &self,
        ctx: &Context,
        request: model::PutClusterCapacityProvidersRequest,
    ) -> Result<model::PutClusterCapacityProvidersResponse> {
        check_model(&request)?;
        let key = cluster_ref(&ctx.scope, Some(&request.cluster))?;
        let (before, after) = retry_conflicts(|| self.try_put(&key, &request)).await?;

        // A task or a service may have come in between the check and the commit: such a commit requires the cluster
        // to be as it was read, but doesn't change it. From now on none can, so this check is the last word. If we
        // die before it, what runs on a provider that is gone runs on.
        if is_used(self.ports, &key, &removed(&before, &after.settings)).await? {
            self.change(&key, |spec| {
                if spec.capacity_providers == after.settings.capacity_providers {
                    spec.put_back(&before);
                }
                Ok(())
            })
            .await?;
            return Err(in_use().into());
        }
        let view = view(self.ports, &after, Include::UPDATED).await?;
        Ok(model::PutClusterCapacityProvidersResponse { cluster: Some(view.into()) })
    }

    /// The cluster's settings before, and the cluster afterwards.
    async fn try_put(
        &self,
        key: &ClusterKey,
        request: &model::PutClusterCapacityProvidersRequest,
    ) -> Result<(ClusterSpec, Cluster)> {
        let found = find_changeable(self.ports, key).await?;
        let given = &request.capacity_providers;
        let loaded = load(self.ports, &key.scope, given.iter().map(String::as_str)).await?;
        let providers = strategy::check_providers(key, given, &loaded.known)?;
        let default = strategy::check_default(
            &key.scope,
            &request.default_capacity_provider_strategy,
            &providers,
            &loaded.known,
        )?;
        let mut cluster = Cluster::clone(&found);
        cluster.settings.associate(providers, default, &mut || self.ports.ids.uuid());
        if is_used(self.ports, key, &removed(&found.settings, &cluster.settings)).await? {
            return Err(in_use().into());
        }
        if cluster != *found.value {
            let mut changes = Changes::new();
            changes.update(cluster.clone(), found.version);
            loaded.associate(key, &cluster.settings.capacity_providers, &mut changes);
            self.ports.unit_of_work.commit(changes).await?;
        }
        Ok((found.settings.clone(), cluster))
    }
}

/// The providers that a cluster had and has no more.
fn removed(before: &ClusterSpec, after: &ClusterSpec) -> Vec<String> {
    let gone = before.capacity_providers.iter().filter(|name| !after.capacity_providers.contains(name));
    gone.cloned().collect()
}

fn in_use() -> EcsError {
    EcsError::new(
        ErrorCode::ResourceInUse,
        "The specified capacity provider is in use and cannot be removed.",
    )
}
