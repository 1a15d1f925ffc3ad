//! What RunTask and StartTask may override: containers of the task definition, and amounts that a task can have.

use crate::error::EcsError;
use crate::generated as model;
use crate::model::{LaunchType, OSFamily};
use crate::task_definition::sizes::{LEAST_MEMORY, STORAGE, is_fargate_size, parse_cpu, parse_memory};

fn refuse<T>(message: impl Into<String>) -> Result<T, EcsError> {
    Err(EcsError::invalid_parameter(message))
}

/// Checks the overrides of a task of `definition`.
///
/// # Errors
/// `InvalidParameterException` for a container that the task definition doesn't have, and for an amount that no task
/// or container can have, in the words of RegisterTaskDefinition.
pub fn check_overrides(
    definition: &model::TaskDefinition,
    overrides: &model::TaskOverride,
    launch_type: LaunchType,
) -> Result<(), EcsError> {
    for overridden in overrides.container_overrides.iter().flatten() {
        check_container(definition, overridden)?;
    }
    let fargate = launch_type == LaunchType::Fargate;
    let cpu = overrides.cpu.as_deref().map(parse_cpu);
    if cpu == Some(None) {
        return refuse("Invalid 'cpu' setting for task.");
    }
    let memory = overrides.memory.as_deref().map(parse_memory);
    if memory == Some(None) {
        return refuse("Invalid 'memory' setting for task.");
    }
    if fargate && (cpu.is_some() || memory.is_some()) {
        check_fargate_size(definition, cpu.flatten(), memory.flatten())?;
    }
    match overrides.ephemeral_storage.as_ref().map(|storage| storage.size_in_gib) {
        Some(size) if size < *STORAGE.start() => {
            refuse(format!("EphemeralStorage size should be at least {}", STORAGE.start()))
        }
        Some(size) if size > *STORAGE.end() => {
            refuse(format!("EphemeralStorage size should be at most {}", STORAGE.end()))
        }
        _ => Ok(()),
    }
}

fn check_container(
    definition: &model::TaskDefinition,
    overridden: &model::ContainerOverride,
) -> Result<(), EcsError> {
    let name = overridden.name.as_deref().unwrap_or_default();
    let mut containers = definition.container_definitions.iter().flatten();
    if !containers.any(|container| container.name.as_deref() == Some(name)) {
        return refuse(format!(
            "Override for container named {name} is not a container in the TaskDefinition."
        ));
    }
    let invalid = |member: &str| refuse(format!("Invalid '{member}' setting for container '{name}'."));
    if overridden.cpu.is_some_and(|cpu| cpu < 0) {
        return invalid("cpu");
    }
    if overridden.memory.is_some_and(|memory| memory < LEAST_MEMORY) {
        return invalid("memory");
    }
    if overridden.memory_reservation.is_some_and(|memory| memory < LEAST_MEMORY) {
        return invalid("memoryReservation");
    }
    Ok(())
}

/// Whether Fargate has tasks of this size, of which a part may be the task definition's.
fn check_fargate_size(
    definition: &model::TaskDefinition,
    cpu: Option<i32>,
    memory: Option<i32>,
) -> Result<(), EcsError> {
    let cpu = cpu.or_else(|| parse_cpu(definition.cpu.as_deref()?));
    let memory = memory.or_else(|| parse_memory(definition.memory.as_deref()?));
    let (Some(cpu), Some(memory)) = (cpu, memory) else { return Ok(()) };
    let family = definition.runtime_platform.as_ref().and_then(|platform| platform.operating_system_family);
    if is_fargate_size(cpu, memory, family.is_some_and(|family| family != OSFamily::Linux)) {
        return Ok(());
    }
    refuse(format!(
        "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS documentation \
         for the valid values."
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(overrides: Value, launch_type: LaunchType) -> Result<(), String> {
        let definition = json!({"cpu": "256", "memory": "512", "containerDefinitions": [{"name": "app"}]});
        let definition = serde_json::from_value(definition).unwrap();
        let overrides = serde_json::from_value(overrides).unwrap();
        check_overrides(&definition, &overrides, launch_type).map_err(|error| error.message)
    }

    #[test]
    fn amounts_that_no_task_can_have_are_refused() {
        let container = |members: Value| {
            let mut container = json!({"name": "app"});
            container.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            json!({"containerOverrides": [container]})
        };
        for (overrides, message) in [
            (container(json!({"cpu": -1})), "Invalid 'cpu' setting for container 'app'."),
            (container(json!({"memory": 3})), "Invalid 'memory' setting for container 'app'."),
            (
                container(json!({"memoryReservation": i32::MIN})),
                "Invalid 'memoryReservation' setting for container 'app'.",
            ),
            (json!({"cpu": ""}), "Invalid 'cpu' setting for task."),
            (json!({"cpu": "-1"}), "Invalid 'cpu' setting for task."),
            (json!({"memory": "much"}), "Invalid 'memory' setting for task."),
            (json!({"ephemeralStorage": {"sizeInGiB": 20}}), "EphemeralStorage size should be at least 21"),
            (json!({"ephemeralStorage": {"sizeInGiB": 201}}), "EphemeralStorage size should be at most 200"),
            (
                json!({"containerOverrides": [{"name": "other"}]}),
                "Override for container named other is not a container in the TaskDefinition.",
            ),
        ] {
            assert_eq!(check(overrides.clone(), LaunchType::Ec2), Err(message.to_owned()), "{overrides}");
        }
        assert!(check(container(json!({"cpu": 0, "memory": 4})), LaunchType::Ec2).is_ok());
    }

    #[test]
    fn a_task_on_fargate_keeps_its_sizes() {
        assert!(check(json!({"cpu": "512"}), LaunchType::Fargate).is_err(), "512 CPU need 1024 MiB");
        assert!(check(json!({"cpu": "512", "memory": "1 GB"}), LaunchType::Fargate).is_ok());
        assert!(check(json!({"cpu": "512"}), LaunchType::Ec2).is_ok());
    }
}
