//! What is refused of an Express service.

use super::MAIN;
use crate::arn::Arn;
use crate::error::EcsError;
use crate::generated as model;
use crate::model::{
    AwsVpcConfiguration, Compatibility, ExpressGatewayServiceNetworkConfiguration, NetworkConfiguration,
    TransportProtocol,
};

/// The most subnets and security groups of a service. (ECS service quotas)
const MOST_SUBNETS: usize = 16;
const MOST_GROUPS: usize = 5;

fn refuse<T>(message: impl Into<String>) -> Result<T, EcsError> {
    Err(EcsError::invalid_parameter(message))
}

/// Checks that `arn`, the value of `member`, is the ARN of an IAM role.
///
/// # Errors
/// `InvalidParameterException` that names the member.
pub fn check_role(member: &str, arn: &str) -> Result<(), EcsError> {
    let is_role =
        Arn::parse(arn).is_some_and(|arn| arn.service == "iam" && arn.kind == "role" && !arn.rest.is_empty());
    if is_role { Ok(()) } else { refuse(format!("{member} must be the ARN of an IAM role.")) }
}

/// Checks a health check path.
///
/// # Errors
/// `InvalidParameterException` unless it begins with a slash and is no longer than 1024 characters.
pub fn check_health_path(path: &str) -> Result<(), EcsError> {
    // 1024: `HealthCheckPath` of Elastic Load Balancing.
    let right =
        path.starts_with('/') && path.len() <= 1024 && path.chars().all(|char| char.is_ascii_graphic());
    if right {
        return Ok(());
    }
    refuse("healthCheckPath must start with a forward slash and have at most 1024 printable characters.")
}

/// Checks a network configuration.
///
/// # Errors
/// `InvalidParameterException` for too many subnets or security groups, and for blank ones.
pub fn check_network(network: &ExpressGatewayServiceNetworkConfiguration) -> Result<(), EcsError> {
    let (subnets, groups) = (network.subnets.as_deref(), network.security_groups.as_deref());
    let (subnets, groups) = (subnets.unwrap_or_default(), groups.unwrap_or_default());
    if subnets.len() > MOST_SUBNETS {
        return refuse(format!("subnets can have at most {MOST_SUBNETS} items."));
    }
    if groups.len() > MOST_GROUPS {
        return refuse(format!("securityGroups can have at most {MOST_GROUPS} items."));
    }
    if subnets.iter().chain(groups).any(|id| id.trim().is_empty()) {
        return refuse("networkConfiguration can not have a blank subnet or security group.");
    }
    Ok(())
}

/// The network configuration of the service's tasks. None where nothing is said: the tasks are in the network that
/// the orchestrator has for all tasks, which stands for the default VPC.
pub fn network(given: Option<&ExpressGatewayServiceNetworkConfiguration>) -> Option<NetworkConfiguration> {
    let given = given?;
    let (subnets, groups) = (given.subnets.clone(), given.security_groups.clone());
    let said = [&subnets, &groups].into_iter().flatten().any(|list| !list.is_empty());
    said.then(|| NetworkConfiguration {
        awsvpc_configuration: Some(AwsVpcConfiguration {
            subnets: subnets.unwrap_or_default(),
            security_groups: groups,
            assign_public_ip: None,
        }),
    })
}

/// Checks a task definition that a user brings.
///
/// # Errors
/// `InvalidParameterException` unless it can run on Fargate and has a container `Main` with a single TCP port mapping
/// that has a container port and a name.
pub fn check_definition(definition: &model::TaskDefinition) -> Result<(), EcsError> {
    let compatibilities = definition.compatibilities.as_deref().unwrap_or_default();
    if !compatibilities.contains(&Compatibility::Fargate) {
        return refuse("The task definition of an Express service must be compatible with FARGATE.");
    }
    let containers = definition.container_definitions.as_deref().unwrap_or_default();
    let Some(main) = containers.iter().find(|container| container.name.as_deref() == Some(MAIN)) else {
        return refuse(format!(
            "The task definition of an Express service must have a container named {MAIN}."
        ));
    };
    let mappings = main.port_mappings.as_deref().unwrap_or_default();
    let right = matches!(mappings, [mapping]
        if mapping.container_port.is_some()
            && mapping.name.is_some()
            && mapping.protocol.unwrap_or(TransportProtocol::Tcp) == TransportProtocol::Tcp);
    if right {
        return Ok(());
    }
    refuse(format!(
        "The container {MAIN} must have a single TCP port mapping with a container port and a port name."
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn roles_are_arns_of_roles() {
        assert!(check_role("taskRoleArn", "arn:aws:iam::123456789012:role/service-role/x").is_ok());
        for arn in ["", "x", "arn:aws:iam::123456789012:user/x", "arn:aws:ecs::123456789012:role/x"] {
            let refused = check_role("taskRoleArn", arn).unwrap_err();
            assert_eq!(refused.message, "taskRoleArn must be the ARN of an IAM role.");
        }
    }

    #[test]
    fn paths_begin_with_a_slash() {
        assert!(check_health_path("/ping?format=json").is_ok());
        for path in ["", "ping", "/a b"] {
            assert!(check_health_path(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn a_network_that_says_nothing_is_none() {
        for json in [json!({}), json!({"subnets": [], "securityGroups": []})] {
            assert_eq!(network(Some(&serde_json::from_value(json).unwrap())), None);
        }
        let given = serde_json::from_value(json!({"securityGroups": ["sg-1"]})).unwrap();
        let vpc = network(Some(&given)).unwrap().awsvpc_configuration.unwrap();
        assert_eq!((vpc.subnets, vpc.security_groups), (vec![], Some(vec!["sg-1".to_owned()])));
    }

    #[test]
    fn a_task_definition_of_ones_own_needs_main_with_one_named_port() {
        let port = json!({"containerPort": 80, "name": "web", "protocol": "tcp"});
        let with = |name: &str, ports: serde_json::Value, compatible: &str| {
            let definition = json!({
                "compatibilities": [compatible],
                "containerDefinitions": [{"name": "sidecar"}, {"name": name, "portMappings": ports}],
            });
            check_definition(&serde_json::from_value(definition).unwrap())
        };
        assert!(with("Main", json!([port]), "FARGATE").is_ok());
        for (name, ports, compatible) in [
            ("main", json!([port]), "FARGATE"),
            ("Main", json!([port]), "EC2"),
            ("Main", json!([]), "FARGATE"),
            ("Main", json!([port, {"containerPort": 81, "name": "x"}]), "FARGATE"),
            ("Main", json!([{"containerPort": 80}]), "FARGATE"),
            ("Main", json!([{"containerPort": 80, "name": "web", "protocol": "udp"}]), "FARGATE"),
        ] {
            assert!(with(name, ports.clone(), compatible).is_err(), "{name} {ports} {compatible}");
        }
    }
}
