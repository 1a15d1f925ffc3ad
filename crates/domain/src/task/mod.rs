//! Tasks: their state, what is observed of them, and the only code that moves them from state to state.

mod agent;
mod create;
pub mod invariant;
mod lifecycle;
mod network;
mod observation;
mod overrides;
pub mod protection;
mod status;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use agent::{AgentReport, ContainerReport, attachment_ref};
pub(crate) use create::platform_family;
pub use create::{NewTask, zone_of_subnet};
pub use create::{effective_overrides, platform_version};
pub use lifecycle::{Interruption, STOPPED_BY_USER};
pub use observation::{
    ContainerObservation, ContainerState, NetworkObservation, TaskFailure, TaskObservation,
};
pub use overrides::check_overrides;
pub use status::{DesiredStatus, TaskStatus};

use crate::arn::{TaskDefinitionKey, TaskKey};
use crate::generated as model;
use crate::model::LaunchType;
use crate::name::{DaemonName, DeploymentId, HexId, ServiceName};
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
    /// The daemon that it belongs to, with the revision that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daemon: Option<DaemonMembership>,
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

/// Whether a task is without a place, on a provider that has instances.
fn waits_for_capacity(
    launch_type: Option<LaunchType>,
    provider: Option<&String>,
    instance: Option<HexId>,
) -> bool {
    let on_instances = matches!(launch_type, Some(LaunchType::Ec2 | LaunchType::ManagedInstances));
    on_instances && provider.is_some() && instance.is_none()
}

impl Task {
    /// Whether it still waits until its capacity provider has room for it.
    pub fn waits_for_capacity(&self) -> bool {
        let doc = &self.doc;
        !self.accepted
            && self.desired == DesiredStatus::Running
            && waits_for_capacity(doc.launch_type, doc.capacity_provider_name.as_ref(), self.instance)
    }
}

/// A task's place in a daemon. Its task definition is then a daemon task definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonMembership {
    /// The daemon.
    pub name: DaemonName,
    /// The revision.
    pub revision: DeploymentId,
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
