//! What was true once stays told: a Pod forgets (addresses, first starts of sidecars), a task must not.

use kecs_domain::task::{ContainerObservation, ContainerState, TaskFailure, TaskObservation};

/// The observation after `before`, now that the Pod looks like `seen`.
pub(super) fn keep(before: &TaskObservation, seen: TaskObservation) -> TaskObservation {
    if before.released {
        return before.clone();
    }
    let mut next = seen;
    next.placed |= before.placed;
    next.instance = before.instance.or(next.instance);
    next.availability_zone = before.availability_zone.clone().or(next.availability_zone);
    next.pull_started_at = before.pull_started_at.or(next.pull_started_at);
    next.pull_stopped_at = before.pull_stopped_at.or(next.pull_stopped_at);
    next.network = before.network.clone().or(next.network);
    match &before.failure {
        None | Some(TaskFailure::Unplaceable { .. }) => {}
        Some(failure) => next.failure = Some(failure.clone()),
    }
    for container in &mut next.containers {
        if let Some(before) = before.containers.iter().find(|it| it.name == container.name) {
            keep_container(before, container);
        }
    }
    next
}

fn keep_container(before: &ContainerObservation, next: &mut ContainerObservation) {
    next.state = next.state.max(before.state);
    keep_first(&before.runtime_id, &mut next.runtime_id);
    keep_first(&before.image_digest, &mut next.image_digest);
    keep_first(&before.started_at, &mut next.started_at);
    keep_first(&before.finished_at, &mut next.finished_at);
    keep_first(&before.exit_code, &mut next.exit_code);
    keep_first(&before.reason, &mut next.reason);
    if !before.bindings.is_empty() {
        next.bindings.clone_from(&before.bindings);
    }
    if before.state == ContainerState::Stopped {
        next.health = before.health;
    }
}

fn keep_first<T: Clone>(before: &Option<T>, next: &mut Option<T>) {
    if before.is_some() {
        next.clone_from(before);
    }
}
