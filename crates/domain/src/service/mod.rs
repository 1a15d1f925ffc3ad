//! Services, their deployments and revisions, and the scheduler's plan for them.

mod breaker;
mod census;
pub mod configure;
mod deployment;
mod events;
pub mod express;
mod gateways;
mod hook;
pub mod invariant;
mod limits;
mod moves;
mod namespace;
mod outcome;
mod pick;
mod plan;
mod record;
mod rollout;
mod sets;
mod source;
mod stop;
pub mod task_set;
mod view;

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

pub use deployment::{
    BreakerState, Deployment, DeploymentStatus, ServiceDeployment, ServiceRevision, is_finished,
};

pub(crate) use breaker::exited_at_once;
pub use breaker::threshold;
pub(crate) use census::has_health_check;
pub use census::{Census, Condition};
pub use events::EventWriter;
pub use gateways::{Connection, GatewayAccess};
pub use hook::{HookState, Waiting};
pub use limits::Limits;
pub use namespace::{NamespaceMember, ServiceNamespace};
pub(crate) use pick::first_to_go;
pub use plan::{Plan, PlanInput, RecordChange, Rollback, Start, plan};
pub use record::RecordEvent;
pub use rollout::NewDeployment;
pub use stop::StopRequest;
pub use task_set::{TaskSet, TaskSetStatus};

use crate::Timestamp;
use crate::arn::ServiceKey;
use crate::generated as model;
use crate::model::{DeploymentControllerType, LaunchType, ResourceManagementType, SchedulingStrategy};
use crate::name::DeploymentId;

/// The life of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ServiceStatus {
    /// Keeps its tasks running.
    Active,
    /// Deleted, while its tasks end.
    Draining,
    /// Gone, still describable; the name is free again.
    Inactive,
}

impl ServiceStatus {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Draining => "DRAINING",
            Self::Inactive => "INACTIVE",
        }
    }
}

/// A service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Which one.
    pub key: ServiceKey,
    /// Where it is in its life.
    pub status: ServiceStatus,
    /// What its users set, with ECS's defaults, as DescribeServices answers it. `tags`, `status`, `deployments`,
    /// `events`, counts and current revisions are not in here: the view puts them in from the fields below.
    pub spec: model::Service,
    /// What the current revision has beyond `spec`: only deployments show it.
    #[serde(default)]
    pub revision_extras: RevisionExtras,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<model::Tag>,
    /// The default namespace of its cluster when Service Connect was last set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_namespace: Option<String>,
    /// Its deployments, newest first: the PRIMARY one, then those it replaces. Those that are done have left.
    pub deployments: Vec<Deployment>,
    /// Its task sets, newest first, with an EXTERNAL deployment controller. Those that are deleted stay until their
    /// tasks have ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub task_sets: Vec<TaskSet>,
    /// The newest 100 events, newest first.
    pub events: VecDeque<model::ServiceEvent>,
    /// Tasks that are RUNNING, of all deployments and of none of them that still exist.
    pub running: i32,
    /// Tasks on their way to RUNNING.
    pub pending: i32,
    /// The revision of the last deployment that completed: where a rollback goes.
    pub last_completed: Option<DeploymentId>,
    /// Whether the last thing said was that it has reached a steady state.
    pub steady: bool,
    /// When an event with this text was said last, to suppress repeats.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub said: BTreeMap<String, Timestamp>,
    /// Backs off from starting tasks that fail again and again.
    #[serde(default)]
    pub throttle: LaunchThrottle,
}

/// Settings of a revision that a service has, but DescribeServices only shows in its deployments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RevisionExtras {
    /// `serviceConnectConfiguration`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_connect: Option<model::ServiceConnectConfiguration>,
    /// `volumeConfigurations`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volumes: Option<Vec<model::ServiceVolumeConfiguration>>,
    /// `vpcLatticeConfigurations`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_lattice: Option<Vec<model::VpcLatticeConfiguration>>,
    /// `gatewayConnectors`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_connectors: Option<Vec<model::GatewayConnector>>,
    /// `monitoring`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<model::MonitoringConfiguration>,
    /// With a capacity provider strategy: the launch type of its providers' tasks. None for Fargate's providers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_launch_type: Option<LaunchType>,
    /// The gateways that the revision is connected to: those that its cluster was associated with when it was made, and
    /// that its connector doesn't filter out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<GatewayAccess>,
    /// What makes it an Express service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub express: Option<express::Express>,
}

/// How long to wait before tasks are started again, after tasks that went from PENDING to STOPPED, and after tasks that
/// exited as soon as they were RUNNING.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchThrottle {
    /// Failed launches since the last task that reached RUNNING.
    pub failures: u32,
    /// No task is started before this.
    pub until: Option<Timestamp>,
    /// Tasks in a row that were RUNNING and exited at once.
    #[serde(default)]
    pub exits: u32,
    /// When the last of them did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exited_at: Option<Timestamp>,
    /// No task is started before this, because of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paced_until: Option<Timestamp>,
}

impl Service {
    /// A new, ACTIVE service that nothing is known of yet.
    pub fn new(
        key: ServiceKey,
        spec: model::Service,
        revision_extras: RevisionExtras,
        tags: Vec<model::Tag>,
    ) -> Self {
        Self {
            key,
            status: ServiceStatus::Active,
            spec,
            revision_extras,
            tags,
            default_namespace: None,
            deployments: Vec::new(),
            task_sets: Vec::new(),
            events: VecDeque::new(),
            running: 0,
            pending: 0,
            last_completed: None,
            steady: false,
            said: BTreeMap::new(),
            throttle: LaunchThrottle::default(),
        }
    }

    /// Who schedules its tasks.
    pub fn controller(&self) -> DeploymentControllerType {
        self.spec
            .deployment_controller
            .as_ref()
            .map_or(DeploymentControllerType::Ecs, |controller| controller.r#type)
    }

    /// Where its tasks run: its launch type, or that of its capacity providers.
    pub fn effective_launch_type(&self) -> LaunchType {
        let of_providers = self.revision_extras.provider_launch_type;
        self.spec.launch_type.or(of_providers).unwrap_or(LaunchType::Fargate)
    }

    /// The deployment that the service wants, unless it is INACTIVE or has a controller of its own.
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.status == DeploymentStatus::Primary)
    }

    /// How many tasks it should have.
    pub fn desired_count(&self) -> i32 {
        self.spec.desired_count.unwrap_or(0)
    }

    /// The launch type, for filters and counts; None with a capacity provider strategy.
    pub fn launch_type(&self) -> Option<LaunchType> {
        self.spec.launch_type
    }

    /// Who manages it: ECS for an Express service.
    pub fn management(&self) -> ResourceManagementType {
        self.spec.resource_management_type.unwrap_or(ResourceManagementType::Customer)
    }

    /// REPLICA unless it was created otherwise.
    pub fn scheduling_strategy(&self) -> SchedulingStrategy {
        self.spec.scheduling_strategy.unwrap_or(SchedulingStrategy::Replica)
    }
}
