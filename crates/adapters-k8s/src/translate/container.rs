//! One container.

use k8s_openapi::api::core::v1::{Container, ExecAction, Probe};
use kecs_domain::model::{
    ContainerDefinition, ContainerOverride, HealthCheck, LogDriver, ResourceRequirement, ResourceType,
    TaskDefinition, VersionConsistency,
};
use kecs_domain::task::Task;

use super::order::Position;
use super::ports::Ports;
use super::{Notes, Offer, environment, resources, restart, security, volumes};
use crate::gate;
use crate::names::dns_label;

/// Makes the container at `index` of the task definition, for the Pod of that name.
pub(super) fn translate(
    (pod, task): (&str, &Task),
    definition: &TaskDefinition,
    (index, position): (usize, Position),
    offer: &Offer,
    ports: &mut Ports,
    notes: &mut Notes,
) -> Container {
    let containers = definition.container_definitions.as_deref().unwrap_or_default();
    let container = &containers[index];
    let path = format!("containerDefinitions[{index}]");
    let overridden = override_of(task, container);
    note_unsupported(container, &path, notes);
    let health = container.health_check.as_ref().and_then(probe);
    let (restart_policy, restart_policy_rules) =
        restart::of_container(container, position, offer.restarts, &path, notes);
    let name = container.name.as_deref().unwrap_or_default();
    let mut sources = environment::files_of_container(container, overridden);
    sources.extend((position == Position::Gated).then(|| gate::closed(pod, name)));
    Container {
        name: dns_label(name),
        image: container.image.clone(),
        // ECS's command alone must not replace the image's ENTRYPOINT: it is Kubernetes' args.
        command: words(container.entry_point.as_ref()),
        args: words(
            overridden.and_then(|overridden| overridden.command.as_ref()).or(container.command.as_ref()),
        ),
        env: environment::of_container(container, overridden, &path, notes),
        env_from: (!sources.is_empty()).then_some(sources),
        ports: ports.of_container(definition, container, &path, notes),
        resources: resources::of_container(container, overridden),
        security_context: security::of_container(container, &path, notes),
        volume_mounts: volumes::of_container(containers, index),
        working_dir: container.working_directory.clone().filter(|dir| !dir.is_empty()),
        stdin: container.interactive.filter(|wanted| *wanted),
        tty: container.pseudo_terminal.filter(|wanted| *wanted),
        restart_policy,
        restart_policy_rules,
        startup_probe: match position {
            Position::Sidecar { healthy: true } => health.clone().map(startup),
            _ => None,
        },
        // Never a liveness probe: ECS does not restart an unhealthy container.
        readiness_probe: if position == Position::Init { None } else { health },
        ..Container::default()
    }
}

fn words(list: Option<&Vec<String>>) -> Option<Vec<String>> {
    let list = list.filter(|list| !list.is_empty())?;
    Some(list.iter().map(|word| environment::literal(word)).collect())
}

fn override_of<'a>(task: &'a Task, container: &ContainerDefinition) -> Option<&'a ContainerOverride> {
    let overrides = task.doc.overrides.as_ref()?.container_overrides.as_ref()?;
    overrides.iter().find(|overridden| overridden.name == container.name)
}

fn note_unsupported(container: &ContainerDefinition, path: &str, notes: &mut Notes) {
    notes.unless_empty(
        container.links.as_ref(),
        format!("{path}.links"),
        "Containers of a Pod share one address: reach the other container at localhost.",
    );
    let driver = container.log_configuration.as_ref().map(|log| log.log_driver);
    if driver.is_some_and(|driver| driver != LogDriver::JsonFile) {
        notes
            .add(format!("{path}.logConfiguration"), "Logs stay in Kubernetes: read them with kubectl logs.");
    }
    let mut note = |is: bool, member: &str, what: &str| {
        if is {
            notes.add(format!("{path}.{member}"), what);
        }
    };
    let given = container.docker_labels.as_ref().is_some_and(|labels| !labels.is_empty());
    note(given, "dockerLabels", "Labels of containers have no counterpart: they are left out.");
    note(
        container.start_timeout.is_some(),
        "startTimeout",
        "What others wait for is waited for without a limit.",
    );
    let accelerated = |one: &ResourceRequirement| one.r#type != ResourceType::Gpu;
    let given = container.resource_requirements.iter().flatten().any(accelerated);
    note(given, "resourceRequirements", "Accelerators other than GPUs are not asked for.");
    let strict = container.version_consistency != Some(VersionConsistency::Disabled);
    note(
        container.version_consistency.is_some() && strict,
        "versionConsistency",
        "Each task resolves its image's tag anew.",
    );
    note(container.disable_networking == Some(true), "disableNetworking", "A Pod always has a network.");
    let given = container.credential_specs.as_ref().is_some_and(|all| !all.is_empty());
    note(given, "credentialSpecs", "Credential specifications are not carried over.");
    note(
        container.firelens_configuration.is_some(),
        "firelensConfiguration",
        "The container runs, but no logs are routed to it.",
    );
}

/// A health check as an exec probe, with ECS's defaults. (API reference, HealthCheck)
fn probe(check: &HealthCheck) -> Option<Probe> {
    let command = match check.command.split_first()? {
        (first, rest) if first == "CMD" => rest.to_vec(),
        (first, rest) if first == "CMD-SHELL" => {
            vec!["/bin/sh".to_owned(), "-c".to_owned(), rest.join(" ")]
        }
        (first, _) if first == "NONE" => return None,
        _ => check.command.clone(),
    };
    let interval = check.interval.unwrap_or(30);
    Some(Probe {
        exec: Some(ExecAction { command: Some(command) }),
        period_seconds: Some(interval),
        timeout_seconds: Some(check.timeout.unwrap_or(5)),
        failure_threshold: Some(check.retries.unwrap_or(3)),
        // The first check comes an interval after the start, and failures count from the start period's end.
        initial_delay_seconds: Some(interval.max(check.start_period.unwrap_or(0))),
        ..Probe::default()
    })
}

/// The same check as a startup probe: what waits for this container waits as long as the check allows.
fn startup(probe: Probe) -> Probe {
    Probe { success_threshold: None, ..probe }
}
