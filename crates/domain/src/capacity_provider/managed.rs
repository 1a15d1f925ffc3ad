//! What the instances of a Managed Instances provider are like: checks, and the defaults that ECS fills in.

use super::configure::refuse;
use crate::error::EcsError;
use crate::generated as model;
use crate::model::CapacityOptionType;

/// Seconds of `scaleInAfter`; -1 is never. (API reference, InfrastructureOptimization)
const SCALE_IN_AFTER: std::ops::RangeInclusive<i32> = -1..=3600;

pub(super) fn managed_instances(
    given: &model::CreateManagedInstancesProviderConfiguration,
) -> Result<model::ManagedInstancesProvider, EcsError> {
    let mut template = given.instance_launch_template.clone();
    template.capacity_option_type.get_or_insert(CapacityOptionType::OnDemand);
    let managed = model::ManagedInstancesProvider {
        infrastructure_role_arn: Some(given.infrastructure_role_arn.clone()),
        instance_launch_template: Some(template),
        propagate_tags: given.propagate_tags,
        infrastructure_optimization: given.infrastructure_optimization.clone(),
        auto_repair_configuration: given.auto_repair_configuration.clone(),
    };
    check_managed(&managed)?;
    Ok(managed)
}

pub(super) fn update_managed(
    have: &model::ManagedInstancesProvider,
    given: &model::UpdateManagedInstancesProviderConfiguration,
) -> Result<model::ManagedInstancesProvider, EcsError> {
    let (mut template, change) =
        (have.instance_launch_template.clone().unwrap_or_default(), &given.instance_launch_template);
    if let Some(arn) = &change.ec2_instance_profile_arn {
        template.ec2_instance_profile_arn.clone_from(arn);
    }
    if let Some(network) = &change.network_configuration {
        template.network_configuration = network.clone();
    }
    replace(&mut template.storage_configuration, &change.storage_configuration);
    replace(&mut template.instance_metadata_tags_propagation, &change.instance_metadata_tags_propagation);
    replace(&mut template.local_storage_configuration, &change.local_storage_configuration);
    replace(&mut template.monitoring, &change.monitoring);
    replace(&mut template.instance_requirements, &change.instance_requirements);
    replace(&mut template.capacity_reservations, &change.capacity_reservations);
    let mut managed = model::ManagedInstancesProvider {
        infrastructure_role_arn: Some(given.infrastructure_role_arn.clone()),
        instance_launch_template: Some(template),
        ..have.clone()
    };
    replace(&mut managed.propagate_tags, &given.propagate_tags);
    replace(&mut managed.infrastructure_optimization, &given.infrastructure_optimization);
    replace(&mut managed.auto_repair_configuration, &given.auto_repair_configuration);
    check_managed(&managed)?;
    Ok(managed)
}

fn replace<T: Clone>(slot: &mut Option<T>, given: &Option<T>) {
    if given.is_some() {
        slot.clone_from(given);
    }
}

fn check_managed(managed: &model::ManagedInstancesProvider) -> Result<(), EcsError> {
    let role = managed.infrastructure_role_arn.as_deref().unwrap_or_default();
    if !is_iam(role, "role/") {
        return refuse("Invalid infrastructureRoleArn: it must be the ARN of an IAM role.");
    }
    let after = managed.infrastructure_optimization.as_ref().and_then(|one| one.scale_in_after);
    if after.is_some_and(|seconds| !SCALE_IN_AFTER.contains(&seconds)) {
        return refuse("scaleInAfter must be between -1 and 3600.");
    }
    let Some(template) = &managed.instance_launch_template else { return Ok(()) };
    if !is_iam(&template.ec2_instance_profile_arn, "instance-profile/") {
        return refuse("Invalid ec2InstanceProfileArn: it must be the ARN of an IAM instance profile.");
    }
    if template.network_configuration.subnets.as_ref().is_none_or(Vec::is_empty) {
        return refuse("subnets can not be empty.");
    }
    let local = template.local_storage_configuration.as_ref().and_then(|local| local.use_local_storage);
    if template.nitro_enclaves_enabled == Some(true) && local == Some(true) {
        return refuse("nitroEnclavesEnabled and useLocalStorage can not be used together.");
    }
    template.instance_requirements.as_ref().map_or(Ok(()), check_requirements)
}

fn is_iam(arn: &str, kind: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let resource = parts.get(5).and_then(|resource| resource.strip_prefix(kind));
    parts[0] == "arn" && parts.get(2) == Some(&"iam") && resource.is_some_and(|name| !name.is_empty())
}

fn check_requirements(wanted: &model::InstanceRequirementsRequest) -> Result<(), EcsError> {
    if wanted.allowed_instance_types.is_some() && wanted.excluded_instance_types.is_some() {
        return refuse("allowedInstanceTypes and excludedInstanceTypes can not be used together.");
    }
    if wanted.spot_max_price_percentage_over_lowest_price.is_some()
        && wanted.max_spot_price_as_percentage_of_optimal_on_demand_price.is_some()
    {
        return refuse(
            "spotMaxPricePercentageOverLowestPrice and maxSpotPriceAsPercentageOfOptimalOnDemandPrice can not be used together.",
        );
    }
    let ranges = [
        ("vCpuCount", Some(wanted.vcpu_count.min), wanted.vcpu_count.max, 0),
        ("memoryMiB", Some(wanted.memory_mib.min), wanted.memory_mib.max, 0),
        of("networkInterfaceCount", wanted.network_interface_count.as_ref().map(|r| (r.min, r.max)), 1),
        of(
            "baselineEbsBandwidthMbps",
            wanted.baseline_ebs_bandwidth_mbps.as_ref().map(|r| (r.min, r.max)),
            0,
        ),
        of("acceleratorCount", wanted.accelerator_count.as_ref().map(|r| (r.min, r.max)), 0),
        of(
            "acceleratorTotalMemoryMiB",
            wanted.accelerator_total_memory_mib.as_ref().map(|r| (r.min, r.max)),
            0,
        ),
    ];
    for (member, min, max, least) in ranges {
        check_range(member, min, max, least)?;
    }
    let ranges = [
        ("memoryGiBPerVCpu", wanted.memory_gib_per_vcpu.as_ref().map(|r| (r.min, r.max))),
        ("totalLocalStorageGB", wanted.total_local_storage_gb.as_ref().map(|r| (r.min, r.max))),
        ("networkBandwidthGbps", wanted.network_bandwidth_gbps.as_ref().map(|r| (r.min, r.max))),
    ];
    for (member, range) in ranges {
        let (min, max) = range.unwrap_or_default();
        check_range(member, min, max, 0.0)?;
    }
    Ok(())
}

type Range = (&'static str, Option<i32>, Option<i32>, i32);

fn of(member: &'static str, range: Option<(Option<i32>, Option<i32>)>, least: i32) -> Range {
    let (min, max) = range.unwrap_or_default();
    (member, min, max, least)
}

fn check_range<N: PartialOrd + Copy + std::fmt::Display>(
    member: &str,
    min: Option<N>,
    max: Option<N>,
    least: N,
) -> Result<(), EcsError> {
    if min.is_some_and(|min| min < least) {
        return refuse(format!("{member}.min must be at least {least}."));
    }
    if max.is_some_and(|max| max < min.unwrap_or(least)) {
        return refuse(format!("{member}.max must not be less than {member}.min."));
    }
    Ok(())
}
