//! How deployments end: the conclusions from ended tasks, the circuit breaker, and completion.

use std::sync::Arc;

use super::breaker::exited_at_once;
use super::census::{Census, Condition, deployment_of};
use super::events::EventWriter;
use super::plan::has_tasks;
use super::record::THRESHOLD_EXCEEDED;
use super::{DeploymentStatus, Plan, RecordChange, RecordEvent, Rollback, ServiceStatus, threshold};
use crate::Timestamp;
use crate::arn::ServiceRevisionKey;
use crate::model::{DeploymentCircuitBreaker, DeploymentRolloutState, TaskStopCode};
use crate::name::HexId;
use crate::task::{DesiredStatus, Task};

/// Draws the conclusions from tasks that end: failed launches count against their deployment.
pub(super) fn account_ended(plan: &mut Plan, tasks: &[Arc<Task>], now: Timestamp) {
    let (mut failed_launches, mut exits) = (0, 0);
    let desired = plan.service.desired_count();
    // The end of a task is decided before it has STOPPED. Waiting for that would replace failed tasks without
    // counting them, as fast as they fail, for as long as their remains are being cleared away.
    for task in tasks.iter().filter(|task| task.desired == DesiredStatus::Stopped && !task.accounted) {
        plan.account.push(task.key.clone());
        // A task that never was RUNNING failed, unless somebody called it off.
        let called_off = matches!(
            task.doc.stop_code,
            Some(TaskStopCode::UserInitiated | TaskStopCode::ServiceSchedulerInitiated)
        );
        exits += u32::from(exited_at_once(task, now));
        if task.doc.started_at.is_some() || called_off {
            continue;
        }
        failed_launches += 1;
        let of = deployment_of(task);
        if let Some(deployment) = plan.service.deployments.iter_mut().find(|one| Some(one.id) == of) {
            deployment.failed += 1;
            deployment.breaker.failures += 1;
            deployment.updated_at = now;
        }
    }
    plan.service.throttle.note_failures(failed_launches, desired, now);
    plan.service.throttle.note_exits(exits, desired, now);
}

/// Lets go of failures where tasks came up, and triggers the circuit breaker where too many did not.
pub(super) fn judge(plan: &mut Plan, census: &Census<'_>, events: &mut EventWriter<'_>) {
    let breaker = circuit_breaker(plan);
    let desired = plan.service.desired_count();
    let last_completed = plan.service.last_completed;
    let Some(primary) =
        plan.service.deployments.iter_mut().find(|one| one.status == DeploymentStatus::Primary)
    else {
        return;
    };
    let healthy = i32::try_from(census.count(Some(primary.id), &[Condition::Healthy])).unwrap_or(i32::MAX);
    let came_up = healthy > primary.breaker.healthy;
    primary.breaker.healthy = healthy;
    if came_up {
        // "Once a deployment has a running task, the failed task count resets to zero." (API reference, Deployment)
        primary.failed = 0;
    }
    if came_up && breaker.as_ref().is_none_or(|breaker| breaker.reset_on_healthy_task != Some(false)) {
        primary.breaker.failures = 0;
    }
    let (id, failures, record) = (primary.id, primary.breaker.failures, primary.record.clone());
    let triggered = breaker.as_ref().is_some_and(|breaker| {
        breaker.enable
            && primary.rollout == DeploymentRolloutState::InProgress
            && failures >= threshold(breaker, desired)
    });
    if triggered {
        primary.breaker.triggered = true;
        primary.rollout = DeploymentRolloutState::Failed;
        primary.rollout_reason = "ECS deployment circuit breaker: tasks failed to start.".to_owned();
        primary.updated_at = events.now;
        let already_rolling_back = primary.rolls_back.is_some();
        let reason = primary.rollout_reason.clone();
        events.failed(&mut plan.service, id, "tasks failed to start");
        let wanted = breaker.is_some_and(|breaker| breaker.rollback) && !already_rolling_back;
        let event = match last_completed.filter(|to| wanted && *to != id) {
            Some(to) => {
                events.rolling_back(&mut plan.service, to);
                plan.rollback = Some(Rollback {
                    from: id,
                    to,
                    record: record.clone(),
                    reason: format!("ECS deployment circuit breaker: rolling back to deploymentId {to}."),
                });
                let to = ServiceRevisionKey { service: plan.service.key.clone(), id: to }.arn();
                let reason = THRESHOLD_EXCEEDED.to_owned();
                RecordEvent::RollingBack { failures, reason, to, triggered: true }
            }
            None if wanted => RecordEvent::NoCandidate { failures },
            None => RecordEvent::Failed { failures, reason },
        };
        plan.records.push(RecordChange { record, event });
    }
    if came_up {
        plan.service.throttle.reset();
    }
}

fn circuit_breaker(plan: &Plan) -> Option<DeploymentCircuitBreaker> {
    plan.service.spec.deployment_configuration.as_ref()?.deployment_circuit_breaker.clone()
}

/// Completes the PRIMARY deployment when all its tasks run and no others, and drops those that are done.
/// While tasks have to leave DRAINING instances, nothing is complete.
pub(super) fn complete(
    plan: &mut Plan,
    census: &Census<'_>,
    draining: &[HexId],
    events: &mut EventWriter<'_>,
) {
    debug_assert_eq!(plan.service.status, ServiceStatus::Active, "only an active service has a rollout");
    let nothing_to_do = plan.start.is_empty() && plan.stop.is_empty() && plan.rollback.is_none();
    let in_progress =
        plan.service.primary().filter(|primary| primary.rollout == DeploymentRolloutState::InProgress);
    let rolled_back = in_progress.and_then(|primary| primary.rolls_back);
    // The deployment that failed stays until the rollback is through, so that whoever polls sees that it failed. The
    // revision that is being replaced stays while it should have tasks, whether it has any at the moment or not.
    let starts: Vec<_> = plan.start.iter().map(|start| start.deployment).collect();
    plan.service.deployments.retain(|one| {
        one.status == DeploymentStatus::Primary
            || has_tasks(census, one.id)
            || rolled_back == Some(one.id)
            || one.desired > 0
            || starts.contains(&one.id)
    });
    let wanted = plan.service.primary().map(|primary| (primary.id, i64::from(primary.desired)));
    let waits = plan.service.primary().is_some_and(|primary| primary.hooks.waiting.is_some());
    let Some((id, desired)) = wanted.filter(|_| nothing_to_do && !waits) else { return };
    let healthy = census.count(Some(id), &[Condition::Healthy]);
    let occupied = census.count(
        None,
        &[
            Condition::Pending,
            Condition::Undecided,
            Condition::Healthy,
            Condition::Unhealthy,
            Condition::Ending,
        ],
    );
    let leaving = census.live.iter().any(|(task, _)| task.instance.is_some_and(|at| draining.contains(&at)));
    if healthy != desired || occupied != desired || leaving {
        return;
    }
    plan.service.deployments.retain(|one| one.status == DeploymentStatus::Primary);
    let primary = &mut plan.service.deployments[0];
    if primary.rollout == DeploymentRolloutState::InProgress {
        primary.rollout = DeploymentRolloutState::Completed;
        primary.rollout_reason = format!("ECS deployment {id} completed.");
        primary.updated_at = events.now;
        plan.records.push(RecordChange {
            record: primary.record.clone(),
            event: RecordEvent::Completed { running: primary.desired },
        });
        plan.service.last_completed = Some(id);
        events.completed(&mut plan.service, id);
    }
    if plan.service.primary().is_some_and(|primary| primary.rollout == DeploymentRolloutState::Completed) {
        events.steady(&mut plan.service);
    }
}
