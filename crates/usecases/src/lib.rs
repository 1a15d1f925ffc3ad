//! The ECS operations as use cases, the reconcilers that carry them out, and the ports that both need.
//!
//! Embedding: build [`Ecs`] from [`Ports`], then call operations: `ecs.tasks().run(&ctx, request).await`. Nothing in
//! here spawns a task, sleeps, reads the clock or an environment variable, or needs a particular async runtime: the
//! caller drives the reconcilers ([`Ecs::reconciler`]) and feeds them what the orchestrator observes.

pub mod account_setting;
pub mod capacity_provider;
pub mod cluster;
pub mod container_instance;
pub mod context;
pub mod coverage;
pub mod daemon;
pub mod daemon_task_definition;
pub mod exec;
pub mod express;
pub mod gateway;
pub mod logs;
pub mod ports;
mod queue;
pub mod reconcile;
pub mod service;
pub mod tag;
pub mod task;
pub mod task_definition;
pub mod task_set;

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

    /// The operations on account settings.
    pub fn account_settings(&self) -> account_setting::AccountSettings<'_> {
        account_setting::AccountSettings::new(&self.ports)
    }

    /// The operations on capacity providers.
    pub fn capacity_providers(&self) -> capacity_provider::CapacityProviders<'_> {
        capacity_provider::CapacityProviders::new(&self.ports)
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

    /// The operations on task sets.
    pub fn task_sets(&self) -> task_set::TaskSets<'_> {
        task_set::TaskSets::new(&self.ports)
    }

    /// The operations on Express services.
    pub fn express(&self) -> express::ExpressServices<'_> {
        express::ExpressServices::new(&self.ports)
    }

    /// The operations on gateways, their associations and their routes.
    pub fn gateways(&self) -> gateway::Gateways<'_> {
        gateway::Gateways::new(&self.ports)
    }

    /// The operations on daemons, their deployments and revisions.
    pub fn daemons(&self) -> daemon::Daemons<'_> {
        daemon::Daemons::new(&self.ports)
    }

    /// The operations on daemon task definitions.
    pub fn daemon_task_definitions(&self) -> daemon_task_definition::DaemonTaskDefinitions<'_> {
        daemon_task_definition::DaemonTaskDefinitions::new(&self.ports)
    }

    /// The operations on tags.
    pub fn tags(&self) -> tag::Tags<'_> {
        tag::Tags::new(&self.ports)
    }

    /// Logs of containers.
    pub fn logs(&self) -> logs::ContainerLogs<'_> {
        logs::ContainerLogs::new(&self.ports)
    }

    /// ECS Exec: commands inside of containers.
    pub fn exec(&self) -> exec::Execs<'_> {
        exec::Execs::new(&self.ports)
    }

    /// What makes the stored wishes come true.
    pub fn reconciler(&self) -> reconcile::Reconciler<'_> {
        reconcile::Reconciler::new(&self.ports)
    }
}
