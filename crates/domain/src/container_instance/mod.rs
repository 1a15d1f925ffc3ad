//! Container instances: what is kept of them beyond what their nodes say of themselves, and their rules.
//!
//! Every node of the orchestrator is a container instance of every cluster, without anybody's doing. What users do
//! with it there (its state, its custom attributes, its tags) is kept as a [`ContainerInstance`], from the first such
//! act on. An agent that registers an instance of its own makes one with a [`Registration`]: it has no node, and the
//! agent runs its tasks and reports on them.

mod agent;
pub mod attributes;
mod register;
mod resources;
mod view;

use serde::{Deserialize, Serialize};

pub use agent::LATEST_AGENT;
pub use register::{IdentityDocument, check_registration};
pub use resources::{amounts, of_node, remaining};
pub use view::{Shown, Standing};

use crate::Timestamp;
use crate::generated as model;
use crate::model::AgentUpdateStatus;
use crate::name::HexId;

/// The life of a container instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum InstanceState {
    /// Takes tasks.
    Active,
    /// Takes no new tasks, and those of services move away.
    Draining,
    /// Deregistered. Still describable.
    Inactive,
}

impl InstanceState {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Draining => "DRAINING",
            Self::Inactive => "INACTIVE",
        }
    }
}

/// What is kept of a container instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerInstance {
    /// Its id, unique within its cluster.
    pub id: HexId,
    /// What was last asked for. A node may be DRAINING though nobody asked us.
    pub state: InstanceState,
    /// `version`: counts the changes.
    pub version: i64,
    /// Custom attributes, by PutAttributes, in the order of their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<model::Attribute>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<model::Tag>,
    /// What its agent said, if it was registered by one. None for a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Registration>,
    /// When it was deregistered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deregistered_at: Option<Timestamp>,
}

/// What an agent said when it registered its instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// `ec2InstanceId`, from the identity document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// When it registered first.
    pub registered_at: Timestamp,
    /// Whether the agent is believed to be there: until another agent on the same host registers anew.
    pub connected: bool,
    /// `totalResources`
    pub resources: Vec<model::Resource>,
    /// `versionInfo`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<model::VersionInfo>,
    /// The agent's attributes, and those that follow from the identity document.
    pub attributes: Vec<model::Attribute>,
    /// How far an update of the agent has come, if one was ever asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<AgentUpdateStatus>,
}

impl ContainerInstance {
    /// What is to be known of a node before anybody did anything with it.
    pub const fn of_node(id: HexId) -> Self {
        Self {
            id,
            state: InstanceState::Active,
            version: 1,
            attributes: Vec::new(),
            tags: Vec::new(),
            registration: None,
            deregistered_at: None,
        }
    }

    /// Whether it can be described only.
    pub fn is_inactive(&self) -> bool {
        self.state == InstanceState::Inactive
    }

    /// Sets its state. A change counts.
    pub fn set_state(&mut self, state: InstanceState) {
        if self.state != state {
            self.state = state;
            self.version += 1;
        }
    }

    /// Takes it out of its cluster. Its custom attributes go with it: should it be registered again, it begins
    /// afresh.
    pub fn deregister(&mut self, now: Timestamp) {
        self.set_state(InstanceState::Inactive);
        self.attributes.clear();
        self.deregistered_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_of_state_counts_and_no_other() {
        let mut node = ContainerInstance::of_node(HexId::from_bits(1));
        node.set_state(InstanceState::Active);
        assert_eq!(node.version, 1);
        node.set_state(InstanceState::Draining);
        node.deregister(Timestamp::MIN);
        assert_eq!((node.version, node.is_inactive()), (3, true));
    }
}
