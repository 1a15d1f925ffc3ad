//! What must be true of every stored task, and of two stored states of it in a row.
//!
//! For tests, simulations and contract suites: nothing in here is asked while the product runs. A violation is a
//! sentence for a person.

use super::{DesiredStatus, Task, TaskStatus};
use crate::Timestamp;

/// What is wrong with `task` by itself.
///
/// # Errors
/// The first rule that is broken.
pub fn check(task: &Task) -> Result<(), String> {
    let doc = &*task.doc;
    if doc.task_arn.as_deref() != Some(&*task.key.arn()) {
        return Err(format!("its document is that of {:?}", doc.task_arn));
    }
    if doc.last_status.as_deref() != Some(task.status.as_str()) {
        return Err(format!("it is {}, but shows {:?}", task.status, doc.last_status));
    }
    if doc.desired_status.as_deref() != Some(task.desired.as_str()) {
        return Err(format!("it should be {}, but shows {:?}", task.desired.as_str(), doc.desired_status));
    }
    let ends = task.desired == DesiredStatus::Stopped;
    if ends != doc.stop_code.is_some() || ends != doc.stopped_reason.is_some() {
        return Err("a task has a stop code and a reason exactly if it should end".to_owned());
    }
    if task.status > TaskStatus::Running && !ends {
        return Err(format!("it is {} though it should run", task.status));
    }
    if (task.status == TaskStatus::Stopped) != doc.stopped_at.is_some() {
        return Err(format!("it is {} and stopped at {:?}", task.status, doc.stopped_at));
    }
    let runs = matches!(task.status, TaskStatus::Running | TaskStatus::Deactivating);
    if (runs && doc.started_at.is_none()) || (task.status.is_pending() && doc.started_at.is_some()) {
        return Err(format!("it is {} and started at {:?}", task.status, doc.started_at));
    }
    if task.accounted && !ends {
        return Err("the conclusions from its end are drawn before that was decided".to_owned());
    }
    let still = doc.containers.iter().flatten().find(|it| it.last_status.as_deref() != Some("STOPPED"));
    if let (TaskStatus::Stopped, Some(container)) = (task.status, still) {
        return Err(format!("it is STOPPED, but its container {:?} is not", container.name));
    }
    for container in doc.containers.iter().flatten() {
        let status = container.last_status.as_deref();
        for agent in container.managed_agents.iter().flatten() {
            if agent.last_status.as_deref() != status {
                return Err(format!("its container {:?} is {status:?}, an agent is not", container.name));
            }
        }
    }
    in_order("pulled", doc.pull_started_at, doc.pull_stopped_at)?;
    in_order("created and started", doc.created_at, doc.started_at)?;
    in_order("created and stopping", doc.created_at, doc.stopping_at)?;
    in_order("started and stopped", doc.started_at, doc.stopped_at)?;
    in_order("stopping and stopped", doc.stopping_at, doc.stopped_at)
}

fn in_order(what: &str, first: Option<Timestamp>, last: Option<Timestamp>) -> Result<(), String> {
    match (first, last) {
        (Some(first), Some(last)) if last < first => Err(format!("{what}: {last} comes before {first}")),
        _ => Ok(()),
    }
}

/// What is wrong with `task` as one that was just made.
///
/// # Errors
/// The first rule that is broken.
pub fn check_new(task: &Task) -> Result<(), String> {
    check(task)?;
    let fresh = matches!(task.status, TaskStatus::Provisioning | TaskStatus::Pending);
    if !fresh || task.desired != DesiredStatus::Running || task.accepted || task.doc.version != Some(1) {
        return Err(format!("a new task is {}, version {:?}", task.status, task.doc.version));
    }
    Ok(())
}

