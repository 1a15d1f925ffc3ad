//! What must be true of every stored daemon, of two stored states of it in a row, of what its scheduler does, and of a
//! daemon at rest.
//!
//! For tests and simulations: nothing in here is asked while the product runs. A violation is a sentence for a person.

use std::collections::BTreeSet;

use super::plan::DRAINED;
use super::{Daemon, DaemonState, Rollout};
use crate::name::HexId;
use crate::task::{DesiredStatus, Task, TaskStatus};

/// What is wrong with `daemon` by itself.
///
/// # Errors
/// The first rule that is broken.
pub fn check(daemon: &Daemon) -> Result<(), String> {
    let revisions: BTreeSet<_> = daemon.counts.iter().map(|counts| counts.revision).collect();
    if revisions.len() != daemon.counts.len() {
        return Err("two of its counts are of one revision".to_owned());
    }
    if daemon.counts.first().is_some_and(|counts| counts.revision != daemon.revision) {
        return Err("the wanted revision is not the first".to_owned());
    }
    let mut counts = daemon.counts.iter().flat_map(|counts| &counts.providers);
    if counts.any(|counts| counts.running < 0 || counts.draining < 0 || counts.without < 0)
        || daemon.failures < 0
    {
        return Err("a count is negative".to_owned());
    }
    if !daemon.serving.is_sorted_by(|one, other| one < other) {
        return Err("the instances on which it serves are not in order".to_owned());
    }
    Ok(())
}

/// What is wrong with `after` as the next stored state of the daemon that was `before`.
///
/// # Errors
/// The first rule that is broken.
pub fn check_next(before: &Daemon, after: &Daemon) -> Result<(), String> {
    check(after)?;
    if before.key != after.key || before.created_at != after.created_at {
        return Err("it became another one".to_owned());
    }
    if before.state == DaemonState::Deleting && after.state != DaemonState::Deleting {
        return Err("it is not deleted any more".to_owned());
    }
    if before.revision == after.revision {
        if before.settings != after.settings {
            return Err("its settings changed without a revision".to_owned());
        }
        let deleted = before.state != after.state;
        if before.rollout == Rollout::Done && after.rollout != Rollout::Done && !deleted {
            return Err(format!("its rollout was done and is {:?}", after.rollout));
        }
    }
    Ok(())
}

/// Whether the scheduler may start `started`, beside the daemon's own tasks that are `there`: one on an instance, and
/// none of a daemon that is being deleted.
///
/// # Errors
/// The rule that is broken.
pub fn check_started<'a>(
    daemon: &Daemon,
    there: impl IntoIterator<Item = &'a Task>,
    started: &[&Task],
) -> Result<(), String> {
    if started.is_empty() {
        return Ok(());
    }
    if daemon.state != DaemonState::Active {
        return Err("the scheduler starts tasks of a daemon that is deleted".to_owned());
    }
    let mut taken: BTreeSet<Option<HexId>> = there
        .into_iter()
        .filter(|task| task.status <= TaskStatus::Running)
        .map(|task| task.instance)
        .collect();
    match started.iter().find(|task| task.instance.is_none() || !taken.insert(task.instance)) {
        Some(task) => Err(format!("the scheduler starts a second task on {:?}", task.instance)),
        None => Ok(()),
    }
}

/// Whether a daemon's task, which is ended, may go: where its instance is drained, the `others` there must have gone
/// before.
///
/// # Errors
/// When one has not.
pub fn check_goes_last<'a>(ended: &Task, others: impl IntoIterator<Item = &'a Task>) -> Result<(), String> {
    if ended.doc.stopped_reason.as_deref() != Some(DRAINED) {
        return Ok(());
    }
    let mut left = others.into_iter().filter(|task| {
        task.instance == ended.instance && task.daemon.is_none() && task.status != TaskStatus::Stopped
    });
    match left.next() {
        Some(other) => Err(format!("the daemon's task {} goes before task {}", ended.key.id, other.key.id)),
        None => Ok(()),
    }
}

/// Whether an ACTIVE daemon at rest has what it should: one RUNNING task on each of the `open` instances, which are
/// those of its capacity providers that take tasks, and none elsewhere but on those that are `kept`.
///
/// # Errors
/// What is missing, or too much.
pub fn check_rest<'a>(
    daemon: &Daemon,
    open: &BTreeSet<HexId>,
    kept: &BTreeSet<HexId>,
    tasks: impl IntoIterator<Item = &'a Task>,
) -> Result<(), String> {
    if daemon.rollout == Rollout::Stalled {
        return Ok(());
    }
    if daemon.rollout != Rollout::Done {
        return Err(format!("its rollout is {:?}", daemon.rollout));
    }
    let mut on = BTreeSet::new();
    for task in tasks.into_iter().filter(|task| task.desired == DesiredStatus::Running) {
        let revision = task.daemon.as_ref().map(|membership| membership.revision);
        let Some(instance) = task.instance else { return Err(format!("task {} is nowhere", task.key.id)) };
        if kept.contains(&instance) {
            continue;
        }
        if task.status != TaskStatus::Running || revision != Some(daemon.revision) {
            return Err(format!("task {} is {} of revision {revision:?}", task.key.id, task.status));
        }
        if !open.contains(&instance) || !on.insert(instance) {
            return Err(format!("task {} should not be on {instance}", task.key.id));
        }
    }
    match open.iter().find(|instance| !on.contains(instance)) {
        Some(instance) => Err(format!("it has no task on {instance}")),
        None => Ok(()),
    }
}
