//! Clusters: the namespaces of everything else.

mod capacity;
mod create;
mod delete;
pub mod invariant;
pub mod settings;
pub mod strategy;
mod view;

pub use view::Include;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::arn::ClusterKey;
use crate::capacity_provider::AttachmentIds;
use crate::generated as model;
use crate::model::LaunchType;

/// Whether a cluster can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ClusterStatus {
    /// In use.
    Active,
    /// Deleted; still describable, and free to be created again.
    Inactive,
}

impl ClusterStatus {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
        }
    }
}

/// A cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// Which one.
    pub key: ClusterKey,
    /// Whether it is in use.
    pub status: ClusterStatus,
    /// What was set by its users, with ECS's defaults. Counts and tags are not in here: they are put in by
    /// [`Cluster::view`] when somebody asks.
    pub settings: ClusterSpec,
    /// Its tags.
    pub tags: Vec<model::Tag>,
}

/// What a cluster's users set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusterSpec {
    /// `settings`: `containerInsights`.
    pub settings: Vec<model::ClusterSetting>,
    /// `configuration`: ECS Exec, managed storage.
    pub configuration: Option<model::ClusterConfiguration>,
    /// `capacityProviders`
    pub capacity_providers: Vec<String>,
    /// `defaultCapacityProviderStrategy`
    pub default_capacity_provider_strategy: Vec<model::CapacityProviderStrategyItem>,
    /// What its own providers attach to it, by the provider's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attachments: BTreeMap<String, AttachmentIds>,
    /// The providers that belong to it (those of Managed Instances), whether it has them at the moment or not.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub scoped_providers: BTreeSet<String>,
    /// `serviceConnectDefaults`
    pub service_connect_defaults: Option<model::ClusterServiceConnectDefaults>,
    /// SHA-256 of what CreateCluster was asked, in hexadecimal. CreateCluster again is idempotent for the same
    /// arguments, whatever UpdateCluster or TagResource have done since.
    #[serde(default)]
    pub created_with: String,
}

/// How many tasks, services and instances a cluster has: counted from the store's indexes, live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClusterCounts {
    /// Tasks whose last status is RUNNING, by launch type.
    pub running_tasks: PerLaunchType,
    /// Tasks on their way to RUNNING (PROVISIONING, PENDING, ACTIVATING), by launch type.
    pub pending_tasks: PerLaunchType,
    /// Tasks that are not STOPPED, whatever their state: these keep a cluster from being deleted.
    pub unfinished_tasks: i32,
    /// ACTIVE services, by launch type.
    pub active_services: PerLaunchType,
    /// DRAINING services, by launch type.
    pub draining_services: PerLaunchType,
}

/// A count for each launch type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerLaunchType {
    /// EC2
    pub ec2: i32,
    /// FARGATE
    pub fargate: i32,
    /// EXTERNAL
    pub external: i32,
    /// MANAGED_INSTANCES
    pub managed_instances: i32,
}

impl PerLaunchType {
    /// The count for `launch_type`, to be changed. Without a launch type a thing counts as EC2.
    pub fn of(&mut self, launch_type: Option<LaunchType>) -> &mut i32 {
        match launch_type {
            None | Some(LaunchType::Ec2) => &mut self.ec2,
            Some(LaunchType::Fargate) => &mut self.fargate,
            Some(LaunchType::External) => &mut self.external,
            Some(LaunchType::ManagedInstances) => &mut self.managed_instances,
        }
    }

    /// The sum over all launch types.
    pub const fn total(&self) -> i32 {
        self.ec2 + self.fargate + self.external + self.managed_instances
    }
}
