//! What must hold between a task before and after any change, said again independently of the code that makes it.

pub(crate) mod observations;

use std::collections::BTreeSet;

use kecs_domain::Timestamp;
use kecs_domain::model::{self, HealthStatus};
use kecs_domain::task::{DesiredStatus, Task, TaskObservation, TaskStatus};
use proptest::prelude::*;

type Check = Result<(), TestCaseError>;

/// Checks one change. `seen` is the observation that made it, if one did.
pub(crate) fn check_step(
    before: &Task,
    after: &Task,
    seen: Option<&TaskObservation>,
    definition: &model::TaskDefinition,
    now: Timestamp,
) -> Check {
    prop_assert!(before.status != TaskStatus::Stopped, "STOPPED is the end");
    states(before, after)?;
    reasons(before, after)?;
    times(before, after, seen, now)?;
    containers(before, after)?;
    attachment(before, after)?;
    if seen.is_some() {
        prop_assert_eq!(after.doc.health_status, Some(worst(after, definition)));
    }
    Ok(())
}

fn states(before: &Task, after: &Task) -> Check {
    prop_assert!(after.status >= before.status, "{} became {}", before.status, after.status);
    prop_assert_eq!(after.doc.last_status.as_deref(), Some(after.status.as_str()));
    prop_assert_eq!(after.doc.desired_status.as_deref(), Some(after.desired.as_str()));
    let rise = after.doc.version.unwrap_or(0) - before.doc.version.unwrap_or(0);
    prop_assert!(rise >= 1, "a change that the version doesn't show");
    if after.status == before.status {
        prop_assert_eq!(rise, 1);
    } else {
        // Each step counts, so there has to be a legal way of exactly that many steps.
        let mut reached = BTreeSet::from([before.status]);
        for _ in 0..rise {
            let all = TaskStatus::ALL.into_iter();
            reached = all.filter(|next| reached.iter().any(|from| from.may_become(*next))).collect();
        }
        prop_assert!(
            reached.contains(&after.status),
            "{} to {} in {rise} steps",
            before.status,
            after.status
        );
    }
    Ok(())
}

fn reasons(before: &Task, after: &Task) -> Check {
    if before.desired == DesiredStatus::Stopped {
        prop_assert_eq!(after.desired, DesiredStatus::Stopped);
        prop_assert_eq!(after.doc.stop_code, before.doc.stop_code, "the first reason stays");
        prop_assert_eq!(&after.doc.stopped_reason, &before.doc.stopped_reason);
    }
    let should_end = after.desired == DesiredStatus::Stopped;
    prop_assert_eq!(after.doc.stop_code.is_some(), should_end);
    prop_assert_eq!(after.doc.stopped_reason.is_some(), should_end);
    prop_assert!(
        should_end || after.status <= TaskStatus::Running,
        "only a task that should end goes beyond RUNNING"
    );
    Ok(())
}

