//! Opens the orchestrator that the configuration asks for.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures::FutureExt;
use futures::future::{BoxFuture, pending};
use kecs_adapters_k8s::KubernetesOrchestrator;
use kecs_adapters_sim::SimulatedOrchestrator;
use kecs_usecases::ports::{Clock, Logs, Orchestrator, Shell};

use crate::config;

/// An orchestrator that is open.
pub(super) struct Opened {
    /// The port.
    pub(super) port: Arc<dyn Orchestrator>,
    /// Commands inside of its containers.
    pub(super) shell: Arc<dyn Shell>,
    /// What its containers write.
    pub(super) logs: Arc<dyn Logs>,
    /// What must be polled for it to work; it doesn't end.
    pub(super) drive: BoxFuture<'static, ()>,
}

/// Opens it.
///
/// # Errors
/// When it can't be set up or reached: the message says what to do.
pub(super) async fn open(orchestrator: &config::Orchestrator, clock: &Arc<dyn Clock>) -> Result<Opened> {
    match orchestrator {
        config::Orchestrator::Simulated(options) => {
            let simulation = SimulatedOrchestrator::new(options.clone(), Arc::clone(clock))
                .context("the simulation can't be set up")?;
            let simulation = Arc::new(simulation);
            let driven = Arc::clone(&simulation);
            Ok(Opened {
                port: simulation.clone(),
                shell: simulation.clone(),
                logs: simulation,
                drive: async move { driven.run().await }.boxed(),
            })
        }
        config::Orchestrator::Kubernetes(options) => {
            // Its watches are driven by whoever observes it.
            let port = Arc::new(KubernetesOrchestrator::connect(options.clone()).await?);
            Ok(Opened { port: port.clone(), shell: port.clone(), logs: port, drive: pending().boxed() })
        }
    }
}
