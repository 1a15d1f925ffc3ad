//! The simulation behind the orchestrator's port.
//!
//! It is driven from outside: either by [`SimulatedOrchestrator::run`], which sleeps until something is due, or by
//! whoever has a virtual clock and calls [`SimulatedOrchestrator::tick`]. It spawns nothing itself, and none of the
//! port's methods waits for anything, so that a caller who goes away leaves nothing half done.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures::Stream;
use futures::stream::{self, BoxStream, StreamExt as _};
use kecs_domain::Timestamp;
use kecs_domain::arn::{ClusterKey, TaskKey};
use kecs_domain::error::EcsError;
use kecs_domain::model;
use kecs_domain::task::Task;
use kecs_usecases::ports::{
    Clock, Exec, Instance, Launch, LogLine, LogLines, LogQuery, Logs, Observation, Orchestrator, PortError,
    Process, Shell, StopOrder,
};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::engine::Engine;
use crate::fault::FaultError;
use crate::options::{BadOptions, NodeSpec, SimOptions};
use crate::outbox::{Delivery, Outbox};
use crate::script::Script;
use crate::shell;

/// The simulated orchestrator. Nodes are shared by all clusters, as on Kubernetes.
pub struct SimulatedOrchestrator {
    world: Arc<Mutex<World>>,
    clock: Arc<dyn Clock>,
    began_at: Timestamp,
    work: Notify,
}

struct World {
    engine: Engine,
    outbox: Outbox,
    /// Told whenever something has changed, for commands whose container may have ended.
    changes: watch::Sender<()>,
}

impl World {
    fn tick(&mut self, now: Timestamp) {
        let changed = self.engine.advance(now);
        if !changed.is_empty() {
            self.changes.send_replace(());
        }
        self.outbox.push(changed);
    }
}

impl SimulatedOrchestrator {
    /// A simulation without tasks that reads the time from `clock`.
    ///
    /// # Errors
    /// When `options` make no sense.
    pub fn new(options: SimOptions, clock: Arc<dyn Clock>) -> Result<Self, BadOptions> {
        let world =
            World { engine: Engine::new(options)?, outbox: Outbox::default(), changes: watch::channel(()).0 };
        let began_at = clock.now();
        Ok(Self { world: Arc::new(Mutex::new(world)), clock, began_at, work: Notify::new() })
    }

    /// Drives the simulation by the clock, for ever; drop it to stop. Needs a tokio runtime with a timer. Without
    /// it, or somebody who calls [`SimulatedOrchestrator::tick`], tasks are accepted and nothing becomes of them.
    pub async fn run(&self) {
        loop {
            let now = self.clock.now();
            self.tick(now);
            match self.next_deadline() {
                Some(deadline) => {
                    let sleep = tokio::time::sleep(deadline.duration_since(now));
                    tokio::select! {
                        () = sleep => {}
                        () = self.work.notified() => {}
                    }
                }
                None => self.work.notified().await,
            }
        }
    }

    /// Does everything that is due at `now` and tells the observer.
    pub fn tick(&self, now: Timestamp) {
        self.world.lock().tick(now);
    }

