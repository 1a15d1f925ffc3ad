//! A capacity provider as the API shows it, and what it attaches to a cluster.

use serde::{Deserialize, Serialize};

use super::{Capacity, CapacityProvider};
use crate::arn::capacity_provider_arn;
use crate::generated as model;
use crate::model::{CapacityProviderStatus, CapacityProviderType, KeyValuePair};
use crate::scope::Scope;

/// The identifiers of what a provider attaches to a cluster: made when the two are associated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentIds {
    /// The attachment of the scaling policy.
    pub policy: String,
    /// The attachment of the lifecycle hook for draining.
    pub draining: String,
}

impl CapacityProvider {
    /// The provider as the API shows it; its tags only if they are asked for.
    pub fn view(&self, with_tags: bool) -> model::CapacityProvider {
        let (group, managed, kind) = match &self.capacity {
            Capacity::AutoScalingGroup(group) => {
                (Some(group.clone()), None, CapacityProviderType::Ec2Autoscaling)
            }
            Capacity::ManagedInstances(managed) => {
                (None, Some(managed.as_ref().clone()), CapacityProviderType::ManagedInstances)
            }
        };
        model::CapacityProvider {
            capacity_provider_arn: Some(self.arn()),
            name: Some(self.name.clone()),
            cluster: self.cluster.as_ref().map(|cluster| cluster.as_str().to_owned()),
            status: Some(if self.active {
                CapacityProviderStatus::Active
            } else {
                CapacityProviderStatus::Inactive
            }),
            auto_scaling_group_provider: group,
            managed_instances_provider: managed,
            update_status: self.update,
            update_status_reason: self.update_reason.clone(),
            tags: Some(if with_tags { self.tags.clone() } else { Vec::new() }),
            r#type: Some(kind),
        }
    }

    /// What it attaches to a cluster that it is associated with.
    pub fn attachments(&self, ids: &AttachmentIds) -> Vec<model::Attachment> {
        let attachment = |id: &str, kind: &str, name: &str, value: String| model::Attachment {
            id: Some(id.to_owned()),
            r#type: Some(kind.to_owned()),
            status: Some("CREATED".to_owned()),
            details: Some(vec![pair("capacityProviderName", self.name.clone()), pair(name, value)]),
        };
        let mut attachments = Vec::new();
        if self.drains() {
            let hook = "ecs-managed-draining-termination-hook".to_owned();
            attachments.push(attachment(
                &ids.draining,
                "managed_draining",
                "autoScalingLifecycleHookName",
                hook,
            ));
        }
        if self.scales() {
            let policy = format!("ECSManagedAutoScalingPolicy-{}", ids.policy);
            attachments.push(attachment(&ids.policy, "as_policy", "scalingPolicyName", policy));
        }
        attachments
    }
}

fn pair(name: &str, value: String) -> KeyValuePair {
    KeyValuePair { name: Some(name.to_owned()), value: Some(value) }
}

/// One of the providers that every account has, as the API shows it.
pub fn predefined(scope: &Scope, name: &str) -> model::CapacityProvider {
    let kind =
        if name == "FARGATE" { CapacityProviderType::Fargate } else { CapacityProviderType::FargateSpot };
    model::CapacityProvider {
        capacity_provider_arn: Some(capacity_provider_arn(scope, name)),
        name: Some(name.to_owned()),
        status: Some(CapacityProviderStatus::Active),
        tags: Some(Vec::new()),
        r#type: Some(kind),
        ..model::CapacityProvider::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::capacity_provider::tests::{group_provider, scope};
    use crate::model::ManagedScalingStatus;
    use crate::tag::tag;

    #[test]
    fn a_provider_is_shown_with_its_tags_only_if_asked() {
        let mine = CapacityProvider { tags: vec![tag("team", "a")], ..group_provider("mine") };
        let shown = serde_json::to_value(mine.view(true)).unwrap();
        assert_eq!(shown["tags"], json!([{"key": "team", "value": "a"}]));
        assert_eq!(shown["type"], "EC2_AUTOSCALING");
        assert_eq!(shown["status"], "ACTIVE");
        assert_eq!(shown.get("updateStatus"), None);
        let deleted = serde_json::to_value(mine.deleted().view(false)).unwrap();
        assert_eq!(
            (&deleted["status"], &deleted["updateStatus"]),
            (&json!("INACTIVE"), &json!("DELETE_COMPLETE"))
        );
        assert_eq!(deleted["tags"], json!([]));
    }

    #[test]
    fn the_predefined_providers_have_an_arn_and_nothing_to_configure() {
        assert_eq!(
            serde_json::to_value(predefined(&scope(), "FARGATE_SPOT")).unwrap(),
            json!({
                "capacityProviderArn": "arn:aws:ecs:eu-central-1:123456789012:capacity-provider/FARGATE_SPOT",
                "name": "FARGATE_SPOT", "status": "ACTIVE", "tags": [], "type": "FARGATE_SPOT",
            })
        );
    }

    #[test]
    fn scaling_and_draining_are_attached_while_they_are_enabled() {
        let ids = AttachmentIds { policy: "p".to_owned(), draining: "d".to_owned() };
        let mut mine = group_provider("mine");
        let kinds = |mine: &CapacityProvider| {
            mine.attachments(&ids).into_iter().map(|one| one.r#type.unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&mine), ["managed_draining"]);
        if let Capacity::AutoScalingGroup(group) = &mut mine.capacity {
            group.managed_scaling.as_mut().unwrap().status = Some(ManagedScalingStatus::Enabled);
        }
        assert_eq!(kinds(&mine), ["managed_draining", "as_policy"]);
    }
}
