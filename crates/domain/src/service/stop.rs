//! A deployment that its users stop: how it is asked for, and what the scheduler makes of it.

use serde::{Deserialize, Serialize};

use super::events::EventWriter;
use super::{Deployment, Plan, RecordChange, RecordEvent, Rollback, Service, ServiceDeployment, is_finished};
use crate::arn::ServiceRevisionKey;
use crate::error::EcsError;
use crate::model::{
    DeploymentLifecycleHookAction as Action, DeploymentLifecycleHookStatus as HookStatus,
    DeploymentRolloutState, ServiceDeploymentStatus as Status,
};
use crate::name::DeploymentId;
use crate::{ErrorCode, Timestamp};

/// How a deployment is to be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopRequest {
    /// Back to the revision that completed last.
    Rollback,
    /// Nothing more is started; what runs stays.
    Abort,
}

impl Service {
    /// The service and the record of its deployment after a user has asked to stop that. What is to be done is the
    /// scheduler's.
    ///
    /// # Errors
    /// `ConflictException` if the deployment is not under way, is being stopped already, or is to be rolled back and
    /// there is nothing to go back to.
    pub fn stop_deployment(
        &self,
        record: &ServiceDeployment,
        how: StopRequest,
        now: Timestamp,
    ) -> Result<(Self, ServiceDeployment), EcsError> {
        let arn = record.key.arn();
        let refuse = |why: String| {
            EcsError::new(ErrorCode::Conflict, format!("Unable to stop the service deployment {arn}: {why}"))
        };
        let status = record.status();
        let under_way = matches!(status, Status::Pending | Status::InProgress);
        if !under_way || is_finished(status) {
            return Err(refuse(format!("its status is {status}.")));
        }
        let mut service = self.clone();
        let back_to = self.last_completed;
        let Some(deployment) = service.under_way(&record.key.id) else {
            return Err(refuse("it is not under way.".to_owned()));
        };
        if how == StopRequest::Rollback && back_to.is_none_or(|to| to == deployment.id) {
            return Err(refuse("there is no earlier service revision to roll back to.".to_owned()));
        }
        deployment.stop = Some(how);
        deployment.updated_at = now;
        let event = RecordEvent::StopRequested { how };
        let stopped = record.after(&event, now).unwrap_or_else(|| record.clone());
        Ok((service, stopped))
    }

    /// The service and the record of its deployment after a user has decided about the PAUSE hook at which it waits.
    ///
    /// # Errors
    /// `InvalidParameterException` if it doesn't wait at that hook; `ClientException` if it is to be rolled back and
    /// there is nothing to go back to.
    pub fn resolve_hook(
        &self,
        record: &ServiceDeployment,
        hook: &str,
        action: Action,
        now: Timestamp,
    ) -> Result<(Self, ServiceDeployment), EcsError> {
        let mut service = self.clone();
        let back_to = self.last_completed;
        let waiting = service.under_way(&record.key.id).filter(|deployment| deployment.hooks.waits_at(hook));
        let Some(deployment) = waiting else {
            return Err(EcsError::invalid_parameter(format!(
                "The service deployment is not paused at the lifecycle hook {hook}."
            )));
        };
        let rolls_back = action == Action::Rollback;
        if rolls_back && back_to.is_none_or(|to| to == deployment.id) {
            return Err(EcsError::client("There is no earlier service revision to roll back to."));
        }
        deployment.hooks.pass();
        deployment.updated_at = now;
        let status = if rolls_back { HookStatus::Failed } else { HookStatus::Succeeded };
        let event = RecordEvent::HookResolved { hook: hook.to_owned(), status };
        let mut resolved = record.after(&event, now).unwrap_or_else(|| record.clone());
        if rolls_back {
            deployment.stop = Some(StopRequest::Rollback);
            let event = RecordEvent::StopRequested { how: StopRequest::Rollback };
            resolved = resolved.after(&event, now).unwrap_or(resolved);
        }
        Ok((service, resolved))
    }

    /// The deployment with this record, while it is under way and not yet told to stop.
    fn under_way(&mut self, record: &str) -> Option<&mut Deployment> {
        let current = self.current_record().is_some_and(|current| current.id == record);
        let newest = self.deployments.first_mut().filter(|_| current)?;
        newest.stop.is_none().then_some(newest)
    }
}

/// Does what a user has asked for: a deployment that is to be stopped is FAILED from here on, and rolled back or not.
pub(super) fn heed(plan: &mut Plan, events: &mut EventWriter<'_>) {
    let back_to = plan.service.last_completed;
    let in_progress = |one: &&mut Deployment| one.rollout == DeploymentRolloutState::InProgress;
    let Some(deployment) = plan.service.deployments.first_mut().filter(in_progress) else { return };
    let Some(how) = deployment.stop else { return };
    deployment.rollout = DeploymentRolloutState::Failed;
    deployment.hooks.pass();
    deployment.updated_at = events.now;
    let timed_out = deployment.hooks.timed_out;
    let cause = if timed_out { "a lifecycle hook timed out" } else { "requested by the user" };
    let because = if timed_out { "because a lifecycle hook timed out" } else { "by user" };
    let (id, record, failures) = (deployment.id, deployment.record.clone(), deployment.breaker.failures);
    let goal: Option<DeploymentId> =
        back_to.filter(|to| how == StopRequest::Rollback && *to != deployment.id);
    let event = match goal {
        Some(to) => {
            deployment.rollout_reason = format!("ECS deployment {id} stopped: rollback, {cause}.");
            events.rolling_back(&mut plan.service, to);
            plan.rollback = Some(Rollback {
                from: id,
                to,
                record: record.clone(),
                reason: format!("ECS deployment rolling back to deploymentId {to}: {cause}."),
            });
            let to = ServiceRevisionKey { service: plan.service.key.clone(), id: to }.arn();
            let reason = format!("Service deployment rolled back {because}.");
            RecordEvent::RollingBack { failures, reason, to, triggered: false }
        }
        None => {
            deployment.rollout_reason = format!("ECS deployment {id} stopped: {cause}.");
            RecordEvent::Stopped { reason: format!("Service deployment stopped {because}.") }
        }
    };
    plan.records.push(RecordChange { record, event });
}