    /// When [`SimulatedOrchestrator::tick`] should be called next; None while nothing happens by itself.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.world.lock().engine.next_deadline()
    }

    /// [`Engine::lose_node`]
    ///
    /// # Errors
    /// As there.
    pub fn lose_node(&self, name: &str) -> Result<(), FaultError> {
        self.with(|engine, now| engine.lose_node(now, name))
    }

    /// [`Engine::add_node`]
    ///
    /// # Errors
    /// As there.
    pub fn add_node(&self, spec: NodeSpec) -> Result<(), FaultError> {
        self.with(|engine, now| engine.add_node(now, spec))
    }

    /// [`Engine::drain`]
    ///
    /// # Errors
    /// As there.
    pub fn drain(&self, name: &str) -> Result<(), FaultError> {
        self.with(|engine, now| engine.drain(now, name))
    }

    /// [`Engine::activate`]
    ///
    /// # Errors
    /// As there.
    pub fn activate(&self, name: &str) -> Result<(), FaultError> {
        self.with(|engine, now| engine.activate(now, name))
    }

    /// [`Engine::delete_task`]
    ///
    /// # Errors
    /// As there.
    pub fn delete_task(&self, key: &TaskKey) -> Result<(), FaultError> {
        self.with(|engine, now| engine.delete_task(now, key))
    }

    /// [`Engine::interrupt_spot`]
    ///
    /// # Errors
    /// As there.
    pub fn interrupt_spot(&self, key: &TaskKey) -> Result<(), FaultError> {
        self.with(|engine, now| engine.interrupt_spot(now, key))
    }

    /// [`Engine::crash_container`]
    ///
    /// # Errors
    /// As there.
    pub fn crash_container(&self, key: &TaskKey, container: &str, exit_code: i32) -> Result<(), FaultError> {
        self.with(|engine, now| engine.crash_container(now, key, container, exit_code))
    }

    /// Does something with the engine now, and wakes the driver, for whom there may be work.
    fn with<T>(&self, work: impl FnOnce(&mut Engine, Timestamp) -> T) -> T {
        let now = self.clock.now();
        let result = work(&mut self.world.lock().engine, now);
        self.work.notify_one();
        result
    }
}

/// Ends the observer's stream.
impl Drop for SimulatedOrchestrator {
    fn drop(&mut self) {
        self.world.lock().outbox.close();
    }
}

#[async_trait]
impl Orchestrator for SimulatedOrchestrator {
    fn check(&self, definition: &model::TaskDefinition) -> Result<(), EcsError> {
        Script::compile(definition).map(drop).map_err(|error| EcsError::client(error.to_string()))
    }

    async fn ensure_cluster(&self, _cluster: &ClusterKey) -> Result<(), PortError> {
        // A cluster needs nothing here.
        Ok(())
    }

    async fn delete_cluster(&self, _cluster: &ClusterKey) -> Result<(), PortError> {
        Ok(())
    }

    async fn launch(&self, launch: Launch) -> Result<(), PortError> {
        let launched = self.with(|engine, now| engine.launch(now, &launch));
        launched.map_err(|error| PortError::permanent(error.to_string()))
    }

    async fn stop(&self, order: StopOrder) -> Result<(), PortError> {
        // The stop timeouts and the order are known from the launch.
        self.with(|engine, now| engine.stop(now, &order.task));
        Ok(())
    }

    async fn forget(&self, task: &TaskKey) -> Result<(), PortError> {
        let mut world = self.world.lock();
        world.engine.forget(task);
        world.outbox.forget(task);
        world.changes.send_replace(());
        drop(world);
        // What it held may be what another task waits for.
        self.work.notify_one();
        Ok(())
    }

    async fn restore(&self, tasks: Vec<Launch>) -> Result<(), PortError> {
        self.with(|engine, now| engine.restore(now, &tasks));
        Ok(())
    }

    fn observe(&self) -> BoxStream<'static, Observation> {
        let observer = self.world.lock().outbox.subscribe();
        Box::pin(Observations { world: Arc::clone(&self.world), observer, told: Told::Nothing })
    }

    async fn instances(&self, cluster: &ClusterKey) -> Result<Vec<Instance>, PortError> {
        let mut instances = self.world.lock().engine.instances(cluster.scope.region());
        for instance in &mut instances {
            instance.registered_at = Some(self.began_at);
        }
        Ok(instances)
    }

    async fn instance_count(&self, _cluster: &ClusterKey) -> Result<usize, PortError> {
        Ok(self.world.lock().engine.node_count())
    }
}

#[async_trait]
impl Shell for SimulatedOrchestrator {
    async fn is_connected(&self, task: &Task, container: &str) -> Result<bool, PortError> {
        Ok(self.with(|engine, now| engine.runs(now, &task.key, container)))
    }

    async fn start(&self, exec: Exec) -> Result<Process, PortError> {
        if !self.is_connected(&exec.task, &exec.container).await? {
            return Err(PortError::not_found("the container doesn't run"));
        }
        let (world, clock) = (Arc::clone(&self.world), Arc::clone(&self.clock));
        let (key, container) = (exec.task.key.clone(), exec.container.clone());
        let mut changes = self.world.lock().changes.subscribe();
        let ended = async move {
            loop {
                let now = clock.now();
                if !world.lock().engine.runs(now, &key, &container) || changes.changed().await.is_err() {
                    return;
                }
            }
        };
        shell::start(&exec, ended)
    }
}

