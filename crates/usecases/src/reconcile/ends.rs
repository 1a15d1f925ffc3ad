//! What schedulers do to tasks that are there: those of services and those of daemons alike.

use std::collections::HashMap;

use kecs_domain::arn::TaskKey;
use kecs_domain::task::{Interruption, Task};

use crate::ports::{Changes, Versioned, WakeKey};

/// Asks for the end of the tasks in `stop`, and notes that the scheduler has seen the end of those in `account`. Who is
/// to be woken after the commit.
pub(super) fn end_tasks(
    stop: &[(TaskKey, Interruption)],
    account: &[TaskKey],
    stored: &[Versioned<Task>],
    changes: &mut Changes,
) -> Vec<WakeKey> {
    if stop.is_empty() && account.is_empty() {
        return Vec::new();
    }
    let by_key: HashMap<&TaskKey, &Versioned<Task>> = stored.iter().map(|task| (&task.key, task)).collect();
    let mut wake = Vec::with_capacity(stop.len());
    for (key, why) in stop {
        let Some(task) = by_key.get(key) else { continue };
        if let Some(interrupted) = task.interrupt(why.clone()) {
            changes.update(interrupted, task.version);
            wake.push(WakeKey::Task(key.clone()));
        }
    }
    for key in account {
        let Some(task) = by_key.get(key) else { continue };
        changes.update(Task { accounted: true, ..Task::clone(&task.value) }, task.version);
    }
    wake
}
