//! The settings of a service: what is refused, and what ECS fills in.

use super::{RevisionExtras, limits::default_percents};
use crate::error::EcsError;
use crate::generated as model;
use crate::model::{
    AvailabilityZoneRebalancing, DeploymentCircuitBreaker, DeploymentConfiguration, DeploymentStrategy,
    LoadBalancer, PlacementConstraint, PlacementConstraintType, PlacementStrategy, PlacementStrategyType,
    SchedulingStrategy, ThresholdConfiguration, ThresholdType,
};

/// The most load balancers of a service. (ECS service quota)
const MOST_LOAD_BALANCERS: usize = 5;

fn refuse<T>(message: impl Into<String>) -> Result<T, EcsError> {
    Err(EcsError::invalid_parameter(message))
}

/// The configuration of a service that had `before` and is given `given`: members that are left out stay, or get
/// ECS's defaults.
///
/// # Errors
/// `InvalidParameterException` for percents and thresholds out of range.
pub fn deployment_configuration(
    before: Option<&DeploymentConfiguration>,
    given: Option<&DeploymentConfiguration>,
    strategy: SchedulingStrategy,
) -> Result<DeploymentConfiguration, EcsError> {
    let mut configuration = before.cloned().unwrap_or_default();
    let given = given.cloned().unwrap_or_default();
    let (minimum, maximum) = default_percents(strategy);
    configuration.minimum_healthy_percent =
        given.minimum_healthy_percent.or(configuration.minimum_healthy_percent).or(Some(minimum));
    configuration.maximum_percent = given.maximum_percent.or(configuration.maximum_percent).or(Some(maximum));
    configuration.strategy = given.strategy.or(configuration.strategy).or(Some(DeploymentStrategy::Rolling));
    configuration.bake_time_in_minutes =
        given.bake_time_in_minutes.or(configuration.bake_time_in_minutes).or(Some(0));
    configuration.alarms = given.alarms.or(configuration.alarms);
    configuration.lifecycle_hooks = given.lifecycle_hooks.or(configuration.lifecycle_hooks);
    configuration.linear_configuration = given.linear_configuration.or(configuration.linear_configuration);
    configuration.canary_configuration = given.canary_configuration.or(configuration.canary_configuration);
    configuration.early_success_criteria =
        given.early_success_criteria.or(configuration.early_success_criteria);
    configuration.deployment_circuit_breaker = Some(circuit_breaker(
        configuration.deployment_circuit_breaker.as_ref(),
        given.deployment_circuit_breaker.as_ref(),
    )?);
    check_percents(&configuration, strategy)?;
    Ok(configuration)
}

fn check_percents(
    configuration: &DeploymentConfiguration,
    strategy: SchedulingStrategy,
) -> Result<(), EcsError> {
    let maximum = configuration.maximum_percent.unwrap_or(200);
    let minimum = configuration.minimum_healthy_percent.unwrap_or(100);
    if maximum < 100 {
        return refuse("maximumPercent must be at least 100");
    }
    if strategy == SchedulingStrategy::Daemon && maximum > 200 {
        return refuse("maximumPercent must be at most 200");
    }
    if minimum > 100 {
        return refuse("minimumHealthyPercent must be at most 100");
    }
    if minimum < 0 {
        return refuse("minimumHealthyPercent must be at least 0");
    }
    Ok(())
}

