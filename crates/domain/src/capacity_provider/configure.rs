//! What a capacity provider is made of: checks, and the defaults that ECS fills in.

use std::collections::BTreeSet;

use super::managed::{managed_instances, update_managed};
use super::{Capacity, CapacityProvider, check_name};
use crate::error::EcsError;
use crate::generated as model;
use crate::model::{
    CapacityProviderUpdateStatus, CreateCapacityProviderRequest, ManagedDraining, ManagedScaling,
    ManagedScalingStatus, ManagedTerminationProtection, UpdateCapacityProviderRequest,
};
use crate::name::ClusterName;
use crate::scope::Scope;
use crate::tag;

/// Defaults of managed scaling. (API reference, ManagedScaling)
const TARGET_CAPACITY: i32 = 100;
const LEAST_STEP: i32 = 1;
const MOST_STEP: i32 = 10_000;
const WARMUP_SECONDS: i32 = 300;

pub(super) fn refuse<T>(message: impl Into<String>) -> Result<T, EcsError> {
    Err(EcsError::invalid_parameter(message))
}

impl CapacityProvider {
    /// A new ACTIVE provider. `cluster` is the one that the request names.
    ///
    /// # Errors
    /// `ClientException` for the name and for termination protection without scaling; `InvalidParameterException`,
    /// which names the member, for everything else.
    pub fn create(
        scope: &Scope,
        request: &CreateCapacityProviderRequest,
        cluster: Option<ClusterName>,
    ) -> Result<Self, EcsError> {
        check_name(&request.name)?;
        let tags = tag::check(request.tags.as_deref().unwrap_or_default())?;
        let (capacity, update) = match (
            &request.auto_scaling_group_provider,
            &request.managed_instances_provider,
        ) {
            (Some(group), None) => {
                if cluster.is_some() {
                    return refuse("cluster must not be specified with autoScalingGroupProvider.");
                }
                (Capacity::AutoScalingGroup(auto_scaling_group(group)?), None)
            }
            (None, Some(managed)) => {
                if cluster.is_none() {
                    return refuse("cluster must be specified with managedInstancesProvider.");
                }
                let managed = Box::new(managed_instances(managed)?);
                (Capacity::ManagedInstances(managed), Some(CapacityProviderUpdateStatus::CreateComplete))
            }
            _ => {
                return refuse(
                    "Exactly one of autoScalingGroupProvider and managedInstancesProvider must be specified.",
                );
            }
        };
        Ok(Self {
            scope: scope.clone(),
            name: request.name.clone(),
            active: true,
            cluster,
            capacity,
            update,
            update_reason: None,
            tags,
            clusters: BTreeSet::new(),
        })
    }

    /// The provider after an update. What the request leaves out stays.
    ///
    /// # Errors
    /// `InvalidParameterException` unless the request is about this kind of provider, and for what is wrong with
    /// it; `ClientException` for termination protection without scaling.
    pub fn updated(&self, request: &UpdateCapacityProviderRequest) -> Result<Self, EcsError> {
        let (group, managed) = (&request.auto_scaling_group_provider, &request.managed_instances_provider);
        let capacity = match (&self.capacity, group, managed) {
            (Capacity::AutoScalingGroup(have), Some(given), None) => {
                Capacity::AutoScalingGroup(update_group(have, given)?)
            }
            (Capacity::ManagedInstances(have), None, Some(given)) => {
                Capacity::ManagedInstances(Box::new(update_managed(have, given)?))
            }
            (Capacity::AutoScalingGroup(_), _, _) => {
                return refuse(
                    "autoScalingGroupProvider, and nothing else, must be specified for this capacity provider.",
                );
            }
            (Capacity::ManagedInstances(_), _, _) => {
                return refuse(
                    "managedInstancesProvider, and nothing else, must be specified for this capacity provider.",
                );
            }
        };
        Ok(Self {
            capacity,
            update: Some(CapacityProviderUpdateStatus::UpdateComplete),
            update_reason: None,
            ..self.clone()
        })
    }
}

