//! One task, from its Pod.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodCondition};
use kecs_domain::Timestamp;
use kecs_domain::arn::TaskKey;
use kecs_domain::task::{ContainerObservation, ContainerState, NetworkObservation, TaskFailure, TaskObservation};

use super::{container, instance_id};
use crate::identity::task_of;
use crate::names::digest;

/// What a Pod says of its task. `healthy` names the containers that were healthy when last seen. None if the Pod
/// is no task.
pub fn observe_pod(pod: &Pod, healthy: &dyn Fn(&str) -> bool) -> Option<TaskObservation> {
    let key = task_of(&pod.metadata)?;
    let mut seen = TaskObservation::accepted(key.clone());
    let (Some(spec), Some(status)) = (&pod.spec, &pod.status) else { return Some(seen) };
    seen.placed = spec.node_name.as_deref().is_some_and(|name| !name.is_empty());
    if let Some(node) = spec.node_name.as_deref().filter(|name| !name.is_empty()) {
        seen.instance = Some(instance_id(node));
        seen.network = network(pod, &key);
    }
    let checked: Vec<&str> = spec
        .containers
        .iter()
        .chain(spec.init_containers.iter().flatten())
        .filter(|container| container.readiness_probe.is_some())
        .map(|container| container.name.as_str())
        .collect();
    let statuses: Vec<&ContainerStatus> =
        status.container_statuses.iter().flatten().chain(status.init_container_statuses.iter().flatten()).collect();
    for status in &statuses {
        let name = status.name.as_str();
        seen.containers.push(container::observe(status, checked.contains(&name), healthy(name)));
    }
    let ended = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    let all_stopped =
        !seen.containers.is_empty() && seen.containers.iter().all(|one| one.state == ContainerState::Stopped);
    seen.failure = failure(pod, &seen.containers, &statuses);
    let deleted = pod.metadata.deletion_timestamp.is_some();
    // A Pod that is being deleted and whose containers have ended holds nothing any more but our finalizer. One
    // that was never placed has no containers that could end.
    seen.released = deleted && (ended || all_stopped || !seen.placed);
    Some(seen)
}

fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == kind)
}

/// What ended the Pod from outside, or keeps it from starting.
fn failure(pod: &Pod, containers: &[ContainerObservation], statuses: &[&ContainerStatus]) -> Option<TaskFailure> {
    let status = pod.status.as_ref()?;
    let message = |fallback: &str| status.message.clone().unwrap_or_else(|| fallback.to_owned());
    match status.reason.as_deref() {
        Some("Evicted" | "Preempting") => return Some(TaskFailure::Lost { reason: message("The task was evicted") }),
        Some("NodeLost" | "NodeAffinity" | "NodeShutdown" | "Terminated") => {
            return Some(TaskFailure::Lost { reason: message("The task's node was lost") });
        }
        _ => {}
    }
    if let Some(disrupted) = condition(pod, "DisruptionTarget").filter(|condition| condition.status == "True") {
        let reason = disrupted.message.clone().unwrap_or_else(|| "The task was taken away".to_owned());
        return Some(TaskFailure::Lost { reason });
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
        // If we deleted it, the task has its reason already, and this one is not looked at.
        return Some(TaskFailure::Lost { reason: "The task's Pod was deleted".to_owned() });
    }
    condition(pod, "PodScheduled")
        .filter(|scheduled| scheduled.status == "False" && scheduled.reason.as_deref() == Some("Unschedulable"))
        .map(|scheduled| TaskFailure::Unplaceable { reason: scheduled.message.clone().unwrap_or_default() })
}

/// The Pod's address, as an elastic network interface. Its id follows from the task's: Kubernetes has none.
fn network(pod: &Pod, key: &TaskKey) -> Option<NetworkObservation> {
    let status = pod.status.as_ref()?;
    let address = status.pod_ip.clone().filter(|address| !address.is_empty())?;
    let since = condition(pod, "PodReadyToStartContainers")
        .filter(|ready| ready.status == "True")
        .and_then(|ready| ready.last_transition_time.as_ref())
        .or(status.start_time.as_ref())?;
    Some(NetworkObservation {
        connected_at: Timestamp::from(since.0),
        private_dns_name: format!("ip-{}.{}.compute.internal", address.replace(['.', ':'], "-"), key.cluster.scope.region()),
        private_ipv4: address,
        mac: None,
        interface_id: format!("eni-{}", digest(&[&key.id.to_string()], 17)),
    })
}
