//! Checks that RunTask and services share: where tasks run, and with which network.

use kecs_domain::capacity_provider::Providers;
use kecs_domain::cluster::{Cluster, strategy};
use kecs_domain::model::{
    AssignPublicIp, CapacityProviderStrategyItem, LaunchType, NetworkConfiguration, NetworkMode,
    TaskDefinition,
};
use kecs_domain::{EcsError, Scope};

use crate::capacity_provider::load;
use crate::context::{Ports, Result};

/// Where tasks run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Where {
    /// With this launch type.
    LaunchType(LaunchType),
    /// By this strategy.
    Strategy(Strategy),
}

/// A strategy that was checked, with what is known of its providers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Strategy {
    pub(crate) items: Vec<CapacityProviderStrategyItem>,
    /// That of all its providers.
    pub(crate) launch_type: LaunchType,
    /// Those of its providers that are the account's own.
    pub(crate) own: Providers,
}

impl Strategy {
    /// A strategy whose items were checked when they were set. Its providers may have gone since; then its tasks
    /// have the launch type `otherwise`.
    pub(crate) async fn load(
        ports: &Ports,
        scope: &Scope,
        items: Vec<CapacityProviderStrategyItem>,
        otherwise: LaunchType,
    ) -> Result<Self> {
        let named = items.iter().map(|item| item.capacity_provider.as_str());
        let own = load(ports, scope, named).await?.known;
        let launch_type = strategy::launch_type(&items, &own).unwrap_or(otherwise);
        Ok(Self { items, launch_type, own })
    }
}

impl Where {
    /// The launch type that its tasks have.
    pub(crate) fn launch_type(&self) -> LaunchType {
        match self {
            Self::LaunchType(launch_type) => *launch_type,
            Self::Strategy(strategy) => strategy.launch_type,
        }
    }

    /// What ECS says when there is no instance at all, without a full stop.
    pub(crate) const fn no_instances(&self) -> &'static str {
        match self {
            Self::LaunchType(_) => "No Container Instances were found in your cluster",
            Self::Strategy(_) => "No Container Instances were found in your capacity provider",
        }
    }
}

/// What the request's launch type and strategy, and the cluster's default, come to.
pub(crate) async fn launch_choice(
    ports: &Ports,
    cluster: &Cluster,
    launch_type: Option<LaunchType>,
    given: Option<&Vec<CapacityProviderStrategyItem>>,
    both: &str,
) -> Result<Where> {
    let given = given.filter(|items| !items.is_empty());
    if launch_type.is_some() && given.is_some() {
        return Err(EcsError::invalid_parameter(both).into());
    }
    if let Some(launch_type) = launch_type {
        return Ok(Where::LaunchType(launch_type));
    }
    let (settings, scope) = (&cluster.settings, &cluster.key.scope);
    let items = given.unwrap_or(&settings.default_capacity_provider_strategy);
    if items.is_empty() {
        return Ok(Where::LaunchType(LaunchType::Ec2));
    }
    let named = items.iter().map(|item| item.capacity_provider.as_str());
    let own = load(ports, scope, named).await?.known;
    let items = strategy::check_used(scope, items, &settings.capacity_providers, &own)?;
    let launch_type = strategy::launch_type(&items, &own).unwrap_or(LaunchType::Ec2);
    Ok(Where::Strategy(Strategy { items, launch_type, own }))
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
        (true, Some(vpc)) if vpc.subnets.iter().any(|subnet| subnet.trim().is_empty()) => {
            refuse("subnets can not have a blank item.")
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
