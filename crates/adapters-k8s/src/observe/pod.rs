//! One task, from its Pod.

use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod, PodCondition};
use kecs_domain::Timestamp;
use kecs_domain::arn::TaskKey;
use kecs_domain::model::NetworkBinding;
use kecs_domain::task::{
    ContainerObservation, ContainerState, NetworkObservation, TaskFailure, TaskObservation,
};

use super::{container, instance_id};
use crate::gate::Gates;
use crate::identity::{ContainerNames, NETWORK_MODE, task_of};
use crate::names::digest;
use crate::translate::starts_again;

/// What a Pod says of its task. `failed` says of a container that isn't ready whether its check has failed as often
/// as it may; `ours` says that the Pod's end was asked for by us. None if the Pod is no task.
pub fn observe_pod(pod: &Pod, failed: &dyn Fn(&str) -> bool, ours: bool) -> Option<TaskObservation> {
    let key = task_of(&pod.metadata)?;
    let mut seen = TaskObservation::accepted(key.clone());
    let (Some(spec), Some(status)) = (&pod.spec, &pod.status) else { return Some(seen) };
    if let Some(node) = node_of(pod) {
        seen.placed = true;
        seen.instance = Some(instance_id(node));
        seen.network = network(pod, &key);
        // The node took it on, and sees to its images first.
        seen.pull_started_at = status.start_time.as_ref().map(|time| Timestamp::from(time.0));
    }
    let statuses: Vec<&ContainerStatus> = status
        .container_statuses
        .iter()
        .flatten()
        .chain(status.init_container_statuses.iter().flatten())
        .collect();
    let (names, gates) = (ContainerNames::of(&pod.metadata), Gates::of(pod));
    let pod_name = pod.metadata.name.as_deref().unwrap_or_default();
    let held = |status: &ContainerStatus| gates.holds(pod_name, names.get(&status.name), status);
    let ended = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    let deleted = pod.metadata.deletion_timestamp.is_some();
    // Nothing is started again in a Pod that comes to its end.
    let lasts = !ended && !deleted;
    for container in spec.containers.iter().chain(spec.init_containers.iter().flatten()) {
        let name = names.get(&container.name);
        // One that waits for nothing but its gate is as one that isn't made yet.
        let status = statuses.iter().find(|status| status.name == container.name && !held(status));
        let checked = container.readiness_probe.is_some();
        let is_main = spec.containers.iter().any(|main| std::ptr::eq(main, container));
        let again = |code: i32| lasts && starts_again(container, code);
        let again: Option<&dyn Fn(i32) -> bool> = if is_main { Some(&again) } else { None };
        let mut one = status.map_or_else(
            || ContainerObservation::pending(name),
            |status| container::observe(name, status, checked, failed(&container.name), again),
        );
        if one.state != ContainerState::Pending {
            one.bindings = bindings(container);
        }
        seen.containers.push(one);
    }
    // Images are pulled one container after the other: when all have started, the last one was there.
    let starts: Option<Vec<_>> = seen.containers.iter().map(|one| one.started_at).collect();
    seen.pull_stopped_at =
        starts.and_then(|starts| starts.into_iter().max()).filter(|_| seen.pull_started_at.is_some());
    let all_stopped =
        !seen.containers.is_empty() && seen.containers.iter().all(|one| one.state == ContainerState::Stopped);
    let statuses: Vec<_> = statuses.iter().copied().filter(|status| !held(status)).collect();
    seen.failure = failure(pod, &seen.containers, &statuses, ended, ours);
    // A Pod that is being deleted and whose containers have ended holds nothing any more but our finalizer. One
    // that was never placed has no containers that could end.
    seen.released = deleted && (ended || all_stopped || !seen.placed);
    if ended || seen.released {
        for one in &mut seen.containers {
            // What never began won't begin any more.
            one.state = ContainerState::Stopped;
        }
    }
    Some(seen)
}

/// The node that the Pod is on.
pub(super) fn node_of(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref().filter(|name| !name.is_empty())
}

