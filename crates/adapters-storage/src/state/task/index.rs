//! The indexes of ListTasks: which tasks have a property, apart by desired status.

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use kecs_domain::model::LaunchType;
use kecs_domain::name::{FamilyName, HexId, ServiceName, TaskId};
use kecs_domain::task::{DesiredStatus, Task};
use kecs_usecases::ports::TaskQuery;

/// Ids, apart by desired status.
#[derive(Default)]
pub(super) struct Ids {
    running: BTreeSet<TaskId>,
    stopped: BTreeSet<TaskId>,
}

impl Ids {
    fn of(&mut self, desired: DesiredStatus) -> &mut BTreeSet<TaskId> {
        match desired {
            DesiredStatus::Running => &mut self.running,
            DesiredStatus::Stopped => &mut self.stopped,
        }
    }

    /// The sets of what has `desired`. No id is in both.
    pub(super) fn parts(&self, desired: Option<DesiredStatus>) -> impl Iterator<Item = &BTreeSet<TaskId>> {
        let running = (desired != Some(DesiredStatus::Stopped)).then_some(&self.running);
        let stopped = (desired != Some(DesiredStatus::Running)).then_some(&self.stopped);
        running.into_iter().chain(stopped)
    }

    fn len(&self, desired: Option<DesiredStatus>) -> usize {
        self.parts(desired).map(BTreeSet::len).sum()
    }

    fn is_empty(&self) -> bool {
        self.running.is_empty() && self.stopped.is_empty()
    }
}

/// Where a task is in an index: by the value of a property, and by its desired status.
type Place<'a, Q> = Option<(&'a Q, DesiredStatus)>;

/// The tasks that have a property, by its value.
struct Index<K>(HashMap<K, Ids>);

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq> Index<K> {
    /// Moves a task from where it was to where it belongs.
    fn shift<Q: Hash + Eq + ?Sized>(
        &mut self,
        id: TaskId,
        old: Place<'_, Q>,
        new: Place<'_, Q>,
        own: impl FnOnce(&Q) -> K,
    ) where
        K: Borrow<Q>,
    {
        if old == new {
            return;
        }
        if let Some((value, desired)) = old
            && let Some(ids) = self.0.get_mut(value)
        {
            ids.of(desired).remove(&id);
            if ids.is_empty() {
                self.0.remove(value);
            }
        }
        if let Some((value, desired)) = new {
            match self.0.get_mut(value) {
                Some(ids) => ids.of(desired).insert(id),
                None => self.0.entry(own(value)).or_default().of(desired).insert(id),
            };
        }
    }
}

/// Every index of a cluster's tasks.
#[derive(Default)]
pub(super) struct Indexes {
    all: Ids,
    family: Index<FamilyName>,
    service: Index<ServiceName>,
    started_by: Index<Box<str>>,
    launch_type: Index<LaunchType>,
    instance: Index<HexId>,
}

impl Indexes {
    /// Moves a task from where it was (unless it is new) to where it belongs (unless it is gone).
    pub(super) fn shift(&mut self, id: TaskId, old: Option<&Task>, new: Option<&Task>) {
        if let Some(old) = old {
            self.all.of(old.desired).remove(&id);
        }
        if let Some(new) = new {
            self.all.of(new.desired).insert(id);
        }

        fn each<'a, Q: ?Sized>(
            (old, new): (Option<&'a Task>, Option<&'a Task>),
            value: impl Fn(&'a Task) -> Option<&'a Q>,
        ) -> (Place<'a, Q>, Place<'a, Q>) {
            let of = |task: &'a Task| value(task).map(|value| (value, task.desired));
            (old.and_then(of), new.and_then(of))
        }
        let tasks = (old, new);

        let (was, is) = each(tasks, |task| Some(&task.definition.family));
        self.family.shift(id, was, is, Clone::clone);
        let (was, is) = each(tasks, |task| task.service.as_ref().map(|service| &service.name));
        self.service.shift(id, was, is, Clone::clone);
        let (was, is) = each(tasks, |task| task.doc.started_by.as_deref());
        self.started_by.shift(id, was, is, |by| by.into());
        let (was, is) = each(tasks, |task| task.doc.launch_type.as_ref());
        self.launch_type.shift(id, was, is, Clone::clone);
        let (was, is) = each(tasks, |task| task.instance.as_ref());
        self.instance.shift(id, was, is, Clone::clone);
    }

    /// The smallest set of ids that holds every answer to `query`, and whether it holds nothing else. None if
    /// nothing can match.
    pub(super) fn narrowest(&self, query: &TaskQuery) -> Option<(&Ids, bool)> {
        let mut given = Vec::with_capacity(5);
        if let Some(family) = &query.family {
            given.push(self.family.0.get(family));
        }
        if let Some(service) = &query.service {
            given.push(self.service.0.get(service));
        }
        if let Some(started_by) = &query.started_by {
            given.push(self.started_by.0.get(started_by.as_str()));
        }
        if let Some(launch_type) = &query.launch_type {
            given.push(self.launch_type.0.get(launch_type));
        }
        if let Some(instance) = &query.instance {
            given.push(self.instance.0.get(instance));
        }
        let complete = given.len() <= 1;
        let sets = given.into_iter().collect::<Option<Vec<_>>>()?;
        let narrowest = sets.into_iter().min_by_key(|ids| ids.len(query.desired)).unwrap_or(&self.all);
        Some((narrowest, complete))
    }
}
