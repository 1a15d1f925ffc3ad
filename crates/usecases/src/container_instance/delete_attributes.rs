//! DeleteAttributes.

use std::collections::BTreeMap;

use kecs_domain::container_instance::attributes;
use kecs_domain::model::{Attribute, DeleteAttributesRequest, DeleteAttributesResponse};

use super::{ContainerInstances, members, wake_schedulers};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, EntityKey};
use crate::task::active_cluster;

impl ContainerInstances<'_> {
    /// Removes custom attributes of container instances, and answers them as they were. One that isn't there is no
    /// error, and is answered as it was named.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for what is wrong with an attribute;
    /// `TargetNotFoundException`.
    pub async fn delete_attributes(
        &self,
        ctx: &Context,
        request: DeleteAttributesRequest,
    ) -> Result<DeleteAttributesResponse> {
        check_model(&request)?;
        let (key, deleted) = retry_conflicts(|| async {
            let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
            let key = cluster.key.clone();
            let targets = attributes::check_call(&key, &request.attributes)?;
            let members = members(self.ports, &key).await?;
            let mut kept = BTreeMap::new();
            let mut deleted = Vec::with_capacity(targets.len());
            for (attribute, target) in request.attributes.iter().zip(targets) {
                let found = members.iter().find(|member| member.id() == target && !member.is_inactive());
                let member = found.ok_or_else(attributes::target_not_found)?;
                let (_, kept) = kept.entry(target).or_insert_with(|| (member, member.to_kept()));
                let was = kept.delete_attribute(&attribute.name);
                deleted.push(shown(key.container_instance_arn(target), attribute, was));
            }
            let mut changes = Changes::new();
            for (member, kept) in kept.into_values() {
                if member.kept().is_some_and(|before| *before != kept) {
                    member.save(&key, kept, &mut changes);
                }
            }
            if !changes.is_empty() {
                changes.require(EntityKey::Cluster(key.clone()), cluster.version);
                self.ports.unit_of_work.commit(changes).await?;
            }
            Ok((key, deleted))
        })
        .await?;
        // A DAEMON service may have to leave an instance now.
        wake_schedulers(self.ports, &key).await?;
        Ok(DeleteAttributesResponse { attributes: Some(deleted) })
    }
}

fn shown(arn: String, named: &Attribute, was: Option<Attribute>) -> Attribute {
    let attribute = was.unwrap_or_else(|| named.clone());
    Attribute { target_type: None, target_id: Some(arn), ..attribute }
}