fn times(before: &Task, after: &Task, seen: Option<&TaskObservation>, now: Timestamp) -> Check {
    let (old, new) = (&before.doc, &after.doc);
    for (name, earlier, later) in [
        ("createdAt", old.created_at, new.created_at),
        ("pullStartedAt", old.pull_started_at, new.pull_started_at),
        ("pullStoppedAt", old.pull_stopped_at, new.pull_stopped_at),
        ("connectivityAt", old.connectivity_at, new.connectivity_at),
        ("startedAt", old.started_at, new.started_at),
        ("stoppingAt", old.stopping_at, new.stopping_at),
        ("executionStoppedAt", old.execution_stopped_at, new.execution_stopped_at),
    ] {
        prop_assert!(earlier.is_none() || earlier == later, "{} changed", name);
    }
    let became = |status: TaskStatus| before.status < status && after.status >= status;
    let ran = after.status == TaskStatus::Running || new.started_at.is_some();
    if new.started_at.is_some() && old.started_at.is_none() {
        prop_assert!(became(TaskStatus::Running), "startedAt without having become RUNNING");
    }
    if after.status == TaskStatus::Running {
        prop_assert!(new.started_at.is_some(), "RUNNING without startedAt");
    }
    if matches!(after.status, TaskStatus::Deactivating | TaskStatus::Stopping)
        || (ran && became(TaskStatus::Stopping))
    {
        prop_assert!(new.stopping_at.is_some(), "{} without stoppingAt", after.status);
    }
    prop_assert!(
        new.stopping_at.is_none() || after.status > TaskStatus::Running,
        "stoppingAt of a task that isn't"
    );
    prop_assert_eq!(new.stopped_at, (after.status == TaskStatus::Stopped).then_some(now));
    if let (None, Some(ended)) = (old.execution_stopped_at, new.execution_stopped_at) {
        prop_assert!(after.status >= TaskStatus::Deprovisioning);
        let names: Vec<&String> =
            new.containers.iter().flatten().filter_map(|one| one.name.as_ref()).collect();
        let told =
            seen.into_iter().flat_map(|seen| &seen.containers).filter(|one| names.contains(&&one.name));
        let told = told.filter_map(|one| one.finished_at).max();
        prop_assert_eq!(told, Some(ended), "executionStoppedAt is observed, never guessed");
    }
    Ok(())
}

fn containers(before: &Task, after: &Task) -> Check {
    const ORDER: [&str; 3] = ["PENDING", "RUNNING", "STOPPED"];
    let rank = |container: &model::Container| {
        ORDER.iter().position(|status| container.last_status.as_deref() == Some(status)).unwrap_or(usize::MAX)
    };
    let (old, new) = (before.doc.containers.iter().flatten(), after.doc.containers.iter().flatten());
    prop_assert_eq!(old.clone().count(), new.clone().count());
    for (old, new) in old.zip(new) {
        prop_assert_eq!((&old.name, &old.container_arn), (&new.name, &new.container_arn));
        prop_assert!(rank(old) <= rank(new), "{:?} became {:?}", old.last_status, new.last_status);
        prop_assert!(old.exit_code.is_none() || old.exit_code == new.exit_code, "an exit code changed");
        prop_assert!(old.runtime_id.is_none() || old.runtime_id == new.runtime_id, "a runtime id changed");
        if after.status == TaskStatus::Stopped {
            prop_assert_eq!(new.last_status.as_deref(), Some("STOPPED"));
        }
    }
    Ok(())
}

fn attachment(before: &Task, after: &Task) -> Check {
    const ORDER: [&str; 3] = ["PRECREATED", "ATTACHED", "DELETED"];
    let rank = |task: &Task| {
        let attachment = task.doc.attachments.iter().flatten().next()?;
        ORDER.iter().position(|status| attachment.status.as_deref() == Some(status))
    };
    prop_assert!(rank(before) <= rank(after), "the attachment went back");
    if let Some(rank) = rank(after) {
        prop_assert_eq!(
            rank == 2,
            after.status == TaskStatus::Stopped,
            "DELETED with the task's end, not before"
        );
    }
    Ok(())
}

/// UNHEALTHY before UNKNOWN before HEALTHY, over essential containers with a health check.
fn worst(task: &Task, definition: &model::TaskDefinition) -> HealthStatus {
    let matter = |name: &Option<String>| {
        definition
            .container_definitions
            .iter()
            .flatten()
            .any(|one| one.name == *name && one.essential != Some(false) && one.health_check.is_some())
    };
    let states: BTreeSet<&str> = task
        .doc
        .containers
        .iter()
        .flatten()
        .filter(|container| matter(&container.name))
        .map(|container| container.health_status.unwrap_or(HealthStatus::Unknown).as_str())
        .collect();
    if states.contains("UNHEALTHY") {
        HealthStatus::Unhealthy
    } else if states.contains("UNKNOWN") || states.is_empty() {
        HealthStatus::Unknown
    } else {
        HealthStatus::Healthy
    }
}
