//! One container, from its status.

use k8s_openapi::api::core::v1::{ContainerStateWaiting, ContainerStatus};
use kecs_domain::Timestamp;
use kecs_domain::model::HealthStatus;
use kecs_domain::task::{ContainerObservation, ContainerState};

/// The reason of a container that was killed for its memory. (ecs: OutOfMemoryError)
const OUT_OF_MEMORY: &str = "OutOfMemoryError: Container killed due to memory usage";

/// Why a container can't start, in ECS's words, if its waiting is no mere matter of time.
pub(super) fn failure(waiting: &ContainerStateWaiting) -> Option<String> {
    let message = waiting.message.as_deref().unwrap_or_default();
    let name = match waiting.reason.as_deref()? {
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" | "RegistryUnavailable" => {
            "CannotPullContainerError"
        }
        "CreateContainerConfigError" => "ResourceInitializationError",
        "CreateContainerError" => "CannotCreateContainerError",
        "RunContainerError" | "StartError" => "CannotStartContainerError",
        _ => return None,
    };
    Some(format!("{name}: {message}"))
}

/// The observation of a container. `checked` says whether it has a health check.
pub(super) fn observe(status: &ContainerStatus, checked: bool, was_healthy: bool) -> ContainerObservation {
    let mut seen = ContainerObservation::pending(status.name.clone());
    seen.image_digest = status.image_id.rsplit_once('@').map(|(_, digest)| digest.to_owned());
    seen.runtime_id = runtime_id(status.container_id.as_deref());
    let state = status.state.as_ref();
    if let Some(running) = state.and_then(|state| state.running.as_ref()) {
        seen.state = ContainerState::Running;
        seen.started_at = running.started_at.as_ref().map(|time| Timestamp::from(time.0));
    } else if let Some(ended) = state.and_then(|state| state.terminated.as_ref()) {
        seen.state = ContainerState::Stopped;
        seen.started_at = ended.started_at.as_ref().map(|time| Timestamp::from(time.0));
        seen.finished_at = ended.finished_at.as_ref().map(|time| Timestamp::from(time.0));
        seen.exit_code = Some(ended.exit_code);
        seen.reason = match ended.reason.as_deref() {
            Some("OOMKilled") => Some(OUT_OF_MEMORY.to_owned()),
            Some("StartError" | "ContainerCannotRun") => {
                Some(format!("CannotStartContainerError: {}", ended.message.as_deref().unwrap_or_default()))
            }
            _ => None,
        };
        if seen.reason.as_deref().is_some_and(|reason| reason.starts_with("CannotStart")) {
            // It never ran: what Kubernetes gives as its start is that of the attempt.
            (seen.started_at, seen.exit_code) = (None, None);
        }
    } else if let Some(waiting) = state.and_then(|state| state.waiting.as_ref()) {
        seen.reason = failure(waiting);
    }
    seen.health = checked.then(|| {
        match (status.ready, seen.state, was_healthy) {
            (true, ..) => HealthStatus::Healthy,
            // Ready before and not now: the check has failed as often as it may.
            (false, ContainerState::Running, true) => HealthStatus::Unhealthy,
            (false, ..) => HealthStatus::Unknown,
        }
    });
    seen
}

/// `containerd://ID` without its scheme.
fn runtime_id(text: Option<&str>) -> Option<String> {
    let id = text?.split_once("://").map_or(text?, |(_, id)| id);
    (!id.is_empty()).then(|| id.to_owned())
}
