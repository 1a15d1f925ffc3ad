//! CreateCluster: makes a cluster, or answers with the one that the same request made before.

use kecs_domain::arn::{ClusterKey, cluster_ref};
use kecs_domain::cluster::{Cluster, Include};
use kecs_domain::model::SettingName;
use kecs_domain::{EcsError, model};

use super::{Clusters, find, view};
use crate::account_setting::value_of;
use crate::capacity_provider::load;
use crate::container_instance;
use crate::context::{check_model, retry_conflicts};
use crate::ports::{Changes, PortErrorKind};
use crate::{Context, Result};

impl Clusters<'_> {
    /// Creates a cluster; without a name, `default`.
    ///
    /// Idempotent: the same arguments for an ACTIVE cluster answer with that cluster. An INACTIVE one is created
    /// afresh, without its old tags and configuration.
    ///
    /// # Errors
    /// `InvalidParameterException` for an illegal name or member, and for an ACTIVE cluster that was created with
    /// other arguments; `ClientException` if the orchestrator has no room for the cluster and never will.
    pub async fn create(
        &self,
        ctx: &Context,
        request: model::CreateClusterRequest,
    ) -> Result<model::CreateClusterResponse> {
        let key = cluster_ref(&ctx.scope, request.cluster_name.as_deref())?;
        let insights = value_of(self.ports, ctx, SettingName::ContainerInsights).await?;
        let cluster = retry_conflicts(|| self.create_or_find(&key, &request, &insights)).await?;

        // If we die before this, the cluster is stored without its room. That heals: the caller had no answer and
        // asks again, and then we come here by the idempotent way. Until then an orchestrator that needs the room
        // makes it when it launches a task there.
        if let Err(error) = self.ports.orchestrator.ensure_cluster(&key).await {
            // A refusal that asking again won't change is the caller's to know: somebody has to make room.
            return Err(match error.kind {
                PortErrorKind::Permanent => EcsError::client(error.message).into(),
                _ => error.into(),
            });
        }

        let view = view(self.ports, &cluster, Include::CREATED).await?;
        Ok(model::CreateClusterResponse { cluster: Some(view.into()) })
    }

    async fn create_or_find(
        &self,
        key: &ClusterKey,
        request: &model::CreateClusterRequest,
        insights: &str,
    ) -> Result<Cluster> {
        let named = request.capacity_providers.iter().flatten();
        let loaded = load(self.ports, &key.scope, named.map(String::as_str)).await?;
        // Before the model's own checks: for tags, ECS has words of its own.
        let mut wanted = Cluster::create(key.clone(), request, insights, &loaded.known)?;
        check_model(request)?;
        let mut changes = Changes::new();
        let old = match find(self.ports, key).await? {
            None => None,
            Some(found) if found.is_active() => {
                return if found.was_created_like(&wanted) {
                    Ok(Cluster::clone(&found))
                } else {
                    Err(EcsError::invalid_parameter(
                        "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
                    )
                    .into())
                };
            }
            Some(found) => Some(found.version),
        };
        wanted.settings.attach(&mut || self.ports.ids.uuid());
        match old {
            None => {
                changes.create(wanted.clone());
            }
            Some(version) => {
                // Whoever deleted it may have died before it had forgotten its instances.
                container_instance::forget_all(self.ports, key, &mut changes).await?;
                changes.update(wanted.clone(), version);
            }
        }
        loaded.associate(key, &wanted.settings.capacity_providers, &mut changes);
        self.ports.unit_of_work.commit(changes).await?;
        Ok(wanted)
    }
}
