//! Users, capabilities, privileges and kernel settings.

use k8s_openapi::api::core::v1::{Capabilities, PodSecurityContext, SecurityContext, Sysctl};
use kecs_domain::model::ContainerDefinition;

use super::Notes;

/// The security context of one container.
pub(super) fn of_container(
    definition: &ContainerDefinition,
    path: &str,
    notes: &mut Notes,
) -> Option<SecurityContext> {
    let linux = definition.linux_parameters.as_ref();
    let capabilities = linux.and_then(|linux| linux.capabilities.as_ref()).map(|given| Capabilities {
        add: given.add.clone().filter(|list| !list.is_empty()),
        drop: given.drop.clone().filter(|list| !list.is_empty()),
    });
    let (user, group) = user(definition, path, notes);
    notes.unless_empty(
        definition.ulimits.as_ref(),
        format!("{path}.ulimits"),
        "Kubernetes sets no limits per process: those of the node apply.",
    );
    notes.unless_empty(
        definition.docker_security_options.as_ref(),
        format!("{path}.dockerSecurityOptions"),
        "Docker's security options are not carried over.",
    );
    if linux.is_some_and(|linux| linux.devices.as_ref().is_some_and(|devices| !devices.is_empty())) {
        notes.add(
            format!("{path}.linuxParameters.devices"),
            "Devices need a device plugin: they are left out.",
        );
    }
    if linux.is_some_and(|linux| linux.init_process_enabled == Some(true)) {
        notes.add(
            format!("{path}.linuxParameters.initProcessEnabled"),
            "Kubernetes adds no init process: the image's own process is the first one.",
        );
    }
    let context = SecurityContext {
        capabilities: capabilities.filter(|given| given.add.is_some() || given.drop.is_some()),
        privileged: definition.privileged.filter(|privileged| *privileged),
        read_only_root_filesystem: definition.readonly_root_filesystem.filter(|read_only| *read_only),
        run_as_user: user,
        run_as_group: group,
        ..SecurityContext::default()
    };
    (context != SecurityContext::default()).then_some(context)
}

/// `user` as numbers. Kubernetes can't look a name up in the image.
fn user(definition: &ContainerDefinition, path: &str, notes: &mut Notes) -> (Option<i64>, Option<i64>) {
    let Some(text) = definition.user.as_deref().filter(|text| !text.is_empty()) else { return (None, None) };
    let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
    let number = |text: &str| if text == "root" { Some(0) } else { text.parse::<i64>().ok() };
    let (id, group_id) = (number(user), group.and_then(number));
    if id.is_none() || (group.is_some() && group_id.is_none()) {
        notes.add(
            format!("{path}.user"),
            "Kubernetes takes numeric users only: the image's own user is kept.",
        );
        return (None, None);
    }
    (id, group_id)
}

/// `systemControls` of all containers: they are the Pod's.
pub(super) fn of_pod(containers: &[ContainerDefinition]) -> Option<PodSecurityContext> {
    let mut sysctls: Vec<Sysctl> = Vec::new();
    for control in containers.iter().flat_map(|container| container.system_controls.iter().flatten()) {
        if let (Some(name), Some(value)) = (&control.namespace, &control.value)
            && !sysctls.iter().any(|known| known.name == *name)
        {
            sysctls.push(Sysctl { name: name.clone(), value: value.clone() });
        }
    }
    (!sysctls.is_empty())
        .then(|| PodSecurityContext { sysctls: Some(sysctls), ..PodSecurityContext::default() })
}
