//! One life of the server's process: what would be gone if it died. The store is not part of it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::stream::BoxStream;
use kecs_adapters_sim::SimulatedOrchestrator;
use kecs_adapters_storage::MemoryStore;
use kecs_usecases::ports::{Observation, Orchestrator};
use kecs_usecases::reconcile::Next;
use kecs_usecases::{Ecs, Error, Ports};

use super::client::call::{Answer, Request};
use super::port::{FaultyOrchestrator, FaultyStore};
use super::queue::Queue;
use super::shared::{JobRef, Shared};

/// What a job comes to.
pub(crate) enum Done {
    Api(Result<Answer, Error>),
    Reconciled(Result<Next, Error>),
    Observed(Result<(), Error>),
    Started(Result<(), Error>),
    Resynced(Result<(), Error>),
    Swept(Result<bool, Error>),
}

/// Something that is under way.
pub(crate) struct Job {
    pub(crate) is: JobRef,
    /// The client's call, if it is one.
    pub(crate) request: Option<Request>,
    pub(crate) future: Pin<Box<dyn Future<Output = Done>>>,
}

/// Observations on their way into the store.
pub(crate) struct Intake {
    pub(crate) batch: Vec<Observation>,
    pub(crate) failures: u32,
    /// Not before this time.
    pub(crate) not_before: i64,
    /// Whether they will be taken in a second time.
    pub(crate) doubled: bool,
}

/// See the module.
pub(crate) struct Process {
    pub(crate) ecs: Ecs,
    pub(crate) orchestrator: Arc<SimulatedOrchestrator>,
    observations: Option<BoxStream<'static, Observation>>,
    pub(crate) queue: Queue,
    pub(crate) jobs: Vec<Job>,
    pub(crate) intake: Option<Intake>,
    pub(crate) resync_at: i64,
    pub(crate) sweep_at: i64,
}

impl Process {
    pub(crate) fn new(
        store: &Arc<MemoryStore>,
        orchestrator: Arc<SimulatedOrchestrator>,
        shared: &Arc<Shared>,
        lasts: bool,
    ) -> Self {
        let faulty_store = FaultyStore::new(Arc::clone(store), Arc::clone(shared));
        let faulty = FaultyOrchestrator::new(Arc::clone(&orchestrator), Arc::clone(shared), lasts);
        let ports = Ports::new(
            Arc::new(faulty_store),
            Arc::new(faulty),
            Arc::clone(shared) as _,
            Arc::clone(shared) as _,
            Arc::clone(shared) as _,
        );
        Self {
            ecs: Ecs::new(ports),
            orchestrator,
            observations: None,
            queue: Queue::default(),
            jobs: Vec::new(),
            intake: None,
            resync_at: i64::MAX,
            sweep_at: i64::MAX,
        }
    }

    /// Begins to observe, or begins anew: a snapshot comes first.
    pub(crate) fn observe(&mut self) {
        self.observations = Some(self.orchestrator.observe());
    }

    /// Whether it has come up.
    pub(crate) fn is_up(&self) -> bool {
        self.observations.is_some()
    }

    /// What the orchestrator has to tell at once. Err when it has ended, which it must not.
    pub(crate) fn observed(&mut self) -> Result<Vec<Observation>, ()> {
        let mut batch = Vec::new();
        let Some(stream) = &mut self.observations else { return Ok(batch) };
        let mut context = Context::from_waker(Waker::noop());
        loop {
            match stream.as_mut().poll_next(&mut context) {
                Poll::Ready(Some(observation)) => batch.push(observation),
                Poll::Ready(None) => return Err(()),
                Poll::Pending => return Ok(batch),
            }
        }
    }
}
