//! What must be true of one observation, and of two of the same task in a row, whatever the orchestrator.

use kecs_domain::Timestamp;
use kecs_domain::task::{ContainerObservation, ContainerState, TaskFailure, TaskObservation};

/// What is wrong with an observation by itself.
pub fn check(seen: &TaskObservation) -> Result<(), String> {
    let running = seen.containers.iter().find(|it| it.state == ContainerState::Running);
    if let (true, Some(container)) = (seen.released, running) {
        return Err(format!("released while {} runs", container.name));
    }
    if !seen.placed && running.is_some() {
        return Err("a container runs before the task is placed".to_owned());
    }
    if seen.placed && matches!(seen.failure, Some(TaskFailure::Unplaceable { .. })) {
        return Err("placed and unplaceable at once".to_owned());
    }
    in_order("pulled", seen.pull_started_at, seen.pull_stopped_at)?;
    seen.containers.iter().try_for_each(check_container)
}

fn check_container(seen: &ContainerObservation) -> Result<(), String> {
    let name = &seen.name;
    in_order(name, seen.started_at, seen.finished_at)?;
    let contradiction = match seen.state {
        ContainerState::Pending => {
            seen.started_at.is_some() || seen.exit_code.is_some() || seen.finished_at.is_some()
        }
        ContainerState::Running => {
            seen.started_at.is_none() || seen.exit_code.is_some() || seen.finished_at.is_some()
        }
        ContainerState::Stopped => seen.exit_code.is_some() && seen.started_at.is_none(),
    };
    if contradiction {
        Err(format!("{name} is {:?}, but its facts say otherwise: {seen:?}", seen.state))
    } else {
        Ok(())
    }
}

fn in_order(what: &str, first: Option<Timestamp>, last: Option<Timestamp>) -> Result<(), String> {
    match (first, last) {
        (None, Some(_)) => Err(format!("{what}: has an end and no beginning")),
        (Some(first), Some(last)) if last < first => Err(format!("{what}: ends before it begins")),
        _ => Ok(()),
    }
}

/// What is wrong with `next` as a later observation of the task that was `before`. Facts stay, states go forwards,
/// and nothing comes after the release.
pub fn check_next(before: &TaskObservation, next: &TaskObservation) -> Result<(), String> {
    check(next)?;
    if before.released && before != next {
        return Err("something changed after the release".to_owned());
    }
    if before.placed && !next.placed {
        return Err("the place is gone".to_owned());
    }
    stays("instance", &before.instance, &next.instance)?;
    stays("zone", &before.availability_zone, &next.availability_zone)?;
    stays("pullStartedAt", &before.pull_started_at, &next.pull_started_at)?;
    stays("pullStoppedAt", &before.pull_stopped_at, &next.pull_stopped_at)?;
    stays("network", &before.network, &next.network)?;
    match (&before.failure, &next.failure) {
        (None | Some(TaskFailure::Unplaceable { .. }), _) => {}
        (failure, after) => stays("failure", failure, after)?,
    }
    for container in &before.containers {
        let after = next.containers.iter().find(|it| it.name == container.name);
        let after = after.ok_or_else(|| format!("{} is gone", container.name))?;
        check_next_container(container, after).map_err(|wrong| format!("{}: {wrong}", container.name))?;
    }
    Ok(())
}

fn check_next_container(before: &ContainerObservation, next: &ContainerObservation) -> Result<(), String> {
    if next.state < before.state {
        return Err(format!("from {:?} back to {:?}", before.state, next.state));
    }
    stays("runtimeId", &before.runtime_id, &next.runtime_id)?;
    stays("imageDigest", &before.image_digest, &next.image_digest)?;
    stays("start", &before.started_at, &next.started_at)?;
    stays("end", &before.finished_at, &next.finished_at)?;
    stays("exitCode", &before.exit_code, &next.exit_code)?;
    if !before.bindings.is_empty() && before.bindings != next.bindings {
        return Err("other host ports".to_owned());
    }
    Ok(())
}

fn stays<T: PartialEq + std::fmt::Debug>(
    what: &str,
    before: &Option<T>,
    next: &Option<T>,
) -> Result<(), String> {
    if before.is_none() || before == next {
        Ok(())
    } else {
        Err(format!("{what}: first {before:?}, then {next:?}"))
    }
}
