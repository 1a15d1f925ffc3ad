//! The orchestrator: what runs the tasks. All in ECS's words; it knows nothing of services.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use kecs_domain::Timestamp;
use kecs_domain::arn::{ClusterKey, TaskKey};
use kecs_domain::error::EcsError;
use kecs_domain::model;
use kecs_domain::name::HexId;
use kecs_domain::task::{Task, TaskObservation};
use kecs_domain::task_definition::TaskDefinition;

use super::PortError;

/// A task to be run: everything that an orchestrator needs to know.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The task, with its overrides, network and, where it was placed, its instance.
    pub task: Arc<Task>,
    /// What it is made of.
    pub definition: Arc<TaskDefinition>,
}

/// A task to be stopped. Each container gets SIGTERM, and SIGKILL after its `stopTimeout`; containers stop in the
/// reverse order of `dependsOn`.
#[derive(Clone, Debug)]
pub struct StopOrder {
    /// Which task.
    pub task: TaskKey,
    /// What it is made of, for the stop timeouts and the order; None when that is not known any more.
    pub definition: Option<Arc<TaskDefinition>>,
}

/// What is seen of the tasks.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// Which tasks the orchestrator has, at the start and whenever it had to begin anew. A task that isn't named
    /// doesn't exist there. The state of each follows as a change, in pieces: a hundred thousand at once would weigh
    /// as much as all that is stored of them.
    Snapshot(Vec<TaskKey>),
    /// These tasks have changed.
    Changed(Vec<TaskObservation>),
    /// The instances have changed: which there are, whether they take tasks, or what they are like. What their tasks
    /// take of them is no change. A hint, as wake-ups are: without it the instances are looked at now and then.
    Instances,
}

/// Whether an instance takes tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceStatus {
    /// It does.
    Active,
    /// No new ones, and those of services should move away.
    Draining,
}

/// What an instance has, or has left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// CPU units: 1024 are one vCPU.
    pub cpu: i64,
    /// MiB
    pub memory: i64,
    /// Host ports that are taken.
    pub ports: Vec<u16>,
}

/// An instance that tasks can be placed on: a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// The container instance's id.
    pub id: HexId,
    /// `ec2InstanceId`, or the node's name.
    pub host: String,
    /// `ecs.availability-zone`
    pub availability_zone: String,
    /// Whether it takes tasks.
    pub status: InstanceStatus,
    /// Whether it answers.
    pub connected: bool,
    /// What it has.
    pub registered: Resources,
    /// What it has left.
    pub remaining: Resources,
    /// Its attributes, the built-in ones (`ecs.os-type`, ...) included.
    pub attributes: Vec<model::Attribute>,
    /// What runs on it: the version of its agent, and of its container runtime.
    pub versions: model::VersionInfo,
    /// Since when it is there.
    pub registered_at: Option<Timestamp>,
}

/// Runs tasks.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait Orchestrator: Send + Sync {
    /// Checks what a task definition says to this orchestrator in particular. MUST be quick and without I/O.
    ///
    /// # Errors
    /// `ClientException` that names the member.
    fn check(&self, definition: &model::TaskDefinition) -> Result<(), EcsError>;

    /// What of a task this orchestrator doesn't do, each as `MEMBER: what becomes of it`, for people. MUST be quick and
    /// without I/O. Nothing by default.
    fn untranslated(&self, _launch: &Launch) -> Vec<String> {
        Vec::new()
    }

    /// Makes room for a cluster. MUST be idempotent.
    async fn ensure_cluster(&self, cluster: &ClusterKey) -> Result<(), PortError>;

    /// Gives back what was made for a cluster. MUST be idempotent. Called only when the cluster has no tasks.
    async fn delete_cluster(&self, cluster: &ClusterKey) -> Result<(), PortError>;

    /// Accepts a task. MUST be idempotent by task id: a task that was launched before is left as it is. Returns
    /// as soon as the task is accepted, what becomes of it is observed. A failure that no retry can mend MUST be
    /// `Permanent`; the task is then stopped with its message.
    async fn launch(&self, launch: Launch) -> Result<(), PortError>;

    /// Begins to stop a task. MUST be idempotent; stopping a task that isn't there MUST lead to an observation of
    /// it that is `released`.
    async fn stop(&self, order: StopOrder) -> Result<(), PortError>;

    /// Lets go of a task whose end is stored. MUST be idempotent. Its observations may end with this.
    async fn forget(&self, task: &TaskKey) -> Result<(), PortError>;

    /// Tells, once and before [`Orchestrator::observe`], which tasks should exist. An orchestrator whose own
    /// state ended with the last process MUST take them up where they were; one that lasts does nothing.
    async fn restore(&self, tasks: Vec<Launch>) -> Result<(), PortError>;

    /// What becomes of the tasks: a snapshot, then changes. MUST NOT lose a change: after a gap comes a new
    /// snapshot. Ends only when the orchestrator is given up.
    fn observe(&self) -> BoxStream<'static, Observation>;

    /// The instances of a cluster, as last seen. MUST be quick and without I/O.
    async fn instances(&self, cluster: &ClusterKey) -> Result<Vec<Instance>, PortError>;

    /// How many instances a cluster has, as last seen: MUST be the length of [`Orchestrator::instances`]. Every
    /// description of a cluster asks for it, so an orchestrator that can count without a list should.
    async fn instance_count(&self, cluster: &ClusterKey) -> Result<usize, PortError> {
        Ok(self.instances(cluster).await?.len())
    }

    /// Lets an instance drain, or take tasks again, for everybody. Returns whether it did: the state is then the
    /// orchestrator's to tell, and MUST show in [`Orchestrator::instances`] from now on. MUST be idempotent. By
    /// default it does nothing, and the state is kept for the one cluster alone.
    async fn set_instance_status(
        &self,
        _instance: HexId,
        _status: InstanceStatus,
    ) -> Result<bool, PortError> {
        Ok(false)
    }

    /// Whether its instances were registered in their cluster by somebody, who has to deregister them before the
    /// cluster can be deleted. No by default: where all clusters share the nodes there are, nodes are no reason
    /// to keep a cluster.
    fn registers_instances(&self) -> bool {
        false
    }
}
