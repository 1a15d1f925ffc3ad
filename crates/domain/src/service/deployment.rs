//! Deployments: the working records inside a service, and the lasting ones (service deployments and revisions).

use serde::{Deserialize, Serialize};

use super::Connection;
use crate::arn::{ServiceDeploymentKey, ServiceRevisionKey, TaskDefinitionKey};
use crate::generated as model;
use crate::model::{DeploymentRolloutState, ServiceDeploymentStatus};
use crate::name::DeploymentId;
use crate::{Doc, Timestamp};

/// `status` of a deployment in a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DeploymentStatus {
    /// The newest: what the service should become.
    Primary,
    /// Being replaced; still has tasks.
    Active,
    /// The service is deleted; its tasks end.
    Draining,
    /// Done.
    Inactive,
}

impl DeploymentStatus {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "PRIMARY",
            Self::Active => "ACTIVE",
            Self::Draining => "DRAINING",
            Self::Inactive => "INACTIVE",
        }
    }
}

/// A deployment of a service, while it has tasks or wants some.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its identifier; tasks carry it in `startedBy`.
    pub id: DeploymentId,
    /// PRIMARY for the newest.
    pub status: DeploymentStatus,
    /// The task definition of its tasks.
    pub definition: TaskDefinitionKey,
    /// How many tasks it should have now; of the PRIMARY one, the service's desired count once the scheduler has
    /// seen it.
    pub desired: i32,
    /// Its tasks on their way to RUNNING.
    pub pending: i32,
    /// Its RUNNING tasks.
    pub running: i32,
    /// Its tasks that failed to start or failed their health checks.
    pub failed: i32,
    /// `rolloutState`
    pub rollout: DeploymentRolloutState,
    /// `rolloutStateReason`
    pub rollout_reason: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When anything of it last changed.
    pub updated_at: Timestamp,
    /// The settings it was made with, as the deployment shows them; counts, states and times are not in here.
    pub settings: model::Deployment,
    /// The identifier of its service deployment (the 21 characters), which records its rollout.
    pub record: String,
    /// What the circuit breaker has seen.
    #[serde(default)]
    pub breaker: BreakerState,
    /// Whether the scheduler has seen it.
    #[serde(default)]
    pub seen: bool,
    /// Whether its revision names the digests of the images that its tasks run.
    #[serde(default)]
    pub digests_known: bool,
    /// The gateways that its tasks get traffic from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<Connection>,
    /// Whether it was made by a rollback, and from which deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolls_back: Option<DeploymentId>,
    /// How its users want it to be stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<super::StopRequest>,
    /// How far it has come with its PAUSE hooks.
    #[serde(default)]
    pub hooks: super::HookState,
}

/// What the deployment circuit breaker has seen of a deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerState {
    /// Failures that count at present.
    pub failures: i32,
    /// How many tasks were RUNNING and healthy when the scheduler last looked: more of them means that one got
    /// there.
    pub healthy: i32,
    /// Whether it was triggered.
    pub triggered: bool,
}

/// The lasting record of a deployment: `DescribeServiceDeployments`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceDeployment {
    /// Which one.
    pub key: ServiceDeploymentKey,
    /// The deployment and revision it brings.
    pub target: DeploymentId,
    /// As DescribeServiceDeployments answers it.
    pub doc: Doc<model::ServiceDeployment>,
}

impl ServiceDeployment {
    /// `status`; PENDING until the scheduler has seen it.
    pub fn status(&self) -> ServiceDeploymentStatus {
        self.doc.status.unwrap_or(ServiceDeploymentStatus::Pending)
    }

    /// When it was made: what lists are sorted and filtered by.
    pub fn created_at(&self) -> Timestamp {
        self.doc.created_at.unwrap_or_default()
    }
}

/// An immutable snapshot of what a service was set to: `DescribeServiceRevisions`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceRevision {
    /// Which one.
    pub key: ServiceRevisionKey,
    /// As DescribeServiceRevisions answers it.
    pub doc: Doc<model::ServiceRevision>,
    /// The service's settings then: what a rollback puts back.
    pub spec: model::Service,
    /// The settings that only deployments show.
    #[serde(default)]
    pub extras: super::RevisionExtras,
}

impl ServiceRevision {
    /// The revision with the digests of the images that `task`, one of its tasks, runs. None unless the task knows
    /// all of them.
    #[must_use]
    pub fn with_digests(&self, task: &model::Task) -> Option<Self> {
        let mut revision = self.clone();
        let containers = task.containers.as_deref().unwrap_or_default();
        for image in revision.doc.make_mut().container_images.iter_mut().flatten() {
            let container = containers.iter().find(|container| container.name == image.container_name)?;
            image.image_digest = Some(container.image_digest.clone()?);
        }
        Some(revision)
    }
}

/// Whether a service deployment with `status` has come to its end.
pub const fn is_finished(status: ServiceDeploymentStatus) -> bool {
    matches!(
        status,
        ServiceDeploymentStatus::Successful
            | ServiceDeploymentStatus::Stopped
            | ServiceDeploymentStatus::RollbackSuccessful
            | ServiceDeploymentStatus::RollbackFailed
    )
}
