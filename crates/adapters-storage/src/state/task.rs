//! Tasks of one cluster, with an index for each filter of ListTasks.
//!
//! An index entry is the task's id alone (16 bytes). Each index keeps tasks that should run apart from those that
//! should not, since `desiredStatus` is a part of nearly every question.

mod index;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use kecs_domain::Timestamp;
use kecs_domain::arn::{ServiceKey, TaskKey};
use kecs_domain::cluster::ClusterCounts;
use kecs_domain::name::{ServiceName, TaskId};
use kecs_domain::pagination::{Page, PageRequest};
use kecs_domain::task::{Task, TaskStatus};
use kecs_usecases::ports::{TaskQuery, Version, Versioned};

use super::State;
use super::sorted::{rest, union};
use index::Indexes;

/// The tasks of a cluster.
#[derive(Default)]
pub(super) struct TaskIndex {
    tasks: HashMap<TaskId, Versioned<Task>>,
    indexes: Indexes,
    unfinished: BTreeSet<TaskId>,
    /// Of each service: tasks that are not STOPPED, or whose end was not accounted for.
    open: HashMap<ServiceName, BTreeSet<TaskId>>,
}

impl TaskIndex {
    pub(super) fn get(&self, id: TaskId) -> Option<&Versioned<Task>> {
        self.tasks.get(&id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Saves a task. Returns the one that it replaces.
    pub(super) fn put(
        &mut self,
        task: Versioned<Task>,
        counts: &mut ClusterCounts,
    ) -> Option<Versioned<Task>> {
        let id = task.key.id;
        let new = Arc::clone(&task.value);
        let old = self.tasks.insert(id, task);
        self.reindex(id, old.as_deref(), Some(&new), counts);
        old
    }

    pub(super) fn remove(&mut self, id: TaskId, counts: &mut ClusterCounts) -> Option<Versioned<Task>> {
        let old = self.tasks.remove(&id)?;
        self.reindex(id, Some(&old), None, counts);
        Some(old)
    }

    fn reindex(&mut self, id: TaskId, old: Option<&Task>, new: Option<&Task>, counts: &mut ClusterCounts) {
        self.indexes.shift(id, old, new);
        for (task, by) in old.map(|task| (task, -1)).into_iter().chain(new.map(|task| (task, 1))) {
            count(counts, task, by);
        }
        match new {
            Some(task) if task.status != TaskStatus::Stopped => self.unfinished.insert(id),
            _ => self.unfinished.remove(&id),
        };
        let (was, is) = (old.and_then(open_in), new.and_then(open_in));
        if was != is {
            if let Some(service) = was
                && let Some(ids) = self.open.get_mut(service)
            {
                ids.remove(&id);
                if ids.is_empty() {
                    self.open.remove(service);
                }
            }
            if let Some(service) = is {
                self.open.entry(service.clone()).or_default().insert(id);
            }
        }
    }

    /// Tasks after `last` that are not STOPPED, by id.
    pub(super) fn unfinished(
        &self,
        last: Option<&TaskId>,
    ) -> impl Iterator<Item = Versioned<Task>> + use<'_> {
        rest(&self.unfinished, last).map(|id| self.tasks[id].clone())
    }

    fn list(&self, query: &TaskQuery, page: &PageRequest<TaskId>) -> Page<TaskId> {
        // What the index that is walked does not say must be checked on each task; with one filter at most, it
        // says everything.
        let Some((ids, complete)) = self.indexes.narrowest(query) else {
            return Page { items: Vec::new(), more: false };
        };
        let found = union(ids.parts(query.desired).map(|set| rest(set, page.after.as_ref()))).copied();
        Page::take(found.filter(|id| complete || matches(query, &self.tasks[id])), page.limit)
    }
}

/// The service that has to look at this task.
fn open_in(task: &Task) -> Option<&ServiceName> {
    let open = task.status != TaskStatus::Stopped || !task.accounted;
    task.service.as_ref().filter(|_| open).map(|service| &service.name)
}

fn count(counts: &mut ClusterCounts, task: &Task, by: i32) {
    let launch_type = task.doc.launch_type;
    if task.status == TaskStatus::Running {
        *counts.running_tasks.of(launch_type) += by;
    }
    if task.status.is_pending() {
        *counts.pending_tasks.of(launch_type) += by;
    }
    if task.status != TaskStatus::Stopped {
        counts.unfinished_tasks += by;
    }
}

fn matches(query: &TaskQuery, task: &Task) -> bool {
    query.family.as_ref().is_none_or(|family| task.definition.family == *family)
        && query.service.as_ref().is_none_or(|name| task.service.as_ref().is_some_and(|it| it.name == *name))
        && query.started_by.as_ref().is_none_or(|by| task.doc.started_by.as_ref() == Some(by))
        && query.desired.is_none_or(|desired| task.desired == desired)
        && query.launch_type.is_none_or(|launch_type| task.doc.launch_type == Some(launch_type))
        && query.instance.is_none_or(|instance| task.instance == Some(instance))
}

/// STOPPED tasks of all clusters by the time of their end. A version is unique, so it stands for the task.
#[derive(Default)]
pub(super) struct StoppedTasks(BTreeMap<(Timestamp, Version), Arc<Task>>);

/// When a STOPPED task stopped. One without that time is older than any other, so that retention finds it.
fn stopped_at(task: &Task) -> Timestamp {
    task.doc.stopped_at.unwrap_or(Timestamp::MIN)
}

impl StoppedTasks {
    pub(super) fn insert(&mut self, task: &Versioned<Task>) {
        if task.status == TaskStatus::Stopped {
            self.0.insert((stopped_at(task), task.version), Arc::clone(&task.value));
        }
    }

    pub(super) fn remove(&mut self, task: &Versioned<Task>) {
        if task.status == TaskStatus::Stopped {
            self.0.remove(&(stopped_at(task), task.version));
        }
    }
}

impl State {
    pub(crate) fn tasks(&self, keys: &[TaskKey]) -> Vec<Option<Versioned<Task>>> {
        keys.iter().map(|key| self.clusters.get(&key.cluster)?.tasks.get(key.id).cloned()).collect()
    }

    pub(crate) fn list_tasks(&self, query: &TaskQuery, page: &PageRequest<TaskId>) -> Page<TaskId> {
        match self.clusters.get(&query.cluster) {
            Some(slot) => slot.tasks.list(query, page),
            None => Page { items: Vec::new(), more: false },
        }
    }

    pub(crate) fn tasks_of_service(&self, service: &ServiceKey) -> Vec<Versioned<Task>> {
        let Some(slot) = self.clusters.get(&service.cluster) else { return Vec::new() };
        let ids = slot.tasks.open.get(&service.name);
        ids.into_iter().flatten().map(|id| slot.tasks.tasks[id].clone()).collect()
    }

    pub(crate) fn stopped_before(&self, before: Timestamp, limit: usize) -> Vec<Versioned<Task>> {
        let oldest = self.stopped.0.range(..(before, Version(0))).take(limit);
        oldest.map(|((_, version), task)| Versioned { value: Arc::clone(task), version: *version }).collect()
    }
}