/// What is wrong with `after` as the next stored state of the task that was `before`: states go forwards, facts and
/// reasons stay, each change counts in `version`, and a STOPPED task changes no more.
///
/// # Errors
/// The first rule that is broken.
pub fn check_next(before: &Task, after: &Task) -> Result<(), String> {
    check(after)?;
    let same = before.key == after.key
        && before.definition == after.definition
        && before.service == after.service
        && before.launch == after.launch
        && before.doc.created_at == after.doc.created_at;
    if !same {
        return Err("it became another task".to_owned());
    }
    let steps = steps(before.status, after.status)
        .ok_or_else(|| format!("it went from {} to {}", before.status, after.status))?;
    let (old, new) = (before.doc.version.unwrap_or(0), after.doc.version.unwrap_or(0));
    if new - old < steps || (before.doc != after.doc && new <= old) {
        return Err(format!("its version went from {old} to {new} with {steps} steps"));
    }
    if before.status == TaskStatus::Stopped && (before.doc != after.doc || before.tags != after.tags) {
        return Err("it changed after it had STOPPED".to_owned());
    }
    if before.desired == DesiredStatus::Stopped && after.desired == DesiredStatus::Running {
        return Err("it should run again after it should end".to_owned());
    }
    if (before.accepted && !after.accepted) || (before.accounted && !after.accounted) {
        return Err("what was noted of it is forgotten".to_owned());
    }
    stays("instance", &before.instance, &after.instance)?;
    let (was, is) = (&*before.doc, &*after.doc);
    stays("stopCode", &was.stop_code, &is.stop_code)?;
    stays("stoppedReason", &was.stopped_reason, &is.stopped_reason)?;
    stays("pullStartedAt", &was.pull_started_at, &is.pull_started_at)?;
    stays("pullStoppedAt", &was.pull_stopped_at, &is.pull_stopped_at)?;
    stays("connectivityAt", &was.connectivity_at, &is.connectivity_at)?;
    stays("startedAt", &was.started_at, &is.started_at)?;
    // The scheduler concludes from this as soon as the end is decided, so it must not change any more.
    if before.desired == DesiredStatus::Stopped && was.started_at != is.started_at {
        return Err(format!("it started at {:?} after it should end", is.started_at));
    }
    stays("stoppingAt", &was.stopping_at, &is.stopping_at)?;
    stays("executionStoppedAt", &was.execution_stopped_at, &is.execution_stopped_at)?;
    for container in was.containers.iter().flatten() {
        let next = is.containers.iter().flatten().find(|it| it.name == container.name);
        let next = next.ok_or_else(|| format!("its container {:?} is gone", container.name))?;
        stays("exitCode", &container.exit_code, &next.exit_code)?;
        stays("runtimeId", &container.runtime_id, &next.runtime_id)?;
        stays("container's reason", &container.reason, &next.reason)?;
    }
    Ok(())
}

fn stays<T: PartialEq + std::fmt::Debug>(what: &str, was: &Option<T>, is: &Option<T>) -> Result<(), String> {
    if was.is_none() || was == is { Ok(()) } else { Err(format!("{what} was {was:?} and became {is:?}")) }
}

/// The least number of steps from one state to another; None if there is no way.
fn steps(from: TaskStatus, to: TaskStatus) -> Option<i64> {
    if from == to {
        return Some(0);
    }
    let next = TaskStatus::ALL.into_iter().filter(|next| from.may_become(*next));
    next.filter_map(|next| steps(next, to)).min().map(|rest| rest + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_go_forwards_only_and_never_skip_what_a_running_task_has_to_do() {
        assert_eq!(steps(TaskStatus::Provisioning, TaskStatus::Running), Some(3));
        assert_eq!(steps(TaskStatus::Provisioning, TaskStatus::Stopped), Some(2));
        assert_eq!(steps(TaskStatus::Running, TaskStatus::Stopped), Some(4));
        assert_eq!(steps(TaskStatus::Stopped, TaskStatus::Running), None);
        assert_eq!(steps(TaskStatus::Running, TaskStatus::Pending), None);
    }
}
