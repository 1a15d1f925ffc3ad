//! The contract suite of the orchestrators: the same cases run against the simulated one and against Kubernetes.
//!
//! A harness says how a container is made that behaves as a case needs it, lets time pass, and brings about faults.
//! The cases know nothing of labels, images or clocks. [`orchestrator_contract`](crate::orchestrator_contract) makes
//! a test of each.

pub mod build;
pub mod cases;
pub mod invariants;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kecs_domain::Timestamp;
use kecs_domain::arn::{ClusterKey, TaskKey};
use kecs_domain::model::ContainerDefinition;
use kecs_domain::name::TaskId;
use kecs_usecases::ports::{Launch, Logs, Orchestrator};

pub use build::{ContainerExt, Recipe};
pub use watch::{Latest, Watch};

/// How a container behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// Runs until it is stopped; SIGTERM ends it at once with exit code 0.
    Run,
    /// As `Run`, but SIGTERM does nothing.
    IgnoreSigterm,
    /// Ends by itself.
    Exit {
        /// So long after its start.
        after: Duration,
        /// With this exit code.
        code: u8,
    },
    /// Writes the lines `one`, `two` and `three` at its start; then as `Run`.
    Says,
    /// Its image can't be pulled.
    PullFailure,
    /// The kernel ends it, soon after its start, because it takes too much memory.
    OutOfMemory,
    /// As `Run`, with a health check that passes.
    Healthy,
    /// As `Run`, with a health check that fails.
    Unhealthy,
    /// As `Run`, with a health check that passes first, long enough to be seen, and then fails.
    TurnsUnhealthy,
    /// As `Run`, with a health check that fails first, long enough to be seen, and then passes.
    TurnsHealthy,
    /// Ends at once: with 0 if this condition of a shell holds inside, else with 1. Needs [`Ability::Programs`].
    Test(&'static str),
}

/// What not every harness can bring about. A case that needs it is passed over where it is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    /// A node can be lost.
    LoseNode,
    /// A node can be drained.
    DrainNode,
    /// Containers run real programs, so that it can be seen what they are given.
    Programs,
}

/// Something that can be true of what is observed.
pub type Condition<'a> = dyn Fn(&Latest) -> bool + Sync + 'a;

/// An orchestrator under test with everything around it. Each case gets one of its own.
#[async_trait]
pub trait OrchestratorHarness: Send + Sync {
    /// The orchestrator; another one after [`OrchestratorHarness::restart`].
    fn orchestrator(&self) -> Arc<dyn Orchestrator>;

    /// The logs of the same orchestrator.
    fn logs(&self) -> Arc<dyn Logs>;

    /// The cluster that the case works in.
    fn cluster(&self) -> ClusterKey;

    /// The orchestrator's time.
    fn now(&self) -> Timestamp;

    /// A task id that was not used before.
    fn fresh_id(&self) -> TaskId;

    /// An essential container called `name` that behaves so.
    fn container(&self, name: &str, script: Script) -> ContainerDefinition;

    /// Whether this can be brought about.
    fn can(&self, ability: Ability) -> bool;

    /// Lets time pass until `holds` is true of what is observed, and returns that. Must panic with `what`, and
    /// what was seen last, if that doesn't happen within `within`, and on a violation of [`invariants`].
    async fn until(&self, what: &str, within: Duration, holds: &Condition<'_>) -> Latest;

    /// Lets time pass, and returns what was observed by then.
    async fn wait(&self, time: Duration) -> Latest;

    /// The process dies, and another one is told that `tasks` should exist and observes anew.
    async fn restart(&self, tasks: Vec<Launch>);

    /// Somebody else deletes the task at the orchestrator.
    async fn delete_task(&self, key: &TaskKey);

    /// There is a secret of that name in Secrets Manager or Parameter Store; its value has these members. Needs
    /// [`Ability::Programs`].
    async fn put_secret(&self, name: &str, members: &[(&str, &str)]);

    /// There is a file of variables at this place (`BUCKET/PATH`) in S3. Needs [`Ability::Programs`].
    async fn put_file(&self, place: &str, variables: &[(&str, &str)]);

    /// The node of that name dies.
    async fn lose_node(&self, host: &str);

    /// The node of that name is drained.
    async fn drain_node(&self, host: &str);
}
