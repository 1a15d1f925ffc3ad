//! The simulated orchestrator behind the door.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use kecs_adapters_sim::SimulatedOrchestrator;
use kecs_domain::EcsError;
use kecs_domain::arn::{ClusterKey, TaskKey};
use kecs_domain::model;
use kecs_usecases::ports::{Instance, Launch, Observation, Orchestrator, PortError, StopOrder};

use crate::simulation::plant::Plant;
use crate::simulation::shared::{Place, Shared};

/// An orchestrator whose calls take time, fail, and may be the last thing that the process does.
pub(crate) struct FaultyOrchestrator {
    inner: Arc<SimulatedOrchestrator>,
    shared: Arc<Shared>,
    /// Whether it outlives the process, as Kubernetes does: then there is nothing to restore.
    lasts: bool,
}

impl FaultyOrchestrator {
    pub(crate) fn new(inner: Arc<SimulatedOrchestrator>, shared: Arc<Shared>, lasts: bool) -> Self {
        Self { inner, shared, lasts }
    }

    fn note(&self, what: &str, task: &TaskKey) {
        let mut shared = self.shared.lock();
        let number = shared.job.number;
        shared.trace.line(format_args!("  #{number} {what} {}", task.id));
    }
}

#[async_trait]
impl Orchestrator for FaultyOrchestrator {
    fn check(&self, definition: &model::TaskDefinition) -> Result<(), EcsError> {
        self.inner.check(definition)
    }

    fn untranslated(&self, launch: &Launch) -> Vec<String> {
        self.inner.untranslated(launch)
    }

    async fn ensure_cluster(&self, cluster: &ClusterKey) -> Result<(), PortError> {
        self.shared.pass(Place::Order("ensure")).await?;
        self.inner.ensure_cluster(cluster).await?;
        self.shared.pass(Place::Done("ensure")).await
    }

    async fn delete_cluster(&self, cluster: &ClusterKey) -> Result<(), PortError> {
        self.shared.pass(Place::Order("delete")).await?;
        self.inner.delete_cluster(cluster).await?;
        self.shared.pass(Place::Done("delete")).await
    }

    async fn launch(&self, launch: Launch) -> Result<(), PortError> {
        self.shared.pass(Place::Order("launch")).await?;
        self.note("launches", &launch.task.key);
        self.inner.launch(launch).await?;
        self.shared.pass(Place::Done("launch")).await
    }

    async fn stop(&self, order: StopOrder) -> Result<(), PortError> {
        self.shared.pass(Place::Order("stop")).await?;
        self.note("stops", &order.task);
        self.inner.stop(order).await?;
        self.shared.pass(Place::Done("stop")).await
    }

    async fn forget(&self, task: &TaskKey) -> Result<(), PortError> {
        self.shared.pass(Place::Order("forget")).await?;
        self.note("forgets", task);
        if self.shared.lock().plant != Some(Plant::NeverForget) {
            self.inner.forget(task).await?;
        }
        self.shared.pass(Place::Done("forget")).await
    }

    async fn restore(&self, tasks: Vec<Launch>) -> Result<(), PortError> {
        self.shared.pass(Place::Order("restore")).await?;
        if !self.lasts {
            self.inner.restore(tasks).await?;
        }
        self.shared.pass(Place::Done("restore")).await
    }

    fn observe(&self) -> BoxStream<'static, Observation> {
        self.inner.observe()
    }

    async fn instances(&self, cluster: &ClusterKey) -> Result<Vec<Instance>, PortError> {
        self.shared.pass(Place::Order("instances")).await?;
        self.inner.instances(cluster).await
    }

    async fn instance_count(&self, cluster: &ClusterKey) -> Result<usize, PortError> {
        self.shared.pass(Place::Order("instance_count")).await?;
        self.inner.instance_count(cluster).await
    }

    fn registers_instances(&self) -> bool {
        self.inner.registers_instances()
    }
}
