//! UpdateContainerAgent.

use kecs_domain::Doc;
use kecs_domain::arn::container_instance_ref;
use kecs_domain::container_instance::Shown;
use kecs_domain::model::{UpdateContainerAgentRequest, UpdateContainerAgentResponse};

use super::{ContainerInstances, find, not_found, view};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, EntityKey};
use crate::task::active_cluster;

impl ContainerInstances<'_> {
    /// Asks an agent to update itself. The update is through when it registers again with a newer version. What runs
    /// on nodes is this program, which has no other agent to offer.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for an instance that isn't there or is INACTIVE;
    /// `UpdateInProgressException`, `MissingVersionException` and `NoUpdateAvailableException`.
    pub async fn update_agent(
        &self,
        ctx: &Context,
        request: UpdateContainerAgentRequest,
    ) -> Result<UpdateContainerAgentResponse> {
        check_model(&request)?;
        let named = &request.container_instance;
        let (key, member) = retry_conflicts(|| async {
            let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
            let id = container_instance_ref(&cluster.key, named)?;
            let member = find(self.ports, &cluster.key, id).await?.filter(|member| !member.is_inactive());
            let member = member.ok_or_else(|| not_found(named))?;
            let mut kept = member.to_kept();
            kept.update_agent()?;
            let mut changes = Changes::new();
            member.save(&cluster.key, kept.clone(), &mut changes);
            changes.require(EntityKey::Cluster(cluster.key.clone()), cluster.version);
            self.ports.unit_of_work.commit(changes).await?;
            Ok((cluster.key.clone(), member.with(&cluster.key, kept)))
        })
        .await?;
        let view = view(self.ports, &key, &member, Shown::default()).await?;
        Ok(UpdateContainerAgentResponse { container_instance: Some(Doc::new(view)) })
    }
}
