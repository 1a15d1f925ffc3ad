//! Daemons: one task on each instance of their capacity providers, there before all others and gone after them.
//!
//! They are not services with the DAEMON strategy. A daemon has daemon task definitions of its own kind, revisions,
//! and deployments that roll over the instances step by step ([`plan`]).

mod configure;
mod deployment;
pub mod invariant;
mod keys;
mod plan;
mod registration;
mod task_definition;
#[cfg(test)]
mod tests;
mod view;

use serde::{Deserialize, Serialize};

pub use configure::{capacity_provider_ref, check_providers, configuration};
pub use deployment::{DaemonDeployment, DaemonEvent, DaemonRevision};
pub use keys::{
    DaemonDeploymentKey, DaemonKey, DaemonRevisionKey, daemon_child_ref, daemon_ref,
    daemon_task_definition_arn, daemon_task_definition_ref, definition_key, family_key,
};
pub use plan::{DaemonInput, DaemonPlan, Station, StationState, plan};
pub use registration::DaemonRegistration;
pub use task_definition::{DaemonFamily, DaemonTaskDefinition, LOG_FILES};

use crate::Timestamp;
use crate::arn::TaskDefinitionKey;
use crate::generated as model;
use crate::name::{DeploymentId, HexId};
use crate::service::LaunchThrottle;

/// The life of a daemon. When its last task has ended, a daemon that is being deleted is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DaemonState {
    /// It has tasks.
    Active,
    /// Its tasks end.
    Deleting,
}

/// How far the newest deployment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rollout {
    /// Not begun.
    Pending,
    /// Under way.
    InProgress,
    /// Going back to an earlier revision.
    RollingBack,
    /// Every instance has the revision that is wanted.
    Done,
    /// Given up: nothing is started until the daemon is updated.
    Stalled,
}

/// What a revision says of a daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonSettings {
    /// The daemon task definition.
    pub definition: TaskDefinitionKey,
    /// The ARNs of the capacity providers.
    pub capacity_providers: Vec<String>,
    /// Whether its tasks get its tags.
    pub propagate_tags: bool,
    /// `enableECSManagedTags`
    pub managed_tags: bool,
    /// `enableExecuteCommand`
    pub execute_command: bool,
    /// Whether an instance is of no use without its task.
    pub critical: bool,
}

/// How many instances of a capacity provider have a revision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderCounts {
    /// The provider's ARN.
    pub provider: String,
    /// With a RUNNING task.
    pub running: i32,
    /// With a task that ends.
    pub draining: i32,
    /// In use though they have no RUNNING task: of a daemon that isn't critical.
    pub without: i32,
}

/// Where the tasks of a revision are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionCounts {
    /// Which revision.
    pub revision: DeploymentId,
    /// By capacity provider.
    pub providers: Vec<ProviderCounts>,
}

/// A daemon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Daemon {
    /// Which one.
    pub key: DaemonKey,
    /// Where it is in its life.
    pub state: DaemonState,
    /// What its revision says.
    pub settings: DaemonSettings,
    /// `deploymentConfiguration`, complete.
    pub configuration: model::DaemonDeploymentConfiguration,
    /// Its tags.
    pub tags: Vec<model::Tag>,
    /// The revision that every instance should have.
    pub revision: DeploymentId,
    /// The identifier of its newest deployment.
    pub deployment: String,
    /// How far that is.
    pub rollout: Rollout,
    /// The revision that was rolled out last: where a rollback goes.
    pub last_successful: Option<DeploymentId>,
    /// The wanted revision's counts first, then those of others that have tasks.
    pub counts: Vec<RevisionCounts>,
    /// The instances on which one of its tasks runs and is not known to be unhealthy.
    pub serving: Vec<HexId>,
    /// Failures that the circuit breaker counts against the newest deployment.
    pub failures: i32,
    /// At how many of them it is triggered.
    pub threshold: i32,
    /// How many healthy tasks of the wanted revision were seen last.
    pub healthy: i32,
    /// Whether a step of the deployment is under way.
    pub in_step: bool,
    /// Until when nothing goes on after a step.
    pub bakes_until: Option<Timestamp>,
    /// Backs off from starting tasks that fail again and again.
    pub throttle: LaunchThrottle,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was created, updated or deleted last.
    pub updated_at: Timestamp,
}

impl Daemon {
    /// Whether its newest deployment is still going on.
    pub fn is_rolling(&self) -> bool {
        matches!(self.rollout, Rollout::Pending | Rollout::InProgress | Rollout::RollingBack)
    }

    /// What its tasks carry in `startedBy`, by which they are found.
    pub fn started_by(&self) -> String {
        self.key.started_by()
    }

    /// Begins with another revision: nothing is counted against it yet.
    pub fn turn_to(&mut self, revision: DeploymentId, settings: DaemonSettings, rollout: Rollout) {
        self.revision = revision;
        self.settings = settings;
        self.rollout = rollout;
        (self.failures, self.healthy) = (0, 0);
        (self.in_step, self.bakes_until) = (rollout == Rollout::RollingBack, None);
        self.throttle.renew();
        self.arrange_counts();
    }

    /// Puts the wanted revision's counts first, whether it has tasks or not.
    fn arrange_counts(&mut self) {
        let at = self.counts.iter().position(|counts| counts.revision == self.revision);
        let mut first = at.map_or_else(
            || RevisionCounts { revision: self.revision, providers: Vec::new() },
            |at| self.counts.remove(at),
        );
        for provider in &self.settings.capacity_providers {
            if !first.providers.iter().any(|counts| counts.provider == *provider) {
                first
                    .providers
                    .push(ProviderCounts { provider: provider.clone(), ..ProviderCounts::default() });
            }
        }
        self.counts.insert(0, first);
    }
}
