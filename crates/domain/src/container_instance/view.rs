//! A container instance as the API shows it.

use super::{ContainerInstance, InstanceState};
use crate::Timestamp;
use crate::arn::ClusterKey;
use crate::generated as model;
use crate::model::{ContainerInstanceField, InstanceHealthCheckState, InstanceHealthCheckType};
use crate::name::HexId;

/// A container instance as it is at this moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Its id.
    pub id: HexId,
    /// `ec2InstanceId`
    pub host: Option<String>,
    /// Its state, the node's own taken into account.
    pub state: InstanceState,
    /// Whether its agent, or its node, answers.
    pub connected: bool,
    /// What it has.
    pub registered: Vec<model::Resource>,
    /// What is left.
    pub remaining: Vec<model::Resource>,
    /// All its attributes.
    pub attributes: Vec<model::Attribute>,
    /// The versions of what runs on it.
    pub versions: Option<model::VersionInfo>,
    /// When it was registered.
    pub registered_at: Option<Timestamp>,
    /// Tasks on it that are RUNNING.
    pub running: i32,
    /// Tasks on it that are on their way to RUNNING.
    pub pending: i32,
}

/// What is shown beyond the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Its tags.
    pub tags: bool,
    /// Its health, looked at at this moment.
    pub health: Option<Timestamp>,
}

impl Shown {
    /// What was asked for.
    pub fn requested(include: &[ContainerInstanceField], now: Timestamp) -> Self {
        let has = |field| include.contains(&field);
        Self {
            tags: has(ContainerInstanceField::Tags),
            health: has(ContainerInstanceField::ContainerInstanceHealth).then_some(now),
        }
    }
}

impl Standing {
    /// As the API shows it. `kept` is what is kept of it, if anything is.
    pub fn view(
        self,
        cluster: &ClusterKey,
        kept: Option<&ContainerInstance>,
        shown: Shown,
    ) -> model::ContainerInstance {
        let registration = kept.and_then(|kept| kept.registration.as_ref());
        let health_status = shown.health.map(|now| self.health(registration.is_none(), now));
        model::ContainerInstance {
            container_instance_arn: Some(cluster.container_instance_arn(self.id)),
            ec2_instance_id: self.host,
            version: Some(kept.map_or(1, |kept| kept.version)),
            version_info: Some(self.versions.unwrap_or_default()),
            remaining_resources: Some(self.remaining),
            registered_resources: Some(self.registered),
            status: Some(self.state.as_str().to_owned()),
            agent_connected: Some(self.connected),
            running_tasks_count: Some(self.running),
            pending_tasks_count: Some(self.pending),
            agent_update_status: registration.and_then(|registration| registration.update),
            attributes: Some(self.attributes),
            registered_at: self.registered_at,
            attachments: Some(Vec::new()),
            tags: shown.tags.then(|| kept.map(|kept| kept.tags.clone()).unwrap_or_default()),
            health_status,
            ..Default::default()
        }
    }

    /// What is known of its health: of a node, whether it answers and so whether its container runtime works; of
    /// another one nothing, because its agent doesn't tell.
    fn health(&self, is_node: bool, now: Timestamp) -> model::ContainerInstanceHealthStatus {
        let status = match (is_node, self.connected) {
            (true, true) => InstanceHealthCheckState::Ok,
            (true, false) => InstanceHealthCheckState::Impaired,
            (false, _) => InstanceHealthCheckState::InsufficientData,
        };
        let detail = model::InstanceHealthCheckResult {
            r#type: Some(InstanceHealthCheckType::ContainerRuntime),
            status: Some(status),
            last_updated: Some(now),
            ..Default::default()
        };
        model::ContainerInstanceHealthStatus { overall_status: Some(status), details: Some(vec![detail]) }
    }
}
