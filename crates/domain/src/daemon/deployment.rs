//! What lasts of a daemon's deployments: their revisions, and the records of how they went.

use serde::{Deserialize, Serialize};

use super::{Daemon, DaemonDeploymentKey, DaemonRevisionKey, DaemonSettings, daemon_task_definition_arn};
use crate::generated as model;
use crate::model::{
    DaemonDeploymentRollbackMonitorsStatus as Monitors, DaemonDeploymentStatus as Status, DaemonPropagateTags,
};
use crate::name::DeploymentId;
use crate::service::threshold;
use crate::task_definition::TaskDefinition;
use crate::{Doc, Timestamp};

/// The circuit breaker of daemons is always there, and counts like that of services.
const BREAKER: model::DeploymentCircuitBreaker = model::DeploymentCircuitBreaker {
    enable: true,
    rollback: true,
    reset_on_healthy_task: None,
    threshold_configuration: None,
};

/// How many failures a deployment over so many instances bears.
pub(super) fn failures_borne(instances: usize) -> i32 {
    threshold(&BREAKER, i32::try_from(instances).unwrap_or(i32::MAX))
}

/// A daemon's settings at the time of a deployment. Never changed, but for the digests of its images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DaemonRevision {
    /// Which one.
    pub key: DaemonRevisionKey,
    /// As DescribeDaemonRevisions answers it.
    pub doc: Doc<model::DaemonRevision>,
    /// For a rollback.
    pub settings: DaemonSettings,
}

/// The record of a daemon deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DaemonDeployment {
    /// Which one.
    pub key: DaemonDeploymentKey,
    /// The revision that is rolled out; None if the daemon is deleted.
    pub target: Option<DeploymentId>,
    /// The revisions that are replaced.
    pub sources: Vec<DeploymentId>,
    /// As DescribeDaemonDeployments answers it when it is finished.
    pub doc: Doc<model::DaemonDeployment>,
}

/// What happens to a daemon deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DaemonEvent {
    /// It was begun.
    Started {
        /// At how many failures the circuit breaker is triggered.
        threshold: i32,
    },
    /// So many launches have failed.
    Failures(i32),
    /// Every instance has what it should have.
    Completed,
    /// Too many launches failed, and there is nothing to go back to, or going back failed as well.
    Failed {
        /// `failureCount`
        failures: i32,
    },
    /// Too many launches failed, and it goes back to this revision.
    RollingBack {
        /// `failureCount`
        failures: i32,
        /// Where to.
        to: DeploymentId,
    },
    /// Another deployment took its place.
    Superseded,
}

impl DaemonRevision {
    /// The revision `id` of a daemon with `settings`.
    pub fn new(
        key: DaemonRevisionKey,
        settings: &DaemonSettings,
        definition: &TaskDefinition,
        now: Timestamp,
    ) -> Self {
        let containers = definition.doc.container_definitions.iter().flatten();
        let propagate =
            if settings.propagate_tags { DaemonPropagateTags::Daemon } else { DaemonPropagateTags::None };
        let doc = model::DaemonRevision {
            daemon_revision_arn: Some(key.arn()),
            cluster_arn: Some(key.daemon.cluster.arn()),
            daemon_arn: Some(key.daemon.arn()),
            daemon_task_definition_arn: Some(daemon_task_definition_arn(&settings.definition)),
            created_at: Some(now),
            container_images: Some(
                containers
                    .map(|container| model::DaemonContainerImage {
                        container_name: container.name.clone(),
                        image: container.image.clone(),
                        image_digest: None,
                    })
                    .collect(),
            ),
            propagate_tags: Some(propagate),
            enable_ecs_managed_tags: Some(settings.managed_tags),
            enable_execute_command: Some(settings.execute_command),
            critical: Some(settings.critical),
        };
        Self { key, doc: Doc::new(doc), settings: settings.clone() }
    }

    /// The revision with the digests that one of its tasks tells of; None if it tells nothing new.
    pub fn with_digests(&self, task: &model::Task) -> Option<Self> {
        let mut known = self.clone();
        let mut changed = false;
        for image in known.doc.make_mut().container_images.iter_mut().flatten() {
            let mut containers = task.containers.iter().flatten();
            let digest = containers
                .find(|container| container.name == image.container_name)
                .and_then(|container| container.image_digest.clone());
            if image.image_digest.is_none() && digest.is_some() {
                image.image_digest = digest;
                changed = true;
            }
        }
        changed.then_some(known)
    }
}

