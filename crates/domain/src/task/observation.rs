//! What an orchestrator tells of a task: facts, each with its own time, never a guess.
//!
//! An observation is the whole state as the orchestrator sees it now, not a change: seeing one twice or missing one
//! in between does no harm.

use crate::Timestamp;
use crate::arn::TaskKey;
use crate::generated::HealthStatus;
use crate::name::HexId;

/// The state of one task at its orchestrator.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskObservation {
    /// Which task.
    pub key: TaskKey,
    /// Whether a place was found: from here on the task is PENDING.
    pub placed: bool,
    /// The instance it was placed on, where instances are known.
    pub instance: Option<HexId>,
    /// `availabilityZone`
    pub availability_zone: Option<String>,
    /// When the first image began to be pulled.
    pub pull_started_at: Option<Timestamp>,
    /// When the last image was there.
    pub pull_stopped_at: Option<Timestamp>,
    /// Its address, once it has one.
    pub network: Option<NetworkObservation>,
    /// Its containers, in any order. One that isn't named is not made yet.
    pub containers: Vec<ContainerObservation>,
    /// What went wrong with the task as a whole, or what ended it from outside.
    pub failure: Option<TaskFailure>,
    /// Whether everything that the task held at the orchestrator is given back (or never was taken): no
    /// container runs and none will, its address is free again. After this a task is STOPPED.
    pub released: bool,
}

impl TaskObservation {
    /// The observation of a task that was accepted but not yet placed.
    pub fn accepted(key: TaskKey) -> Self {
        Self {
            key,
            placed: false,
            instance: None,
            availability_zone: None,
            pull_started_at: None,
            pull_stopped_at: None,
            network: None,
            containers: Vec::new(),
            failure: None,
            released: false,
        }
    }
}

/// A task's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkObservation {
    /// When it could be reached first: `connectivityAt`.
    pub connected_at: Timestamp,
    /// `privateIPv4Address`
    pub private_ipv4: String,
    /// `macAddress`, where there is one.
    pub mac: Option<String>,
    /// `networkInterfaceId`, such as `eni-0123456789abcdef0`.
    pub interface_id: String,
    /// `privateDnsName`
    pub private_dns_name: String,
}

/// How far a container has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContainerState {
    /// It waits: for its image, or for a container that it depends on.
    Pending,
    /// It runs.
    Running,
    /// It has ended, or it will never start.
    Stopped,
}

/// The state of one container.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerObservation {
    /// Its name in the task definition.
    pub name: String,
    /// How far it has come.
    pub state: ContainerState,
    /// `runtimeId`
    pub runtime_id: Option<String>,
    /// `imageDigest`
    pub image_digest: Option<String>,
    /// When it started. Stays after its end.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Its exit code, 0 included. None if it never ran.
    pub exit_code: Option<i32>,
    /// Why it is in this state, beginning with an ECS error name: `CannotPullContainerError: ...`,
    /// `OutOfMemoryError: Container killed due to memory usage`.
    pub reason: Option<String>,
    /// The result of its health check, if it has one.
    pub health: Option<HealthStatus>,
    /// Host ports that it got.
    pub bindings: Vec<crate::generated::NetworkBinding>,
}

impl ContainerObservation {
    /// A container that waits.
    pub fn pending(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            state: ContainerState::Pending,
            runtime_id: None,
            image_digest: None,
            started_at: None,
            finished_at: None,
            exit_code: None,
            reason: None,
            health: None,
            bindings: Vec::new(),
        }
    }
}

/// What ends a task other than the exit of its containers or a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskFailure {
    /// It could not start: an image, a container, a resource, a dependency. `reason` becomes `stoppedReason`;
    /// the container at fault carries its own reason. Becomes TaskFailedToStart.
    FailedToStart {
        /// `stoppedReason`, such as `CannotPullContainerError: ...` or `Task failed to start`.
        reason: String,
    },
    /// What it ran on is gone, or took it away: a lost node, an eviction, somebody's delete. Becomes
    /// InfrastructureHealth.
    Lost {
        /// `stoppedReason`
        reason: String,
    },
    /// Spot capacity was taken back. Becomes SpotInterruption.
    SpotInterruption,
    /// No place for it at the moment. It stays PROVISIONING, and its service says so in an event.
    Unplaceable {
        /// Why, in the orchestrator's words.
        reason: String,
    },
}
