//! The record of a deployment's rollout, and what the scheduler writes into it.

use super::{ServiceDeployment, StopRequest, is_finished};
use crate::generated as model;
use crate::model::{
    DeploymentLifecycleHookStatus as HookStatus, ServiceDeploymentRollbackMonitorsStatus as Monitors,
    ServiceDeploymentStatus as Status,
};
use crate::{Doc, Timestamp};

/// `statusReason` of a deployment that its circuit breaker rolled back.
pub(super) const THRESHOLD_EXCEEDED: &str =
    "Service deployment rolled back because the circuit breaker threshold was exceeded.";

/// What happened to a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordEvent {
    /// The scheduler began with it.
    Started,
    /// All its tasks run, and no others.
    Completed {
        /// How many.
        running: i32,
    },
    /// The circuit breaker was triggered, with this many failures, and there is nothing to roll back to, or no
    /// rollback is wanted.
    Failed {
        /// `failureCount`
        failures: i32,
        /// `statusReason`
        reason: String,
    },
    /// The circuit breaker was triggered, with this many failures, and was to roll back, but no deployment has been
    /// completed before.
    NoCandidate {
        /// `failureCount`
        failures: i32,
    },
    /// A user asked for its end.
    StopRequested {
        /// How.
        how: StopRequest,
    },
    /// It was stopped for a user, and is left as it stands.
    Stopped {
        /// `statusReason`
        reason: String,
    },
    /// It waits at a PAUSE hook.
    Paused {
        /// `lifecycleStage`
        stage: model::ServiceDeploymentLifecycleStage,
        /// The hook.
        hook: model::DeploymentLifecycleHookDetail,
    },
    /// It waits no more at a PAUSE hook.
    HookResolved {
        /// `hookId`
        hook: String,
        /// What became of it.
        status: HookStatus,
    },
    /// The circuit breaker was triggered, or a user asked for it, and a rollback to this revision began.
    RollingBack {
        /// `failureCount`
        failures: i32,
        /// `statusReason`
        reason: String,
        /// The revision's ARN.
        to: String,
        /// Whether it was the circuit breaker.
        triggered: bool,
    },
    /// Another deployment took its place.
    Superseded,
    /// Its service was deleted.
    ServiceDeleted,
}

impl ServiceDeployment {
    /// The record after `event`. None if the record has come to its end already, or the event changes nothing.
    #[must_use]
    pub fn after(&self, event: &RecordEvent, now: Timestamp) -> Option<Self> {
        let status = self.status();
        if is_finished(status) {
            return None;
        }
        let mut doc = (*self.doc).clone();
        let next = match event {
            RecordEvent::Started if status == Status::Pending => {
                doc.started_at = Some(now);
                Status::InProgress
            }
            RecordEvent::Started => return None,
            RecordEvent::Completed { .. } if status == Status::RollbackInProgress => {
                Status::RollbackSuccessful
            }
            RecordEvent::Completed { running } => {
                count(doc.target_service_revision.as_mut(), *running);
                for source in doc.source_service_revisions.iter_mut().flatten() {
                    count(Some(source), 0);
                }
                Status::Successful
            }
            RecordEvent::Failed { failures, reason } => {
                trigger(&mut doc, *failures);
                doc.status_reason = Some(reason.clone());
                if status == Status::RollbackInProgress { Status::RollbackFailed } else { Status::Stopped }
            }
            RecordEvent::NoCandidate { failures } => {
                trigger(&mut doc, *failures);
                doc.status_reason = Some("No rollback candidate was found to run the rollback.".to_owned());
                doc.rollback = Some(model::Rollback {
                    reason: Some(THRESHOLD_EXCEEDED.to_owned()),
                    started_at: Some(now),
                    service_revision_arn: None,
                });
                Status::RollbackFailed
            }
            RecordEvent::StopRequested { how } => {
                doc.status_reason = Some("Service deployment stop requested by the user.".to_owned());
                match how {
                    StopRequest::Rollback => Status::RollbackRequested,
                    StopRequest::Abort => Status::StopRequested,
                }
            }
            RecordEvent::Stopped { reason } => {
                give_up_hooks(&mut doc);
                doc.status_reason = Some(reason.clone());
                Status::Stopped
            }
            RecordEvent::Paused { stage, hook } => {
                doc.lifecycle_stage = Some(*stage);
                doc.lifecycle_hook_details.get_or_insert_default().push(hook.clone());
                status
            }
            RecordEvent::HookResolved { hook, status: resolved } => {
                let details = doc.lifecycle_hook_details.as_mut()?;
                let detail = details.iter_mut().find(|detail| detail.hook_id.as_ref() == Some(hook))?;
                detail.status = Some(*resolved);
                if *resolved != HookStatus::Failed {
                    doc.lifecycle_stage = Some(model::ServiceDeploymentLifecycleStage::ScaleUp);
                }
                status
            }
            RecordEvent::RollingBack { failures, reason, to, triggered } => {
                give_up_hooks(&mut doc);
                if *triggered {
                    trigger(&mut doc, *failures);
                }
                doc.status_reason = Some(reason.clone());
                doc.rollback = Some(model::Rollback {
                    reason: Some(reason.clone()),
                    started_at: Some(now),
                    service_revision_arn: Some(to.clone()),
                });
                Status::RollbackInProgress
            }
            RecordEvent::Superseded => {
                doc.status_reason =
                    Some("Service deployment stopped because of a newer deployment.".to_owned());
                Status::Stopped
            }
            RecordEvent::ServiceDeleted => {
                doc.status_reason =
                    Some("Service deployment stopped because the service was deleted.".to_owned());
                Status::Stopped
            }
        };
        doc.status = Some(next);
        doc.updated_at = Some(now);
        if is_finished(next) {
            doc.finished_at = Some(now);
            if next == Status::Stopped {
                doc.stopped_at = Some(now);
            }
            if let Some(breaker) = &mut doc.deployment_circuit_breaker
                && breaker.status == Some(Monitors::Monitoring)
            {
                breaker.status = Some(Monitors::MonitoringComplete);
            }
        }
        Some(Self { doc: Doc::new(doc), ..self.clone() })
    }
}

/// What a revision has when its deployment is through.
fn count(revision: Option<&mut model::ServiceRevisionSummary>, running: i32) {
    if let Some(revision) = revision {
        revision.requested_task_count = Some(running);
        revision.running_task_count = Some(running);
        revision.pending_task_count = Some(0);
    }
}

/// Hooks at which nobody waits any more.
fn give_up_hooks(doc: &mut model::ServiceDeployment) {
    for hook in doc.lifecycle_hook_details.iter_mut().flatten() {
        if hook.status == Some(HookStatus::AwaitingAction) {
            hook.status = Some(HookStatus::Failed);
        }
    }
}

fn trigger(doc: &mut model::ServiceDeployment, failures: i32) {
    let breaker = doc.deployment_circuit_breaker.get_or_insert_default();
    breaker.status = Some(Monitors::Triggered);
    breaker.failure_count = Some(failures);
}