fn auto_scaling_group(
    given: &model::AutoScalingGroupProvider,
) -> Result<model::AutoScalingGroupProvider, EcsError> {
    check_group_arn(&given.auto_scaling_group_arn)?;
    // Without a word about scaling there is none; one who speaks of it wants it. (recorded)
    let scaling = given.managed_scaling.clone().unwrap_or(ManagedScaling {
        status: Some(ManagedScalingStatus::Disabled),
        ..ManagedScaling::default()
    });
    let group = model::AutoScalingGroupProvider {
        auto_scaling_group_arn: given.auto_scaling_group_arn.clone(),
        managed_scaling: Some(filled(scaling)),
        managed_termination_protection: Some(
            given.managed_termination_protection.unwrap_or(ManagedTerminationProtection::Disabled),
        ),
        managed_draining: Some(given.managed_draining.unwrap_or(ManagedDraining::Enabled)),
    };
    check_group(&group)?;
    Ok(group)
}

fn filled(scaling: ManagedScaling) -> ManagedScaling {
    ManagedScaling {
        status: scaling.status.or(Some(ManagedScalingStatus::Enabled)),
        target_capacity: scaling.target_capacity.or(Some(TARGET_CAPACITY)),
        minimum_scaling_step_size: scaling.minimum_scaling_step_size.or(Some(LEAST_STEP)),
        maximum_scaling_step_size: scaling.maximum_scaling_step_size.or(Some(MOST_STEP)),
        instance_warmup_period: scaling.instance_warmup_period.or(Some(WARMUP_SECONDS)),
    }
}

fn update_group(
    have: &model::AutoScalingGroupProvider,
    given: &model::AutoScalingGroupProviderUpdate,
) -> Result<model::AutoScalingGroupProvider, EcsError> {
    let before = have.managed_scaling.clone().unwrap_or_default();
    let scaling = given.managed_scaling.clone().map_or(before.clone(), |given| ManagedScaling {
        status: given.status.or(before.status),
        target_capacity: given.target_capacity.or(before.target_capacity),
        minimum_scaling_step_size: given.minimum_scaling_step_size.or(before.minimum_scaling_step_size),
        maximum_scaling_step_size: given.maximum_scaling_step_size.or(before.maximum_scaling_step_size),
        instance_warmup_period: given.instance_warmup_period.or(before.instance_warmup_period),
    });
    let group = model::AutoScalingGroupProvider {
        auto_scaling_group_arn: have.auto_scaling_group_arn.clone(),
        managed_scaling: Some(filled(scaling)),
        managed_termination_protection: given
            .managed_termination_protection
            .or(have.managed_termination_protection),
        managed_draining: given.managed_draining.or(have.managed_draining),
    };
    check_group(&group)?;
    Ok(group)
}

fn check_group(group: &model::AutoScalingGroupProvider) -> Result<(), EcsError> {
    let scaling = group.managed_scaling.as_ref();
    let scales = scaling.is_some_and(|scaling| scaling.status == Some(ManagedScalingStatus::Enabled));
    if group.managed_termination_protection == Some(ManagedTerminationProtection::Enabled) && !scales {
        return Err(EcsError::client(
            "The managed termination protection setting for the capacity provider is invalid. To enable managed termination protection for a capacity provider, managed scaling must be enabled.",
        ));
    }
    let step = |of: fn(&ManagedScaling) -> Option<i32>| scaling.and_then(of);
    let (least, most) = (step(|s| s.minimum_scaling_step_size), step(|s| s.maximum_scaling_step_size));
    if least > most {
        return refuse("minimumScalingStepSize must not be greater than maximumScalingStepSize.");
    }
    Ok(())
}

