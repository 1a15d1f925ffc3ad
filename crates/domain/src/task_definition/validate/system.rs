//! What a container asks of the kernel and the hardware: platform, limits, capabilities, parameters, devices.

use super::{Outcome, Subject, client, each, name_of};
use crate::model::{
    CPUArchitecture, ContainerDefinition, IpcMode, LinuxParameters, NetworkMode, ResourceRequirement,
    ResourceType,
};

/// The kernel capabilities that can be added and dropped. (API model)
const CAPABILITIES: [&str; 38] = [
    "ALL",
    "AUDIT_CONTROL",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "SYSLOG",
    "WAKE_ALARM",
];

/// The kernel parameters of the IPC namespace, besides `fs.mqueue.*`. (API model)
const IPC_PARAMETERS: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

pub(super) fn check(subject: &Subject<'_>) -> Outcome {
    let request = subject.request;
    if each(&request.inference_accelerators).len() > 0 {
        return client("Unsupported field 'inferenceAccelerators'.");
    }
    let architecture = request.runtime_platform.as_ref().and_then(|platform| platform.cpu_architecture);
    if subject.windows && architecture == Some(CPUArchitecture::Arm64) {
        return client("Invalid CPU architecture");
    }
    for container in subject.containers {
        for ulimit in each(&container.ulimits) {
            if ulimit.soft_limit < -1 || ulimit.hard_limit < -1 {
                return client(format!("Invalid 'ulimits' setting for container '{}'.", name_of(container)));
            }
            // -1 is without limit.
            let above = |limit: i32| if limit == -1 { i32::MAX } else { limit };
            if above(ulimit.soft_limit) > above(ulimit.hard_limit) {
                return client(format!("Soft limit exceeds hard limit for ulimit {}", ulimit.name));
            }
        }
        if let Some(linux) = &container.linux_parameters {
            check_linux(linux, name_of(container))?;
        }
        check_parameters(subject, container)?;
        for wants in each(&container.resource_requirements) {
            check_requirement(wants, name_of(container))?;
        }
        if each(&container.credential_specs).len() > 1 {
            return client("credentialSpecs can have at most 1 items");
        }
    }
    Ok(())
}

fn check_linux(linux: &LinuxParameters, container: &str) -> Outcome {
    let invalid = |member: &str| client(format!("Invalid '{member}' setting for container '{container}'."));
    if let Some(capabilities) = &linux.capabilities {
        let mut named = each(&capabilities.add).chain(each(&capabilities.drop));
        if let Some(unknown) = named.find(|capability| !CAPABILITIES.contains(&capability.as_str())) {
            return client(format!("{unknown} is not a valid kernel capability."));
        }
    }
    if linux.shared_memory_size.is_some_and(|size| size < 1) {
        return invalid("sharedMemorySize");
    }
    if linux.max_swap.is_some_and(|size| size < 0) {
        return invalid("maxSwap");
    }
    if linux.swappiness.is_some_and(|value| !(0..=100).contains(&value)) {
        return invalid("swappiness");
    }
    if each(&linux.tmpfs).any(|tmpfs| tmpfs.size < 1 || !tmpfs.container_path.starts_with('/')) {
        return invalid("tmpfs");
    }
    if each(&linux.devices).any(|device| device.host_path.is_empty()) {
        return invalid("devices");
    }
    Ok(())
}

fn check_parameters(subject: &Subject<'_>, container: &ContainerDefinition) -> Outcome {
    for control in each(&container.system_controls) {
        let parameter = control.namespace.as_deref().unwrap_or_default();
        let of_network = parameter.starts_with("net.");
        let of_ipc = parameter.starts_with("fs.mqueue.") || IPC_PARAMETERS.contains(&parameter);
        if !(of_network || of_ipc) || control.value.is_none() {
            return client(format!(
                "Invalid 'systemControls' setting for container '{}'.",
                name_of(container)
            ));
        }
        // In the host's namespaces they would be the host's.
        if of_network && subject.network == NetworkMode::Host {
            return client("Network namespace systemControls are not supported when networkMode=host.");
        }
        if of_ipc && subject.request.ipc_mode == Some(IpcMode::Host) {
            return client("IPC namespace systemControls are not supported when ipcMode=host.");
        }
    }
    Ok(())
}

fn check_requirement(wants: &ResourceRequirement, container: &str) -> Outcome {
    let invalid = || client(format!("Invalid 'resourceRequirements' setting for container '{container}'."));
    let value = wants.value.as_deref();
    let shares = wants.sharing_strategy.is_some();
    let right = match wants.r#type {
        ResourceType::Gpu if shares => value.is_none(),
        ResourceType::Gpu => {
            value.is_some_and(|v| v == "ALL" || v.parse::<u16>().is_ok_and(|count| count > 0))
        }
        ResourceType::NeuronDevice => value == Some("ALL") && !shares,
        ResourceType::InferenceAccelerator => return client("Unsupported field 'inferenceAccelerators'."),
    };
    if right { Ok(()) } else { invalid() }
}
