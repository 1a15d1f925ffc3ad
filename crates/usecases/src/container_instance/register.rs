//! RegisterContainerInstance.

use kecs_domain::arn::{ClusterKey, container_instance_ref};
use kecs_domain::container_instance::{ContainerInstance, Registration, Shown, check_registration};
use kecs_domain::model::{RegisterContainerInstanceRequest, RegisterContainerInstanceResponse, Tag};
use kecs_domain::{Doc, EcsError, tag};

use super::{ContainerInstances, Member, find, members, not_found, save, view, wake_schedulers};
use crate::context::{Context, Error, Result, check_model, retry_conflicts};
use crate::ports::{Changes, EntityKey, PortError};
use crate::task::active_cluster;

impl ContainerInstances<'_> {
    /// Registers an instance whose own agent runs its tasks and reports on them. With `containerInstanceArn`, the
    /// instance of that ARN registers again: its custom attributes and tags stay. An identity document that names a
    /// node of the orchestrator stands for that node, which is in the cluster again if it was deregistered.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for what is wrong with the request and for an instance
    /// that isn't there; `ClientException` for one that has another size than before.
    pub async fn register(
        &self,
        ctx: &Context,
        request: RegisterContainerInstanceRequest,
    ) -> Result<RegisterContainerInstanceResponse> {
        let tags = tag::check(request.tags.as_deref().unwrap_or_default())?;
        check_model(&request)?;
        let (key, id) = retry_conflicts(|| async {
            let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
            let key = cluster.key.clone();
            let registration = check_registration(&request, self.ports.clock.now())?;
            let members = members(self.ports, &key).await?;
            let named = request.container_instance_arn.as_deref().filter(|arn| !arn.is_empty());
            let known = match named {
                Some(arn) => {
                    let id = container_instance_ref(&key, arn)?;
                    let found = members.iter().find(|member| member.id() == id);
                    // An agent that was deregistered is not let in again under its old name.
                    let found = found.filter(|member| !(member.by_agent() && member.is_inactive()));
                    Some(found.ok_or_else(|| not_found(arn))?)
                }
                None => members.iter().find(|member| {
                    !member.by_agent() && registration.host.as_deref() == Some(member.instance.host.as_str())
                }),
            };
            let mut changes = Changes::new();
            let id = match known {
                Some(member) => {
                    again(&key, member, registration, &tags, &mut changes)?;
                    member.id()
                }
                None => {
                    let id = self.ports.ids.hex();
                    supersede(&key, &members, &registration, &mut changes);
                    let value = ContainerInstance::registered(id, registration, tags.clone());
                    save(&key, value, None, &mut changes);
                    id
                }
            };
            if !changes.is_empty() {
                changes.require(EntityKey::Cluster(key.clone()), cluster.version);
                self.ports.unit_of_work.commit(changes).await?;
            }
            Ok((key, id))
        })
        .await?;
        wake_schedulers(self.ports, &key).await?;
        let member = find(self.ports, &key, id).await?;
        let member =
            member.ok_or_else(|| Error::Port(PortError::transient("the instance is gone already")))?;
        let shown = Shown { tags: !tags.is_empty(), health: None };
        let view = view(self.ports, &key, &member, shown).await?;
        Ok(RegisterContainerInstanceResponse { container_instance: Some(Doc::new(view)) })
    }
}

/// An instance that is known registers again.
fn again(
    cluster: &ClusterKey,
    member: &Member,
    registration: Registration,
    tags: &[Tag],
    changes: &mut Changes,
) -> std::result::Result<(), EcsError> {
    let mut kept = member.to_kept();
    if member.by_agent() {
        kept.register_again(registration)?;
    } else {
        // What a node has is the orchestrator's word.
        kept.restore();
    }
    kept.tags = tag::merge(&kept.tags, tags)?;
    if member.kept().map_or(kept != ContainerInstance::of_node(member.id()), |before| *before != kept) {
        member.save(cluster, kept, changes);
    }
    Ok(())
}

/// An agent that has lost its memory registers its host as a new instance: nobody speaks for the old one any more.
fn supersede(cluster: &ClusterKey, members: &[Member], registration: &Registration, changes: &mut Changes) {
    let Some(host) = &registration.host else { return };
    for member in members.iter().filter(|member| !member.is_inactive()) {
        let mut kept = member.to_kept();
        let Some(old) = kept.registration.as_mut() else { continue };
        if old.host.as_ref() == Some(host) && old.connected {
            old.connected = false;
            kept.version += 1;
            member.save(cluster, kept, changes);
        }
    }
}
