//! One container, from its status.

use k8s_openapi::api::core::v1::{ContainerStateWaiting, ContainerStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kecs_domain::Timestamp;
use kecs_domain::model::HealthStatus;
use kecs_domain::task::{ContainerObservation, ContainerState};

/// The reason of a container that was killed for its memory. (ecs: OutOfMemoryError)
const OUT_OF_MEMORY: &str = "OutOfMemoryError: Container killed due to memory usage";

/// What a node says that is only slow. (kubelet: the cache-based managers of Secrets and ConfigMaps, and
/// makeEnvironmentVariables)
const NOT_YET: [&str; 2] = ["failed to sync", "services have not yet been read"];

/// Why a container can't start, in ECS's words, if its waiting is no mere matter of time.
pub(super) fn failure(waiting: &ContainerStateWaiting) -> Option<String> {
    let message = waiting.message.as_deref().unwrap_or_default();
    let name = match waiting.reason.as_deref()? {
        // The node's own view of Secrets and ConfigMaps, or of Services, lags behind: it looks again.
        "CreateContainerConfigError" if NOT_YET.iter().any(|text| message.contains(text)) => return None,
        "ErrImagePull"
        | "ImagePullBackOff"
        | "InvalidImageName"
        | "ErrImageNeverPull"
        | "RegistryUnavailable" => "CannotPullContainerError",
        "CreateContainerConfigError" => "ResourceInitializationError",
        "CreateContainerError" => "CannotCreateContainerError",
        "RunContainerError" | "StartError" => "CannotStartContainerError",
        _ => return None,
    };
    Some(format!("{name}: {message}"))
}

/// The observation of the container of that name. `checked` says whether it has a health check, `failed` whether that has failed as
/// often as it may if the container isn't ready, `again` whether it is started again after
/// an end with this code; None for one that runs before the others.
pub(super) fn observe(
    name: &str,
    status: &ContainerStatus,
    checked: bool,
    failed: bool,
    again: Option<&dyn Fn(i32) -> bool>,
) -> ContainerObservation {
    let mut seen = ContainerObservation::pending(name);
    seen.image_digest = digest_of(&status.image_id);
    seen.runtime_id = runtime_id(status.container_id.as_deref());
    let state = status.state.as_ref();
    let present = state.and_then(|state| state.terminated.as_ref());
    let running = state.and_then(|state| state.running.as_ref());
    let former = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    let (ended, between) = match again {
        // Kubernetes starts a sidecar again; for ECS it has one life, and the first end counts.
        None => (former.or(present), None),
        // One that ECS too starts again has not ended before it is left alone; until then it counts as running.
        Some(again) => match present.or(former.filter(|_| running.is_none())) {
            Some(end) if again(end.exit_code) => (None, Some(end)),
            last => (last, None),
        },
    };
    if let Some(end) = between {
        seen.state = ContainerState::Running;
        seen.started_at = time(end.started_at.as_ref());
        if seen.started_at.is_none() {
            seen.state = ContainerState::Pending;
        }
    } else if let Some(ended) = ended {
        seen.state = ContainerState::Stopped;
        seen.started_at = time(ended.started_at.as_ref());
        seen.finished_at = time(ended.finished_at.as_ref()).filter(|_| seen.started_at.is_some());
        // One that never ran is given a code all the same (ContainerStatusUnknown, 137).
        seen.exit_code = seen.started_at.is_some().then_some(ended.exit_code);
        seen.reason = match ended.reason.as_deref() {
            Some("OOMKilled") => Some(OUT_OF_MEMORY.to_owned()),
            Some("StartError" | "ContainerCannotRun") => {
                Some(format!("CannotStartContainerError: {}", ended.message.as_deref().unwrap_or_default()))
            }
            _ => None,
        };
        if seen.reason.as_deref().is_some_and(|reason| reason.starts_with("CannotStart")) {
            // It never ran: what Kubernetes gives as its start is that of the attempt.
            (seen.started_at, seen.finished_at, seen.exit_code) = (None, None, None);
        }
    } else if let Some(running) = running {
        seen.state = ContainerState::Running;
        seen.started_at = time(running.started_at.as_ref());
    } else if let Some(waiting) = state.and_then(|state| state.waiting.as_ref()) {
        seen.reason = failure(waiting);
    }
    seen.health = checked.then_some(match (status.ready, seen.state, failed) {
        (true, ..) => HealthStatus::Healthy,
        (false, ContainerState::Running, true) => HealthStatus::Unhealthy,
        (false, ..) => HealthStatus::Unknown,
    });
    seen
}

/// `containerd://ID` without its scheme.
fn runtime_id(text: Option<&str>) -> Option<String> {
    let id = text?.split_once("://").map_or(text?, |(_, id)| id);
    (!id.is_empty()).then(|| id.to_owned())
}

/// A time, if it is one: what is not known is told as the beginning of 1970.
fn time(time: Option<&Time>) -> Option<Timestamp> {
    let time = Timestamp::from(time?.0);
    (time.as_millis() > 0).then_some(time)
}

/// `REPOSITORY@sha256:...`; an image that was never in a repository has the digest of its configuration alone.
fn digest_of(image_id: &str) -> Option<String> {
    let digest = image_id.rsplit_once('@').map_or(image_id, |(_, digest)| digest);
    digest.starts_with("sha256:").then(|| digest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_is_only_slow_is_no_failure() {
        let waiting = |message: &str| {
            failure(&ContainerStateWaiting {
                reason: Some("CreateContainerConfigError".to_owned()),
                message: Some(message.to_owned()),
            })
        };
        assert_eq!(waiting("failed to sync secret cache: timed out waiting for the condition"), None);
        assert_eq!(waiting("services have not yet been read at least once, cannot construct envvars"), None);
        let missing = waiting("secret \"db\" not found");
        assert_eq!(missing.as_deref(), Some("ResourceInitializationError: secret \"db\" not found"));
    }
}