/// The breaker of a service: an update that leaves out `resetOnHealthyTask` or `thresholdConfiguration` keeps their
/// values, and one that is disabled never rolls back. (recorded)
fn circuit_breaker(
    before: Option<&DeploymentCircuitBreaker>,
    given: Option<&DeploymentCircuitBreaker>,
) -> Result<DeploymentCircuitBreaker, EcsError> {
    let kept = |of: fn(&DeploymentCircuitBreaker) -> Option<ThresholdConfiguration>| before.and_then(of);
    let switch = given.or(before);
    let enable = switch.is_some_and(|breaker| breaker.enable);
    let breaker = DeploymentCircuitBreaker {
        enable,
        rollback: enable && switch.is_some_and(|breaker| breaker.rollback),
        reset_on_healthy_task: given
            .and_then(|breaker| breaker.reset_on_healthy_task)
            .or_else(|| before.and_then(|breaker| breaker.reset_on_healthy_task))
            .or(Some(true)),
        threshold_configuration: given
            .and_then(|breaker| breaker.threshold_configuration.clone())
            .or_else(|| kept(|breaker| breaker.threshold_configuration.clone()))
            .or(Some(ThresholdConfiguration { r#type: ThresholdType::BoundedPercent, value: 50 })),
    };
    if let Some(threshold) = &breaker.threshold_configuration {
        let percent = threshold.r#type != ThresholdType::Count;
        if threshold.value < 1 || (percent && threshold.value > 100) {
            return refuse("Invalid deployment circuit breaker threshold value.");
        }
    }
    Ok(breaker)
}

/// `availabilityZoneRebalancing` of a service: ENABLED by default where the maximum leaves room for it.
///
/// # Errors
/// `InvalidParameterException` if it is asked for and the maximum leaves no room.
pub fn zone_rebalancing(
    before: Option<AvailabilityZoneRebalancing>,
    given: Option<AvailabilityZoneRebalancing>,
    configuration: &DeploymentConfiguration,
    replica: bool,
) -> Result<AvailabilityZoneRebalancing, EcsError> {
    let roomy = configuration.maximum_percent.unwrap_or(200) > 100;
    let verb = if before.is_some() { "updated" } else { "created" };
    let wanted = given.or(before);
    match wanted {
        Some(AvailabilityZoneRebalancing::Enabled) if !roomy => refuse(format!(
            "The service couldn't be {verb} because Availability Zone Rebalancing does not support maximumPercent <= \
             100 % as deployment configuration. Update deployment configuration and try again."
        )),
        Some(wanted) => Ok(wanted),
        None if roomy && replica => Ok(AvailabilityZoneRebalancing::Enabled),
        None => Ok(AvailabilityZoneRebalancing::Disabled),
    }
}

/// Checks `healthCheckGracePeriodSeconds`.
///
/// # Errors
/// `InvalidParameterException` below zero.
pub fn check_grace_period(seconds: Option<i32>) -> Result<(), EcsError> {
    if seconds.is_some_and(|seconds| seconds < 0) {
        return refuse("HealthCheckGracePeriodSeconds can not be lesser than 0");
    }
    Ok(())
}

/// Checks placement constraints and strategies, of a service or of a request for tasks.
///
/// # Errors
/// `InvalidParameterException` for too many of them, for fields that they can't have and for an expression that
/// can't be read.
pub fn check_placement(
    constraints: &[PlacementConstraint],
    strategies: &[PlacementStrategy],
) -> Result<(), EcsError> {
    // ECS service quotas.
    if constraints.len() > 10 {
        return refuse("placementConstraints can have at most 10 items.");
    }
    if strategies.len() > 5 {
        return refuse("placementStrategy can have at most 5 items.");
    }
    for constraint in constraints {
        let expression = constraint.expression.as_deref();
        match constraint.r#type {
            Some(PlacementConstraintType::DistinctInstance) if expression.is_some() => {
                return refuse("distinctInstance expression should not be specified.");
            }
            Some(PlacementConstraintType::DistinctInstance) => {}
            Some(PlacementConstraintType::MemberOf) => {
                let parsed = crate::expression::Expression::parse(expression.unwrap_or_default());
                if let Err(error) = parsed {
                    return refuse(format!("Invalid expression in placementConstraints: {error}"));
                }
            }
            None => return refuse("placementConstraints type should not be null."),
        }
    }
    for strategy in strategies {
        let field = strategy.field.as_deref();
        match strategy.r#type {
            Some(PlacementStrategyType::Random) if field.is_some() => {
                return refuse("random field should not be specified");
            }
            Some(PlacementStrategyType::Random) => {}
            Some(PlacementStrategyType::Binpack) => {
                let known =
                    field.is_some_and(|f| f.eq_ignore_ascii_case("cpu") || f.eq_ignore_ascii_case("memory"));
                if !known {
                    return refuse(format!("binpack field '{}' is invalid", field.unwrap_or_default()));
                }
            }
            Some(PlacementStrategyType::Spread) => {
                let known =
                    field.is_some_and(|f| matches!(f, "instanceId" | "host") || f.starts_with("attribute:"));
                if !known {
                    return refuse(format!("spread field '{}' is invalid", field.unwrap_or_default()));
                }
            }
            None => return refuse("placementStrategy type should not be null."),
        }
    }
    Ok(())
}

/// Checks that what a service points at is in its task definition.
///
/// # Errors
/// `InvalidParameterException` that names the container or the port.
pub fn check_against_definition(
    load_balancers: &[LoadBalancer],
    extras: &RevisionExtras,
    definition: &model::TaskDefinition,
) -> Result<(), EcsError> {
    let containers = definition.container_definitions.as_deref().unwrap_or_default();
    if load_balancers.len() > MOST_LOAD_BALANCERS {
        return refuse(format!("load balancers can have at most {MOST_LOAD_BALANCERS} items."));
    }
    for balancer in load_balancers {
        let name = balancer.container_name.as_deref().unwrap_or_default();
        let Some(container) = containers.iter().find(|container| container.name.as_deref() == Some(name))
        else {
            return refuse(format!("The container {name} does not exist in the task definition."));
        };
        let port = balancer.container_port;
        if !container.port_mappings.iter().flatten().any(|mapping| mapping.container_port == port) {
            let port = port.unwrap_or_default();
            return refuse(format!("The container {name} did not have a container port {port} defined."));
        }
    }
    let connect = extras.service_connect.as_ref().filter(|connect| connect.enabled);
    for service in connect.and_then(|connect| connect.services.as_ref()).into_iter().flatten() {
        let named = containers
            .iter()
            .flat_map(|container| container.port_mappings.iter().flatten())
            .any(|mapping| mapping.name.as_deref() == Some(&service.port_name));
        if !named {
            return refuse(format!(
                "portName({}) does not refer to any named PortMapping in the container definitions",
                service.port_name
            ));
        }
    }
    for connector in extras.gateway_connectors.iter().flatten() {
        let named = containers
            .iter()
            .flat_map(|container| container.port_mappings.iter().flatten())
            .any(|mapping| mapping.name.as_deref() == Some(&connector.port_name));
        if !named {
            return refuse(format!(
                "portName({}) does not refer to any named PortMapping in the container definitions",
                connector.port_name
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(json: serde_json::Value) -> DeploymentConfiguration {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn the_defaults_are_those_of_ecs() {
        let configuration = deployment_configuration(None, None, SchedulingStrategy::Replica).unwrap();
        assert_eq!(
            serde_json::to_value(&configuration).unwrap(),
            serde_json::json!({
                "deploymentCircuitBreaker": {
                    "enable": false, "rollback": false, "resetOnHealthyTask": true,
                    "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50}
                },
                "maximumPercent": 200, "minimumHealthyPercent": 100, "strategy": "ROLLING", "bakeTimeInMinutes": 0
            })
        );
    }

    #[test]
    fn an_update_keeps_what_it_does_not_name() {
        let before = deployment_configuration(
            None,
            Some(&given(serde_json::json!({
                "minimumHealthyPercent": 50,
                "deploymentCircuitBreaker": {
                    "enable": true, "rollback": true, "resetOnHealthyTask": false,
                    "thresholdConfiguration": {"type": "COUNT", "value": 7}
                }
            }))),
            SchedulingStrategy::Replica,
        )
        .unwrap();
        let update = given(serde_json::json!({
            "maximumPercent": 150, "deploymentCircuitBreaker": {"enable": false, "rollback": true}
        }));
        let after =
            deployment_configuration(Some(&before), Some(&update), SchedulingStrategy::Replica).unwrap();
        assert_eq!(after.minimum_healthy_percent, Some(50));
        assert_eq!(after.maximum_percent, Some(150));
        let breaker = after.deployment_circuit_breaker.unwrap();
        assert!(!breaker.enable && !breaker.rollback, "a disabled breaker never rolls back");
        assert_eq!(breaker.reset_on_healthy_task, Some(false));
        assert_eq!(breaker.threshold_configuration.unwrap().value, 7);
    }

    #[test]
    fn what_is_out_of_range_is_refused_in_ecs_words() {
        for (json, message) in [
            (serde_json::json!({"maximumPercent": 99}), "maximumPercent must be at least 100"),
            (serde_json::json!({"minimumHealthyPercent": 101}), "minimumHealthyPercent must be at most 100"),
            (
                serde_json::json!({"deploymentCircuitBreaker": {"enable": true, "rollback": false,
                    "thresholdConfiguration": {"type": "COUNT", "value": 0}}}),
                "Invalid deployment circuit breaker threshold value.",
            ),
            (
                serde_json::json!({"deploymentCircuitBreaker": {"enable": true, "rollback": false,
                    "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 101}}}),
                "Invalid deployment circuit breaker threshold value.",
            ),
        ] {
            let refused = deployment_configuration(None, Some(&given(json)), SchedulingStrategy::Replica);
            assert_eq!(refused.unwrap_err().message, message);
        }
    }
}
