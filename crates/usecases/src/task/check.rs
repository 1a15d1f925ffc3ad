//! Checks that RunTask and services share: where tasks run, and with which network.

use kecs_domain::EcsError;
use kecs_domain::cluster::{Cluster, strategy};
use kecs_domain::model::{
    AssignPublicIp, CapacityProviderStrategyItem, LaunchType, NetworkConfiguration, NetworkMode,
    TaskDefinition,
};

use crate::context::Result;

/// Where tasks run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Where {
    /// With this launch type.
    LaunchType(LaunchType),
    /// By this strategy.
    Strategy(Vec<CapacityProviderStrategyItem>),
}

impl Where {
    /// The launch type that a task with `provider` has.
    pub(crate) fn launch_type(&self) -> LaunchType {
        match self {
            Self::LaunchType(launch_type) => *launch_type,
            // The providers that exist are Fargate's two.
            Self::Strategy(_) => LaunchType::Fargate,
        }
    }
}

/// What the request's launch type and strategy, and the cluster's default, come to.
pub(crate) fn launch_choice(
    cluster: &Cluster,
    launch_type: Option<LaunchType>,
    given: Option<&Vec<CapacityProviderStrategyItem>>,
    both: &str,
) -> Result<Where> {
    let given = given.filter(|items| !items.is_empty());
    if launch_type.is_some() && given.is_some() {
        return Err(EcsError::invalid_parameter(both).into());
    }
    let settings = &cluster.settings;
    if let Some(items) = given {
        return Ok(Where::Strategy(strategy::check_used(items, &settings.capacity_providers)?));
    }
    Ok(match launch_type {
        Some(launch_type) => Where::LaunchType(launch_type),
        None if settings.default_capacity_provider_strategy.is_empty() => Where::LaunchType(LaunchType::Ec2),
        None => Where::Strategy(settings.default_capacity_provider_strategy.clone()),
    })
}

/// Checks that a task definition can be run there, with that network.
pub(crate) fn check_network(
    definition: &TaskDefinition,
    network: Option<&NetworkConfiguration>,
    launch_type: LaunchType,
) -> Result<()> {
    let vpc = network.and_then(|network| network.awsvpc_configuration.as_ref());
    let refuse = |message: &str| Err(EcsError::invalid_parameter(message).into());
    match (definition.network_mode == Some(NetworkMode::Awsvpc), vpc) {
        (true, None) => {
            refuse("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
        }
        (false, Some(_)) => {
            refuse("Network Configuration is not valid for the given networkMode of this task definition.")
        }
        (true, Some(vpc)) if vpc.subnets.is_empty() => refuse("subnets can not be empty."),
        (true, Some(vpc)) if vpc.subnets.len() > 16 => refuse("subnets can have at most 16 items."),
        (true, Some(vpc)) if vpc.security_groups.as_ref().is_some_and(|groups| groups.len() > 5) => {
            refuse("securityGroups can have at most 5 items.")
        }
        (true, Some(vpc))
            if vpc.assign_public_ip == Some(AssignPublicIp::Enabled)
                && launch_type != LaunchType::Fargate =>
        {
            refuse("Assign public IP is not supported for this launch type.")
        }
        _ => Ok(()),
    }
}