impl DaemonDeployment {
    /// The record of a deployment that begins now, for a daemon that has turned to `target` already.
    pub fn new(daemon: &Daemon, id: String, target: Option<DeploymentId>, now: Timestamp) -> Self {
        let key = DaemonDeploymentKey { daemon: daemon.key.clone(), id };
        let sources: Vec<DeploymentId> = daemon
            .counts
            .iter()
            .map(|counts| counts.revision)
            .filter(|revision| Some(*revision) != target)
            .collect();
        let alarms = daemon.configuration.alarms.as_ref();
        let doc = model::DaemonDeployment {
            daemon_deployment_arn: Some(key.arn()),
            cluster_arn: Some(daemon.key.cluster.arn()),
            status: Some(Status::Pending),
            circuit_breaker: Some(model::DaemonCircuitBreaker {
                failure_count: Some(0),
                status: Some(if target.is_some() { Monitors::Monitoring } else { Monitors::Disabled }),
                threshold: Some(failures_borne(daemon.serving.len())),
            }),
            // There is nobody here to ask about the state of an alarm.
            alarms: Some(model::DaemonDeploymentAlarms {
                status: Some(Monitors::Disabled),
                alarm_names: Some(alarms.and_then(|alarms| alarms.alarm_names.clone()).unwrap_or_default()),
                triggered_alarm_names: Some(Vec::new()),
            }),
            deployment_configuration: Some(daemon.configuration.clone()),
            created_at: Some(now),
            ..Default::default()
        };
        let mut record = Self { key, target, sources, doc: Doc::new(doc) };
        record.count(daemon);
        record
    }

    /// `status`
    pub fn status(&self) -> Status {
        self.doc.status.unwrap_or(Status::Pending)
    }

    /// When it was made.
    pub fn created_at(&self) -> Timestamp {
        self.doc.created_at.unwrap_or(Timestamp::MIN)
    }

    /// Whether nothing happens to it any more.
    pub fn is_finished(&self) -> bool {
        matches!(
            self.status(),
            Status::Successful | Status::Stopped | Status::RollbackSuccessful | Status::RollbackFailed
        )
    }

    /// The record after something happened to its deployment; None if that changes nothing.
    pub fn after(&self, event: &DaemonEvent, daemon: &Daemon, now: Timestamp) -> Option<Self> {
        if self.is_finished() {
            return None;
        }
        let rolls_back = self.status() == Status::RollbackInProgress;
        let mut next = self.clone();
        next.count(daemon);
        let doc = next.doc.make_mut();
        match event {
            DaemonEvent::Started { threshold } => {
                doc.status = Some(Status::InProgress);
                doc.started_at = Some(now);
                if let Some(breaker) = &mut doc.circuit_breaker {
                    breaker.threshold = Some(*threshold);
                }
            }
            DaemonEvent::Failures(failures) => next.trip(*failures, Monitors::Monitoring),
            DaemonEvent::Completed => {
                doc.status = Some(if rolls_back { Status::RollbackSuccessful } else { Status::Successful });
                doc.finished_at = Some(now);
                if self.target.is_some() && !rolls_back {
                    next.end_monitoring();
                }
            }
            DaemonEvent::Failed { failures } => {
                let (status, reason) = if rolls_back {
                    (Status::RollbackFailed, "The rollback failed: daemon tasks failed to start.")
                } else {
                    let reason = "Daemon deployment circuit breaker: daemon tasks failed to start. There is no \
                                  earlier daemon revision to roll back to.";
                    (Status::Stopped, reason)
                };
                doc.status = Some(status);
                doc.status_reason = Some(reason.to_owned());
                doc.stopped_at = Some(now);
                doc.finished_at = Some(now);
                next.trip(*failures, Monitors::Triggered);
            }
            DaemonEvent::RollingBack { failures, to } => {
                let reason = "Daemon deployment circuit breaker: daemon tasks failed to start.";
                let to = DaemonRevisionKey { daemon: self.key.daemon.clone(), id: *to };
                doc.status = Some(Status::RollbackInProgress);
                doc.status_reason = Some(reason.to_owned());
                doc.rollback = Some(model::DaemonRollback {
                    reason: Some(reason.to_owned()),
                    started_at: Some(now),
                    rollback_target_daemon_revision_arn: Some(to.arn()),
                    rollback_capacity_providers: Some(daemon.settings.capacity_providers.clone()),
                });
                next.trip(*failures, Monitors::Triggered);
            }
            DaemonEvent::Superseded => {
                doc.status = Some(Status::Stopped);
                doc.status_reason = Some("Another daemon deployment took its place.".to_owned());
                doc.stopped_at = Some(now);
                doc.finished_at = Some(now);
                if self.target.is_some() && !rolls_back {
                    next.end_monitoring();
                }
            }
        }
        (next != *self).then_some(next)
    }

    fn trip(&mut self, failures: i32, status: Monitors) {
        let Some(breaker) = &mut self.doc.make_mut().circuit_breaker else { return };
        // What has triggered the breaker stays to be seen, whatever the rollback does.
        if breaker.status == Some(Monitors::Monitoring) {
            breaker.failure_count = Some(failures);
            breaker.status = Some(status);
        }
    }

    fn end_monitoring(&mut self) {
        if let Some(breaker) = &mut self.doc.make_mut().circuit_breaker {
            breaker.status = Some(Monitors::MonitoringComplete);
        }
    }
}
