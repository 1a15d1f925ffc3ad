//! PutAttributes.

use std::collections::BTreeMap;

use kecs_domain::container_instance::attributes;
use kecs_domain::model::{Attribute, PutAttributesRequest, PutAttributesResponse};
use kecs_domain::name::HexId;

use super::{ContainerInstances, members, wake_schedulers};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, EntityKey};
use crate::task::active_cluster;

impl ContainerInstances<'_> {
    /// Sets custom attributes of container instances, all or none.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for what is wrong with an attribute;
    /// `TargetNotFoundException`; `AttributeLimitExceededException`.
    pub async fn put_attributes(
        &self,
        ctx: &Context,
        request: PutAttributesRequest,
    ) -> Result<PutAttributesResponse> {
        check_model(&request)?;
        let (key, targets) = retry_conflicts(|| async {
            let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
            let key = cluster.key.clone();
            let targets = attributes::check_call(&key, &request.attributes)?;
            let mut given: BTreeMap<HexId, Vec<&Attribute>> = BTreeMap::new();
            for (attribute, target) in request.attributes.iter().zip(&targets) {
                given.entry(*target).or_default().push(attribute);
            }
            let members = members(self.ports, &key).await?;
            let mut changes = Changes::new();
            for (target, given) in given {
                let found = members.iter().find(|member| member.id() == target && !member.is_inactive());
                let member = found.ok_or_else(attributes::target_not_found)?;
                let mut kept = member.to_kept();
                kept.put_attributes(given)?;
                if member.kept() != Some(&kept) {
                    member.save(&key, kept, &mut changes);
                }
            }
            if !changes.is_empty() {
                changes.require(EntityKey::Cluster(key.clone()), cluster.version);
                self.ports.unit_of_work.commit(changes).await?;
            }
            Ok((key, targets))
        })
        .await?;
        // A service may wait for an instance with just these.
        wake_schedulers(self.ports, &key).await?;
        let shown = request.attributes.into_iter().zip(targets).map(|(attribute, target)| Attribute {
            target_type: None,
            target_id: Some(key.container_instance_arn(target)),
            ..attribute
        });
        Ok(PutAttributesResponse { attributes: Some(shown.collect()) })
    }
}
