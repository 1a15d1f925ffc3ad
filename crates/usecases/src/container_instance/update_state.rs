//! UpdateContainerInstancesState: ACTIVE or DRAINING.

use kecs_domain::arn::container_instance_ref;
use kecs_domain::container_instance::{InstanceState, Shown};
use kecs_domain::model::{
    ContainerInstanceStatus, UpdateContainerInstancesStateRequest, UpdateContainerInstancesStateResponse,
};
use kecs_domain::name::HexId;
use kecs_domain::{Doc, EcsError};

use super::{ContainerInstances, Member, Viewer, failure, members, wake_schedulers};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, EntityKey};
use crate::task::active_cluster;

/// The most instances in a call. (API reference, UpdateContainerInstancesState)
const MOST: usize = 10;

impl ContainerInstances<'_> {
    /// Lets instances take tasks, or lets them drain: no new tasks, and those of services move away. A node is
    /// cordoned or uncordoned by this where the orchestrator can; where it can't, a node that is cordoned stays DRAINING. Those that aren't there or are INACTIVE come back as
    /// failures.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for another status, for no instance, for more than 10,
    /// and for what is no identifier of an instance of the cluster.
    pub async fn update_state(
        &self,
        ctx: &Context,
        request: UpdateContainerInstancesStateRequest,
    ) -> Result<UpdateContainerInstancesStateResponse> {
        check_model(&request)?;
        let key = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?.key.clone();
        let state = match request.status {
            ContainerInstanceStatus::Active => InstanceState::Active,
            ContainerInstanceStatus::Draining => InstanceState::Draining,
            _ => {
                let message = "Container instance status should be one of [ACTIVE,DRAINING]";
                return Err(EcsError::invalid_parameter(message).into());
            }
        };
        let named = &request.container_instances;
        if named.is_empty() {
            return Err(EcsError::invalid_parameter("Container instances cannot be empty.").into());
        }
        if named.len() > MOST {
            let message = format!("instanceIds can have at most {MOST} items");
            return Err(EcsError::invalid_parameter(message).into());
        }
        let mut ids: Vec<HexId> = Vec::with_capacity(named.len());
        for text in named {
            let id = container_instance_ref(&key, text)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let (changed, failures) = retry_conflicts(|| async {
            let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
            let mut members = members(self.ports, &key).await?;
            let (mut changed, mut failures): (Vec<Member>, Vec<_>) = (Vec::new(), Vec::new());
            let mut changes = Changes::new();
            for id in &ids {
                let Some(at) = members.iter().position(|member| member.id() == *id) else {
                    failures.push(failure(&key, *id, "MISSING"));
                    continue;
                };
                let mut member = members.swap_remove(at);
                if member.is_inactive() {
                    failures.push(failure(&key, *id, "INACTIVE"));
                    continue;
                }
                let mut kept = member.to_kept();
                let keep = member.ask_for(self.ports, state).await?;
                if kept.state != keep {
                    kept.set_state(keep);
                    member.save(&key, kept.clone(), &mut changes);
                }
                changed.push(member.with(&key, kept));
            }
            if !changes.is_empty() {
                changes.require(EntityKey::Cluster(key.clone()), cluster.version);
                self.ports.unit_of_work.commit(changes).await?;
            }
            Ok((changed, failures))
        })
        .await?;
        wake_schedulers(self.ports, &key).await?;
        let mut views = Vec::with_capacity(changed.len());
        let viewer = Viewer::of(self.ports, &key).await?;
        for member in &changed {
            views.push(Doc::new(viewer.view(member, Shown::default()).await?));
        }
        Ok(UpdateContainerInstancesStateResponse {
            container_instances: Some(views),
            failures: Some(failures),
        })
    }
}
