//! The planted bugs that sit in the unit of work: what is committed is not what was asked for.

use std::sync::Arc;

use kecs_domain::arn::TaskKey;
use kecs_domain::model::TaskStopCode;
use kecs_domain::name::TaskId;
use kecs_domain::task::{DesiredStatus, Interruption, Task};
use kecs_usecases::ports::{Changes, Entity, Expect, WakeKey};

use crate::simulation::plant::Plant;
use crate::simulation::shared::{Inner, Origin, Shared};

/// The changes as a bug leaves them; without a bug, as they are.
pub(super) fn plant(shared: &Shared, mut changes: Changes) -> Changes {
    let mut shared = shared.lock();
    let Some(plant) = shared.plant else { return changes };
    let origin = Arc::clone(&shared.job.origin);
    let reconciles = matches!(&*origin, Origin::Reconcile(_));
    match plant {
        Plant::LoseUpdate if *origin == Origin::Api("UpdateService") => {
            changes.puts.retain(|(entity, _)| !matches!(entity, Entity::Service(_)));
        }
        Plant::ForgetToken if *origin == Origin::Api("RunTask") => {
            changes.puts.retain(|(entity, _)| !matches!(entity, Entity::Token(_)));
        }
        Plant::LoseDrain if *origin == Origin::Api("UpdateContainerInstancesState") => {
            changes.puts.retain(|(entity, _)| !matches!(entity, Entity::Resource(_)));
        }
        Plant::DaemonTwins if matches!(&*origin, Origin::Reconcile(WakeKey::Daemon(_))) => {
            start_twice(&mut shared, &mut changes);
        }
        Plant::IgnoreShares => all_to_one(&mut changes),
        Plant::IgnoreMinimum if reconciles => end_all(&shared, &mut changes),
        Plant::Overshoot if matches!(&*origin, Origin::Reconcile(WakeKey::Service(_))) => {
            start_twice(&mut shared, &mut changes)
        }
        Plant::IgnoreVersions => {
            for (_, expect) in &mut changes.puts {
                *expect = Expect::Any;
            }
            changes.requires.clear();
        }
        _ => {}
    }
    changes
}

/// If one task of a service ends, all do.
fn end_all(shared: &Inner, changes: &mut Changes) {
    let ending = changes.puts.iter().any(|(entity, _)| {
        matches!(entity, Entity::Task(task) if task.desired == DesiredStatus::Stopped && !task.accounted)
    });
    let Some(tasks) = shared.ledger.sight_of(shared.job.number).filter(|_| ending) else { return };
    let why = Interruption::new(TaskStopCode::ServiceSchedulerInitiated, "planted");
    let changed: Vec<_> = changes.puts.iter().map(|(entity, _)| entity.key()).collect();
    for task in tasks {
        if let Some(ended) = task.interrupt(why.clone()) {
            let entity = Entity::from(ended);
            if !changed.contains(&entity.key()) {
                changes.puts.push((entity, Expect::Any));
            }
        }
    }
}

/// New tasks go to the provider that the first of them goes to.
fn all_to_one(changes: &mut Changes) {
    let mut first: Option<String> = None;
    for (entity, expect) in &mut changes.puts {
        let Entity::Task(task) = entity else { continue };
        let Some(provider) = task.doc.capacity_provider_name.clone().filter(|_| *expect == Expect::Absent)
        else {
            continue;
        };
        let first = first.get_or_insert(provider).clone();
        let mut moved = Task::clone(task);
        moved.doc.make_mut().capacity_provider_name = Some(first);
        *task = Arc::new(moved);
    }
}

/// Each new task of a service comes with a twin.
fn start_twice(shared: &mut Inner, changes: &mut Changes) {
    let new: Vec<Arc<Task>> = changes
        .puts
        .iter()
        .filter_map(|(entity, expect)| match entity {
            Entity::Task(task) if *expect == Expect::Absent => Some(Arc::clone(task)),
            _ => None,
        })
        .collect();
    for task in new {
        let id = TaskId::from_bits(u128::from(shared.random.next()));
        let mut twin = Task { key: TaskKey { id, ..task.key.clone() }, ..Task::clone(&task) };
        twin.doc.make_mut().task_arn = Some(twin.key.arn());
        changes.create(twin);
    }
}