#[async_trait]
impl Logs for SimulatedOrchestrator {
    async fn lines(&self, query: LogQuery) -> Result<LogLines, PortError> {
        let key = query.task.key.clone();
        let said = self.with(|engine, now| engine.said(now, &key, &query.container));
        let Some(said) = said else { return Err(PortError::not_found("the container has not started")) };
        let wanted = |at: Timestamp| query.since.is_none_or(|since| at >= since);
        let mut lines: Vec<_> = said.lines.into_iter().filter(|line| wanted(line.at)).collect();
        let last = lines.last().map(|line| line.at).max(query.since).unwrap_or(Timestamp::MIN);
        let more = lines.len().saturating_sub(query.tail.unwrap_or(usize::MAX));
        lines.drain(..more);
        let there = stream::iter(lines.into_iter().map(Ok));
        if !query.follow || said.ended {
            return Ok(there.boxed());
        }
        let changes = self.world.lock().changes.subscribe();
        let follower = Follower {
            world: Arc::clone(&self.world),
            clock: Arc::clone(&self.clock),
            changes,
            key,
            container: query.container,
            last,
        };
        let comes = stream::unfold(follower, |mut follower| async move {
            let lines = follower.next().await?;
            Some((stream::iter(lines.into_iter().map(Ok)), follower))
        });
        Ok(there.chain(comes.flatten()).boxed())
    }
}

/// Somebody who listens to a container.
struct Follower {
    world: Arc<Mutex<World>>,
    clock: Arc<dyn Clock>,
    changes: watch::Receiver<()>,
    key: TaskKey,
    container: String,
    /// The time of the last line that was told.
    last: Timestamp,
}

impl Follower {
    /// The lines that come next; None when there are no more.
    async fn next(&mut self) -> Option<Vec<LogLine>> {
        loop {
            let now = self.clock.now();
            // One that was forgotten has ended.
            let said = self.world.lock().engine.said(now, &self.key, &self.container)?;
            let lines: Vec<_> = said.lines.into_iter().filter(|line| line.at > self.last).collect();
            if let Some(last) = lines.last() {
                self.last = last.at;
                return Some(lines);
            }
            if said.ended {
                return None;
            }
            match said.next {
                Some(next) => {
                    tokio::select! {
                        () = tokio::time::sleep(next.duration_since(now)) => {}
                        changed = self.changes.changed() => changed.ok()?,
                    }
                }
                None => self.changes.changed().await.ok()?,
            }
        }
    }
}

/// The stream of one observer.
struct Observations {
    world: Arc<Mutex<World>>,
    observer: u64,
    told: Told,
}

/// How much of what was there at the beginning an observer was told.
enum Told {
    /// Nothing.
    Nothing,
    /// Which tasks there are, and the state of those before the first of these numbers; the others remain.
    Until(Range<u64>),
    /// Everything.
    All,
}

/// How many tasks of a snapshot are told together: what the use cases store in one commit.
const PIECE: usize = 1_000;

impl Stream for Observations {
    type Item = Observation;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Observation>> {
        let this = self.get_mut();
        let mut world = this.world.lock();
        // What has changed meanwhile waits in the outbox in its latest state, so nothing older comes after this.
        if let Told::Until(rest) = &mut this.told
            && world.outbox.is_for(this.observer)
        {
            match world.engine.some_of(rest, PIECE) {
                Some(some) => return Poll::Ready(Some(Observation::Changed(some))),
                None => this.told = Told::All,
            }
        }
        match world.outbox.take(this.observer, context.waker()) {
            Delivery::Snapshot => {
                this.told = Told::Until(0..world.engine.next_number());
                Poll::Ready(Some(Observation::Snapshot(world.engine.keys())))
            }
            Delivery::Changed(changed) => Poll::Ready(Some(Observation::Changed(changed))),
            Delivery::Nothing => Poll::Pending,
            Delivery::End => Poll::Ready(None),
        }
    }
}
