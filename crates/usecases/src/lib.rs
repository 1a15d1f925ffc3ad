//! The ECS operations as use cases, the reconcilers that carry them out, and the ports that both need.
//!
//! Embedding: build [`Ecs`] from [`Ports`], then call operations: `ecs.tasks().run(&ctx, request).await`. Nothing in
//! here spawns a task, sleeps, reads the clock or an environment variable, or needs a particular async runtime: the
//! caller drives the reconcilers ([`Ecs::reconciler`]) and feeds them what the orchestrator observes.

pub mod cluster;
pub mod container_instance;
pub mod context;
pub mod coverage;
pub mod ports;
mod queue;
pub mod reconcile;
pub mod service;
pub mod tag;
pub mod task;
pub mod task_definition;

pub use context::{Context, Error, Ports, Result};
pub use queue::WakeQueue;

/// The whole of ECS over a set of ports. Cheap to clone.
#[derive(Clone)]
pub struct Ecs {
    ports: Ports,
}

impl Ecs {
    /// ECS over `ports`.
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// The operations on clusters.
    pub fn clusters(&self) -> cluster::Clusters<'_> {
        cluster::Clusters::new(&self.ports)
    }

    /// The operations on container instances, and those of their agents.
    pub fn container_instances(&self) -> container_instance::ContainerInstances<'_> {
        container_instance::ContainerInstances::new(&self.ports)
    }

    /// The operations on task definitions.
    pub fn task_definitions(&self) -> task_definition::TaskDefinitions<'_> {
        task_definition::TaskDefinitions::new(&self.ports)
    }

    /// The operations on tasks.
    pub fn tasks(&self) -> task::Tasks<'_> {
        task::Tasks::new(&self.ports)
    }

    /// The operations on services, their deployments and revisions.
    pub fn services(&self) -> service::Services<'_> {
        service::Services::new(&self.ports)
    }

    /// The operations on tags.
    pub fn tags(&self) -> tag::Tags<'_> {
        tag::Tags::new(&self.ports)
    }

    /// What makes the stored wishes come true.
    pub fn reconciler(&self) -> reconcile::Reconciler<'_> {
        reconcile::Reconciler::new(&self.ports)
    }
}
