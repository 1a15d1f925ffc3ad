//! The rules that only tasks for Fargate have.

use super::{Outcome, Subject, client, each, sizes};
use crate::model::{ContainerDefinition, LinuxParameters, NetworkMode, OSFamily, PidMode, ResourceType};
use crate::task_definition::attributes::is_ecr;

/// The longest `stopTimeout`, in seconds. (API model)
const LONGEST_STOP: i32 = 120;

pub(super) fn check_network_mode(subject: &Subject<'_>) -> Outcome {
    if subject.network == NetworkMode::Awsvpc {
        Ok(())
    } else {
        client("Fargate only supports network mode ‘awsvpc’.")
    }
}

pub(super) fn check_size(subject: &Subject<'_>) -> Outcome {
    let Some(cpu) = subject.cpu else {
        return client("Fargate requires that 'cpu' be defined at the task level.");
    };
    let Some(memory) = subject.memory else {
        return client("Fargate requires that 'memory' be defined at the task level.");
    };
    if sizes::is_fargate_size(cpu, memory, subject.windows) {
        return Ok(());
    }
    client(format!(
        "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS documentation for the valid values."
    ))
}

pub(super) fn check_platform(subject: &Subject<'_>) -> Outcome {
    let Some(platform) = &subject.request.runtime_platform else {
        return Ok(());
    };
    match platform.operating_system_family {
        Some(
            family @ (OSFamily::WindowsServer2016Full
            | OSFamily::WindowsServer2004Core
            | OSFamily::WindowsServer20h2Core),
        ) => client(format!(
            "Tasks using the Fargate launch type are not supported on operating system family {family}"
        )),
        _ => Ok(()),
    }
}

/// What Fargate refuses of settings that are otherwise right.
pub(super) fn check_refusals(subject: &Subject<'_>) -> Outcome {
    let request = subject.request;
    if each(&request.placement_constraints).len() > 0 {
        return unsupported("constraints");
    }
    if request.ipc_mode.is_some() {
        return unsupported("ipcMode");
    }
    if request.pid_mode == Some(PidMode::Host) {
        return client(
            "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is \
             'task'.",
        );
    }
    for volume in each(&request.volumes) {
        if volume.docker_volume_configuration.is_some() {
            return unsupported("dockerVolumeConfiguration");
        }
        if volume.host.as_ref().is_some_and(|host| host.source_path.is_some()) {
            return unsupported("sourcePath");
        }
    }
    for container in subject.containers {
        if container.privileged == Some(true) {
            return client("Fargate requires that the 'privileged' setting be 'false'");
        }
        if container.stop_timeout.is_some_and(|seconds| seconds > LONGEST_STOP) {
            return client(
                "Tasks using the Fargate launch type must have a container stop timeout of less than 120 seconds.",
            );
        }
        if each(&container.docker_security_options).len() > 0 {
            return unsupported("dockerSecurityOptions");
        }
        if let Some(linux) = &container.linux_parameters {
            check_linux(linux)?;
        }
        if each(&container.resource_requirements).any(|wants| wants.r#type == ResourceType::Gpu) {
            return client("Tasks using the Fargate launch type do not support GPU resource requirements");
        }
        if !subject.has_execution_role() {
            check_role(container)?;
        }
    }
    Ok(())
}

fn check_linux(linux: &LinuxParameters) -> Outcome {
    if each(&linux.devices).len() > 0 {
        return unsupported("devices");
    }
    if linux.shared_memory_size.is_some() {
        return unsupported("sharedMemorySize");
    }
    if linux.max_swap.is_some() {
        return unsupported("maxSwap");
    }
    if linux.swappiness.is_some() {
        return unsupported("swappiness");
    }
    let added = linux.capabilities.as_ref().and_then(|capabilities| capabilities.add.as_deref());
    match added.unwrap_or_default().iter().find(|capability| *capability != "SYS_PTRACE") {
        Some(capability) => client(format!("{capability} is not allowed on Fargate.")),
        None => Ok(()),
    }
}

/// What only a task execution role can do on Fargate, where there is no instance with a role of its own.
fn check_role(container: &ContainerDefinition) -> Outcome {
    let image = container.image.as_deref().unwrap_or_default();
    let what = if is_ecr(image) {
        "ECR images"
    } else if container.repository_credentials.is_some() {
        "repository credentials"
    } else if each(&container.environment_files).len() > 0 {
        "environment files"
    } else {
        return Ok(());
    };
    client(format!("Fargate requires task definition to have execution role ARN to support {what}."))
}

fn unsupported(member: &str) -> Outcome {
    client(format!("Fargate compatible task definitions do not support {member}"))
}
