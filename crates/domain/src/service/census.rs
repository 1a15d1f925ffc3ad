//! A count of a service's tasks, as the scheduler needs it.

use std::time::Duration;

use super::Service;
use crate::Timestamp;
use crate::arn::TaskDefinitionKey;
use crate::generated as model;
use crate::model::HealthStatus;
use crate::name::DeploymentId;
use crate::task::{DesiredStatus, Task, TaskStatus};
use crate::task_definition::TaskDefinition;

/// What a task is to the scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// On its way to RUNNING.
    Pending,
    /// RUNNING, and its health checks have not spoken yet.
    Undecided,
    /// RUNNING, and healthy or without a health check.
    Healthy,
    /// RUNNING, and its health checks have failed.
    Unhealthy,
    /// Told to end, but not yet on its way out.
    Ending,
    /// On its way out.
    Leaving,
}

impl Condition {
    /// What `task`, which is not STOPPED, is. `checked` says whether it has a health check that matters, `in_grace`
    /// whether a failed one is overlooked for now.
    pub(crate) fn of(task: &Task, checked: bool, in_grace: impl FnOnce() -> bool) -> Self {
        if task.status > TaskStatus::Running {
            return Self::Leaving;
        }
        if task.desired == DesiredStatus::Stopped {
            return Self::Ending;
        }
        if task.status.is_pending() {
            return Self::Pending;
        }
        if !checked {
            return Self::Healthy;
        }
        match task.doc.health_status {
            Some(HealthStatus::Healthy) => Self::Healthy,
            Some(HealthStatus::Unhealthy) if !in_grace() => Self::Unhealthy,
            _ => Self::Undecided,
        }
    }
}

/// Whether a task definition has a health check on a container that matters.
pub(crate) fn has_health_check(definition: &model::TaskDefinition) -> bool {
    definition
        .container_definitions
        .iter()
        .flatten()
        .any(|container| container.health_check.is_some() && container.essential != Some(false))
}

impl Service {
    /// What `task`, which is not STOPPED, is to the scheduler now. `definition` is that of its deployment; without
    /// one the task counts as having no health check.
    pub fn condition(&self, task: &Task, checked: bool, now: Timestamp) -> Condition {
        Condition::of(task, checked, || self.in_grace(task, now))
    }

    /// Whether the service still overlooks failed health checks of a task that has just started.
    fn in_grace(&self, task: &Task, now: Timestamp) -> bool {
        self.grace_ends(task).is_some_and(|end| now < end)
    }

    /// Until when failed health checks of a task are overlooked. (API reference, healthCheckGracePeriodSeconds)
    pub(super) fn grace_ends(&self, task: &Task) -> Option<Timestamp> {
        let grace = u64::try_from(self.spec.health_check_grace_period_seconds.unwrap_or(0)).unwrap_or(0);
        task.doc.started_at.map(|started_at| started_at.saturating_add(Duration::from_secs(grace)))
    }
}

/// The unfinished tasks of a service, each with its condition.
#[derive(Debug)]
pub struct Census<'a> {
    /// Tasks that are not STOPPED.
    pub live: Vec<(&'a Task, Condition)>,
}

impl<'a> Census<'a> {
    /// Counts `tasks`. `definition` finds the task definition of a deployment or a task set, where it is known.
    pub fn take(
        service: &Service,
        tasks: impl IntoIterator<Item = &'a Task>,
        definition: &dyn Fn(&TaskDefinitionKey) -> Option<std::sync::Arc<TaskDefinition>>,
        now: Timestamp,
    ) -> Self {
        let deployments = service.deployments.iter().map(|one| (one.id, &one.definition));
        let sets = service.task_sets.iter().map(|set| (set.id, &set.definition));
        let checked: Vec<(DeploymentId, bool)> = deployments
            .chain(sets)
            .map(|(id, key)| (id, definition(key).is_some_and(|found| has_health_check(&found.doc))))
            .collect();
        let live = tasks
            .into_iter()
            .filter(|task| task.status != TaskStatus::Stopped)
            .map(|task| {
                let of = deployment_of(task);
                let checked = checked.iter().any(|(id, checked)| Some(*id) == of && *checked);
                (task, service.condition(task, checked, now))
            })
            .collect();
        Self { live }
    }

    /// How many are in one of `conditions`, of deployment `of` or of all.
    pub fn count(&self, of: Option<DeploymentId>, conditions: &[Condition]) -> i64 {
        let matching = self
            .live
            .iter()
            .filter(|(task, condition)| {
                conditions.contains(condition) && (of.is_none() || deployment_of(task) == of)
            })
            .count();
        i64::try_from(matching).unwrap_or(i64::MAX)
    }

    /// Tasks that are RUNNING, told to end or not, of deployment `of` or of all: what `runningCount` shows.
    pub fn running(&self, of: Option<DeploymentId>) -> i32 {
        self.shown(of, |task| task.status == TaskStatus::Running)
    }

    /// Tasks on their way to RUNNING: what `pendingCount` shows.
    pub fn pending(&self, of: Option<DeploymentId>) -> i32 {
        self.shown(of, |task| task.status.is_pending() && task.desired == DesiredStatus::Running)
    }

    fn shown(&self, of: Option<DeploymentId>, matches: impl Fn(&Task) -> bool) -> i32 {
        let count = self
            .live
            .iter()
            .filter(|(task, _)| (of.is_none() || deployment_of(task) == of) && matches(task))
            .count();
        i32::try_from(count).unwrap_or(i32::MAX)
    }
}

/// The deployment that started a task.
pub(super) fn deployment_of(task: &Task) -> Option<DeploymentId> {
    task.service.as_ref().map(|membership| membership.deployment)
}