/// A group is named by its ARN or by its name. (API reference, AutoScalingGroupProvider)
fn check_group_arn(text: &str) -> Result<(), EcsError> {
    let named = if text.starts_with("arn:") {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ours = parts.get(2) == Some(&"autoscaling");
        ours.then(|| text.split_once(":autoScalingGroupName/")).flatten().map(|(_, name)| name)
    } else {
        Some(text)
    };
    match named {
        Some(name) if !name.is_empty() && name.chars().count() <= 255 => Ok(()),
        _ => refuse("Invalid autoScalingGroupArn: it must be the ARN or the name of an Auto Scaling group."),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn create(request: Value, cluster: Option<&str>) -> Result<CapacityProvider, EcsError> {
        let scope = Scope::new("123456789012", "eu-central-1");
        let cluster = cluster.map(|name| ClusterName::parse(name).unwrap());
        CapacityProvider::create(&scope, &serde_json::from_value(request).unwrap(), cluster)
    }

    fn group(members: Value) -> Value {
        let mut group = json!({"autoScalingGroupArn": "nodes"});
        group.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        json!({"name": "mine", "autoScalingGroupProvider": group})
    }

    fn managed(changes: &[(&str, Value)]) -> Value {
        let mut provider = json!({
            "infrastructureRoleArn": "arn:aws:iam::123456789012:role/infra",
            "instanceLaunchTemplate": {
                "ec2InstanceProfileArn": "arn:aws:iam::123456789012:instance-profile/nodes",
                "networkConfiguration": {"subnets": ["subnet-1"]},
            },
        });
        for (pointer, value) in changes {
            let (parent, member) = pointer.rsplit_once('/').unwrap();
            provider.pointer_mut(parent).unwrap()[member] = value.clone();
        }
        json!({"name": "managed", "managedInstancesProvider": provider})
    }

    fn capacity(provider: &CapacityProvider) -> Value {
        match &provider.capacity {
            Capacity::AutoScalingGroup(group) => serde_json::to_value(group).unwrap(),
            Capacity::ManagedInstances(managed) => serde_json::to_value(managed).unwrap(),
        }
    }

    #[test]
    fn a_group_gets_the_defaults_of_ecs() {
        let bare = create(group(json!({})), None).unwrap();
        assert_eq!(
            capacity(&bare),
            json!({
                "autoScalingGroupArn": "nodes",
                "managedScaling": {
                    "status": "DISABLED", "targetCapacity": 100, "minimumScalingStepSize": 1,
                    "maximumScalingStepSize": 10000, "instanceWarmupPeriod": 300
                },
                "managedTerminationProtection": "DISABLED",
                "managedDraining": "ENABLED",
            })
        );
        let partly = create(group(json!({"managedScaling": {"minimumScalingStepSize": 2}})), None).unwrap();
        assert_eq!(capacity(&partly)["managedScaling"]["status"], "ENABLED");
        assert_eq!(capacity(&partly)["managedScaling"]["minimumScalingStepSize"], 2);
        assert!(partly.scales() && partly.drains() && !bare.scales());
    }

    #[test]
    fn an_update_keeps_what_it_does_not_name() {
        let scaling = json!({"targetCapacity": 50, "minimumScalingStepSize": 3});
        let before = create(group(json!({"managedScaling": scaling, "managedDraining": "DISABLED"})), None);
        let request = json!({"name": "mine", "autoScalingGroupProvider": {
            "managedScaling": {"targetCapacity": 80}, "managedTerminationProtection": "ENABLED"}});
        let after = before.unwrap().updated(&serde_json::from_value(request).unwrap()).unwrap();
        let shown = capacity(&after);
        assert_eq!(shown["managedScaling"]["targetCapacity"], 80);
        assert_eq!(shown["managedScaling"]["minimumScalingStepSize"], 3);
        assert_eq!(shown["managedDraining"], "DISABLED");
        assert_eq!(after.update, Some(CapacityProviderUpdateStatus::UpdateComplete));
    }

    #[test]
    fn a_group_is_named_by_arn_or_name() {
        let arn =
            "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:6f0a:autoScalingGroupName/nodes";
        for good in ["nodes", arn] {
            assert!(create(group(json!({"autoScalingGroupArn": good})), None).is_ok(), "{good}");
        }
        for bad in ["", "arn:aws:ecs:eu-central-1:123456789012:cluster/x", &arn[..arn.len() - 5]] {
            let error = create(group(json!({"autoScalingGroupArn": bad})), None).unwrap_err();
            assert!(error.message.contains("autoScalingGroupArn"), "{bad}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused_by_name() {
        let both = json!({"name": "x", "autoScalingGroupProvider": {"autoScalingGroupArn": "a"},
            "managedInstancesProvider": managed(&[])["managedInstancesProvider"]});
        for (request, cluster, named) in [
            (json!({"name": "x"}), None, "autoScalingGroupProvider"),
            (both, None, "managedInstancesProvider"),
            (group(json!({})), Some("main"), "cluster"),
            (managed(&[]), None, "cluster"),
            (
                group(json!({"managedTerminationProtection": "ENABLED"})),
                None,
                "managed scaling must be enabled",
            ),
            (
                group(json!({"managedScaling": {"minimumScalingStepSize": 5, "maximumScalingStepSize": 4}})),
                None,
                "minimumScalingStepSize",
            ),
        ] {
            let error = create(request, cluster).unwrap_err();
            assert!(error.message.contains(named), "{named}: {}", error.message);
        }
    }

    #[test]
    fn managed_instances_are_checked_member_by_member() {
        let made = create(managed(&[]), Some("main")).unwrap();
        assert_eq!(capacity(&made)["instanceLaunchTemplate"]["capacityOptionType"], "ON_DEMAND");
        let template = "/instanceLaunchTemplate";
        let requirements = |changes: Value| {
            let mut wanted = json!({"vCpuCount": {"min": 1}, "memoryMiB": {"min": 1}});
            wanted.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            (format!("{template}/instanceRequirements"), wanted)
        };
        for ((pointer, value), named) in [
            (("/infrastructureRoleArn".to_owned(), json!("infra")), "infrastructureRoleArn"),
            ((format!("{template}/ec2InstanceProfileArn"), json!("x")), "ec2InstanceProfileArn"),
            ((format!("{template}/networkConfiguration"), json!({"subnets": []})), "subnets"),
            (("/infrastructureOptimization".to_owned(), json!({"scaleInAfter": 3601})), "scaleInAfter"),
            (requirements(json!({"vCpuCount": {"min": 4, "max": 2}})), "vCpuCount"),
            (requirements(json!({"memoryMiB": {"min": -1}})), "memoryMiB"),
            (requirements(json!({"acceleratorCount": {"min": 2, "max": 1}})), "acceleratorCount"),
            (requirements(json!({"networkBandwidthGbps": {"min": 2.5, "max": 1.0}})), "networkBandwidthGbps"),
            (
                requirements(
                    json!({"allowedInstanceTypes": ["m5.large"], "excludedInstanceTypes": ["t3.*"]}),
                ),
                "excludedInstanceTypes",
            ),
        ] {
            let error = create(managed(&[(&pointer, value)]), Some("main")).unwrap_err();
            assert!(error.message.contains(named), "{named}: {}", error.message);
        }
    }

    #[test]
    fn an_update_of_managed_instances_changes_the_template_member_by_member() {
        let before = create(managed(&[]), Some("main")).unwrap();
        let request = json!({"name": "managed", "managedInstancesProvider": {
            "infrastructureRoleArn": "arn:aws:iam::123456789012:role/other",
            "instanceLaunchTemplate": {"monitoring": "DETAILED"}, "propagateTags": "NONE"}});
        let after = before.updated(&serde_json::from_value(request).unwrap()).unwrap();
        let shown = capacity(&after);
        assert_eq!(shown["infrastructureRoleArn"], "arn:aws:iam::123456789012:role/other");
        assert_eq!(shown["instanceLaunchTemplate"]["monitoring"], "DETAILED");
        assert_eq!(shown["instanceLaunchTemplate"]["networkConfiguration"]["subnets"], json!(["subnet-1"]));
        assert_eq!(shown["propagateTags"], "NONE");
        let wrong = json!({"name": "managed", "autoScalingGroupProvider": {}});
        let refused = before.updated(&serde_json::from_value(wrong).unwrap()).unwrap_err();
        assert!(refused.message.contains("managedInstancesProvider"));
    }
}
