//! The revision that a rollout replaces keeps its own tasks alive: where one that ends by itself, or is unhealthy,
//! leaves fewer than the minimum, it is replaced by another one of the same revision, whatever becomes of the new one.
//! When the service is scaled out meanwhile, both get more tasks. (AWS announcement of November 2025, service
//! availability during rolling deployments)

use std::collections::BTreeSet;

use super::census::{Census, Condition, deployment_of};
use super::moves::WANTED;
use super::{Deployment, DeploymentStatus, Plan, Service};
use crate::model::DeploymentRolloutState;
use crate::name::{DeploymentId, TaskId};

/// So many failures of its own tasks, and the revision isn't worth keeping: the room is the new one's. The least at
/// which a circuit breaker is triggered.
const FAILURES_BORNE: i32 = 3;

/// The revision that is being replaced, as far as it is still needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct SourceRevision {
    /// Its deployment.
    pub(super) id: DeploymentId,
    /// How many tasks it should have now.
    pub(super) needed: i64,
}

/// The deployment whose tasks are kept alive: the last one that was completed, while another one is to take its place
/// and hasn't done so yet. One that failed is not.
fn find(service: &mut Service) -> Option<&mut Deployment> {
    let completed = service.last_completed;
    let replaced = service.primary().is_some_and(|one| one.rollout != DeploymentRolloutState::Completed);
    service
        .deployments
        .iter_mut()
        .find(|one| replaced && one.status == DeploymentStatus::Active && Some(one.id) == completed)
}

/// Takes part in a change of the desired count, from what it `was` when the scheduler looked last, and says how many
/// tasks the source revision should have beside the healthy ones of the PRIMARY deployment. It is `alone` while that
/// starts no tasks.
pub(super) fn keep(
    service: &mut Service,
    was: Option<i32>,
    desired: i32,
    alone: bool,
    census: &Census<'_>,
) -> Option<SourceRevision> {
    let primary = service.primary()?.id;
    let taken_over = census.count(Some(primary), &[Condition::Healthy]);
    let least = service.limits(desired).least_healthy;
    let source = find(service)?;
    if let Some(was) = was.filter(|was| *was < desired) {
        source.desired += desired - was;
    }
    source.desired = source.desired.min(desired);
    if source.failed >= FAILURES_BORNE {
        return None;
    }
    // Beyond the minimum the room is the new revision's, unless that doesn't start anything.
    let enough = if alone { i64::from(desired) } else { least };
    let needed = (enough - taken_over).clamp(0, i64::from(source.desired));
    Some(SourceRevision { id: source.id, needed })
}

impl SourceRevision {
    /// Whether it hasn't failed too often, the failures that this plan counts among them.
    pub(super) fn is_worth_keeping(self, service: &Service) -> bool {
        let mut deployments = service.deployments.iter();
        deployments.any(|one| one.id == self.id && one.failed < FAILURES_BORNE)
    }

    /// How many tasks it lacks.
    pub(super) fn missing(self, census: &Census<'_>) -> i64 {
        (self.needed - census.count(Some(self.id), &WANTED)).max(0)
    }

    /// Its tasks that are on their way and needed, so that they don't go as those of older deployments do.
    pub(super) fn coming(self, census: &Census<'_>) -> BTreeSet<TaskId> {
        let healthy = census.count(Some(self.id), &[Condition::Healthy]);
        let coming = census.live.iter().filter(|(task, condition)| {
            deployment_of(task) == Some(self.id)
                && matches!(condition, Condition::Pending | Condition::Undecided)
        });
        let needed = usize::try_from(self.needed - healthy).unwrap_or(0);
        coming.map(|(task, _)| task.key.id).take(needed).collect()
    }
}

/// Notes how many tasks older deployments should have from now on: what they still have, but for the source revision
/// what it had to have, less what is taken from it on purpose.
pub(super) fn settle(plan: &mut Plan, census: &Census<'_>, source: Option<SourceRevision>) {
    let stopped: BTreeSet<TaskId> = plan.stop.iter().map(|(task, _)| task.id).collect();
    let of = |id: DeploymentId| {
        census
            .live
            .iter()
            .filter(move |(task, condition)| deployment_of(task) == Some(id) && WANTED.contains(condition))
    };
    for older in plan.service.deployments.iter_mut().filter(|one| one.status == DeploymentStatus::Active) {
        // Unhealthy ones are not among these: they are replaced.
        let taken = of(older.id).filter(|(task, _)| stopped.contains(&task.key.id)).count();
        let kept = of(older.id).count() - taken;
        older.desired = match source {
            Some(source) if source.id == older.id => {
                // What goes beyond what it had to have is no loss.
                let left = older.desired - i32::try_from(taken).unwrap_or(i32::MAX);
                left.max(i32::try_from(kept).unwrap_or(i32::MAX))
            }
            _ => i32::try_from(kept).unwrap_or(i32::MAX),
        };
    }
}
