//! Tasks: their state, what is observed of them, and the only code that moves them from state to state.

mod agent;
mod create;
pub mod invariant;
mod lifecycle;
mod network;
mod observation;
mod status;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use agent::{AgentReport, ContainerReport, attachment_ref};
pub use create::{NewTask, zone_of_subnet};
pub(crate) use create::{platform_family, platform_version};
pub use lifecycle::{Interruption, STOPPED_BY_USER};
pub use observation::{
    ContainerObservation, ContainerState, NetworkObservation, TaskFailure, TaskObservation,
};
pub use status::{DesiredStatus, TaskStatus};

use crate::arn::{TaskDefinitionKey, TaskKey};
use crate::generated as model;
use crate::name::{DeploymentId, HexId, ServiceName};
use crate::{Doc, Timestamp};

/// A task.
///
/// `doc` is the task as DescribeTasks answers it (without tags). The typed fields say again what rules and indexes
/// need. Both are only changed by this module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Which one.
    pub key: TaskKey,
    /// As DescribeTasks answers it, without `tags`.
    pub doc: Doc<model::Task>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<model::Tag>,
    /// `lastStatus`
    pub status: TaskStatus,
    /// `desiredStatus`
    pub desired: DesiredStatus,
    /// The task definition it is made of.
    pub definition: TaskDefinitionKey,
    /// The service that it belongs to, with the deployment that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceMembership>,
    /// The instance that it was placed on. None on Fargate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<HexId>,
    /// What the launch needs beyond the task definition and `doc`; shared by the tasks of one request.
    pub launch: Arc<LaunchSettings>,
    /// Protected against scale-in and replacement until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected_until: Option<Timestamp>,
    /// Whether the orchestrator has shown that it has the task. Until then the task is launched again.
    #[serde(default)]
    pub accepted: bool,
    /// Whether its service's scheduler has drawn its conclusions from the task's end.
    #[serde(default)]
    pub accounted: bool,
    /// Whether its instance's own agent runs it and reports on it, and not the orchestrator.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_agent: bool,
}

/// A task's place in a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceMembership {
    /// The service.
    pub name: ServiceName,
    /// The deployment.
    pub deployment: DeploymentId,
}

/// What a launch needs beyond the task definition: from the request or from the service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LaunchSettings {
    /// `networkConfiguration`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<model::NetworkConfiguration>,
    /// `placementConstraints` of the request or the service; those of the task definition come on top.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub placement_constraints: Vec<model::PlacementConstraint>,
    /// `placementStrategy`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub placement_strategy: Vec<model::PlacementStrategy>,
    /// `volumeConfigurations`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<model::TaskVolumeConfiguration>,
}
