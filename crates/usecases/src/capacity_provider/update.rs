//! UpdateCapacityProvider.

use kecs_domain::arn::cluster_ref;
use kecs_domain::capacity_provider::{CapacityProvider, does_not_exist, is_predefined, name_of};
use kecs_domain::model::{UpdateCapacityProviderRequest, UpdateCapacityProviderResponse};
use kecs_domain::{Doc, EcsError};

use super::load::stored;
use super::{CapacityProviders, find};
use crate::context::{check_model, retry_conflicts};
use crate::ports::{Changes, Version};
use crate::task::existing_cluster;
use crate::{Context, Result};

impl CapacityProviders<'_> {
    /// Changes how a provider's group is scaled and protected, or what its managed instances are like. Members that
    /// are left out stay. Tasks that run are not touched.
    ///
    /// # Errors
    /// `ClientException` for one that there isn't; `InvalidParameterException` for Fargate's and for what is wrong
    /// with the request; `ClusterNotFoundException`.
    pub async fn update(
        &self,
        ctx: &Context,
        request: UpdateCapacityProviderRequest,
    ) -> Result<UpdateCapacityProviderResponse> {
        check_model(&request)?;
        let name = name_of(&ctx.scope, &request.name);
        let updated = retry_conflicts(|| async {
            let (found, version) = self.find_active(ctx, name, request.cluster.as_deref(), "updated").await?;
            let updated = found.updated(&request)?;
            let mut changes = Changes::new();
            changes.update(stored(updated.clone()), version);
            self.ports.unit_of_work.commit(changes).await?;
            Ok(updated)
        })
        .await?;
        Ok(UpdateCapacityProviderResponse { capacity_provider: Some(Doc::new(updated.view(true))) })
    }

    /// The ACTIVE provider of the account's own that a request is about, with its version.
    pub(super) async fn find_active(
        &self,
        ctx: &Context,
        name: &str,
        cluster: Option<&str>,
        verb: &str,
    ) -> Result<(CapacityProvider, Version)> {
        if is_predefined(name) {
            return Err(EcsError::invalid_parameter(format!(
                "The capacity provider {name} is reserved and can't be {verb}."
            ))
            .into());
        }
        let cluster = match cluster {
            None => None,
            Some(_) => {
                existing_cluster(self.ports, &ctx.scope, cluster).await?;
                Some(cluster_ref(&ctx.scope, cluster)?.name)
            }
        };
        let found = find(self.ports, &ctx.scope, name).await?;
        let found = found.filter(|(found, _)| {
            found.active && cluster.as_ref().is_none_or(|named| found.cluster.as_ref() == Some(named))
        });
        Ok(found.ok_or_else(does_not_exist)?)
    }
}