/// The ports that a container has on its node.
fn bindings(container: &Container) -> Vec<NetworkBinding> {
    let bound = container.ports.iter().flatten().filter_map(|port| {
        Some(NetworkBinding {
            bind_ip: Some("0.0.0.0".to_owned()),
            container_port: Some(port.container_port),
            host_port: Some(port.host_port.filter(|port| *port != 0)?),
            protocol: port.protocol.as_deref().and_then(|name| name.to_ascii_lowercase().parse().ok()),
            ..NetworkBinding::default()
        })
    });
    bound.collect()
}

fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == kind)
}

/// What ended the Pod from outside, or keeps it from starting.
fn failure(
    pod: &Pod,
    containers: &[ContainerObservation],
    statuses: &[&ContainerStatus],
    ended: bool,
    ours: bool,
) -> Option<TaskFailure> {
    let status = pod.status.as_ref()?;
    let message = |fallback: &str| status.message.clone().unwrap_or_else(|| fallback.to_owned());
    match status.reason.as_deref() {
        Some("Evicted" | "Preempting") => {
            return Some(TaskFailure::Lost { reason: message("The task was evicted") });
        }
        Some("NodeLost" | "NodeAffinity" | "NodeShutdown" | "Terminated") => {
            return Some(TaskFailure::Lost { reason: message("The task's node was lost") });
        }
        _ => {}
    }
    if let Some(disrupted) = condition(pod, "DisruptionTarget").filter(|condition| condition.status == "True")
    {
        let reason = disrupted.message.clone().unwrap_or_else(|| "The task was taken away".to_owned());
        return Some(TaskFailure::Lost { reason });
    }
    if ours {
        // We asked for the end: whatever comes of that is no failure.
        return None;
    }
    let waiting = statuses.iter().filter_map(|status| status.state.as_ref()?.waiting.as_ref());
    if let Some(reason) = waiting.filter_map(container::failure).next() {
        return Some(TaskFailure::FailedToStart { reason });
    }
    let broken = containers.iter().filter_map(|one| one.reason.as_ref());
    if let Some(reason) = broken.into_iter().find(|reason| reason.starts_with("CannotStart")) {
        return Some(TaskFailure::FailedToStart { reason: reason.clone() });
    }
    if pod.metadata.deletion_timestamp.is_some() {
        // If a former process of ours deleted it, the task has its reason already, and this one is not looked at.
        return Some(TaskFailure::Lost { reason: "The task's Pod was deleted".to_owned() });
    }
    let start = TaskFailure::FailedToStart { reason: "Task failed to start".to_owned() };
    if ended && containers.iter().any(|one| one.started_at.is_none()) {
        // One that others waited for has failed.
        return Some(start);
    }
    if statuses.iter().any(|status| status.restart_count > 0 && status.started != Some(true))
        && containers.iter().any(|one| one.started_at.is_none())
    {
        // One that others wait for didn't become healthy, or ended before it was.
        return Some(start);
    }
    condition(pod, "PodScheduled")
        .filter(|scheduled| {
            scheduled.status == "False" && scheduled.reason.as_deref() == Some("Unschedulable")
        })
        .map(|scheduled| TaskFailure::Unplaceable { reason: scheduled.message.clone().unwrap_or_default() })
}

/// The Pod's address, as an elastic network interface. Its id follows from the task's: Kubernetes has none.
fn network(pod: &Pod, key: &TaskKey) -> Option<NetworkObservation> {
    let annotations = pod.metadata.annotations.as_ref()?;
    if annotations.get(NETWORK_MODE).is_none_or(|mode| mode != "awsvpc") {
        // In ECS the address of such a task is its instance's.
        return None;
    }
    let status = pod.status.as_ref()?;
    let address = status.pod_ip.clone().filter(|address| !address.is_empty())?;
    let since = condition(pod, "PodReadyToStartContainers")
        .filter(|ready| ready.status == "True")
        .and_then(|ready| ready.last_transition_time.as_ref())
        .or(status.start_time.as_ref())?;
    Some(NetworkObservation {
        connected_at: Timestamp::from(since.0),
        private_dns_name: format!(
            "ip-{}.{}.compute.internal",
            address.replace(['.', ':'], "-"),
            key.cluster.scope.region()
        ),
        private_ipv4: address,
        mac: None,
        interface_id: format!("eni-{}", digest(&[&key.id.to_string()], 17)),
    })
}
