//! What the tests of the use cases share: ECS over a store in memory, with an orchestrator that only remembers.

#![allow(dead_code, reason = "each test target uses a part of it")]

pub(crate) mod web;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use kecs_adapters_storage::MemoryStore;
use kecs_domain::arn::{ClusterKey, TaskKey};
use kecs_domain::error::EcsError;
use kecs_domain::name::HexId;
use kecs_domain::{ErrorCode, Scope, Timestamp, model};
use kecs_usecases::ports::{
    Changes, Clock, Entity, Expect, IdGenerator, Instance, InstanceStatus, Launch, Observation, Orchestrator,
    PortError, StopOrder, UnitOfWork, Wake, WakeKey,
};
use kecs_usecases::{Context, Ecs, Error, Ports};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// ECS over a store in memory.
pub(crate) struct World {
    pub(crate) ecs: Ecs,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) orchestrator: Arc<Rooms>,
    pub(crate) ctx: Context,
}

impl World {
    pub(crate) fn new() -> Self {
        let (store, orchestrator) = (Arc::new(MemoryStore::new()), Arc::new(Rooms::default()));
        let counter = Arc::new(Counter::default());
        let ports =
            Ports::new(store.clone(), orchestrator.clone(), counter.clone(), counter, Arc::new(Nobody));
        let ctx = Context::root(Scope::new("123456789012", "eu-central-1"));
        Self { ecs: Ecs::new(ports), store, orchestrator, ctx }
    }

    /// Puts entities into the store as they are.
    pub(crate) async fn put(&self, entities: impl IntoIterator<Item = Entity>) {
        let puts = entities.into_iter().map(|entity| (entity, Expect::Any)).collect();
        self.store.commit(Changes { puts, ..Changes::default() }).await.unwrap();
    }
}

/// Reads a request, or anything else, from JSON.
#[track_caller]
pub(crate) fn from<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// An answer as it goes over the wire.
#[track_caller]
pub(crate) fn wire(response: Result<impl serde::Serialize, Error>) -> Value {
    serde_json::to_value(response.unwrap()).unwrap()
}

/// What ECS said instead of an answer.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(response: Result<T, Error>) -> (ErrorCode, String) {
    match response.unwrap_err() {
        Error::Ecs(error) => (error.code, error.message),
        Error::Port(error) => panic!("a port failed: {error}"),
    }
}

#[track_caller]
pub(crate) fn assert_refused<T: std::fmt::Debug>(response: Result<T, Error>, code: ErrorCode, message: &str) {
    assert_eq!(refused(response), (code, message.to_owned()));
}

/// A task with this status in the cluster `main`, `number` in its id.
pub(crate) fn task(number: u32, status: &str, launch_type: &str) -> Entity {
    let scope = json!({"account": "123456789012", "region": "eu-central-1"});
    let task: kecs_domain::task::Task = from(json!({
        "key": {"cluster": {"scope": scope, "name": "main"}, "id": format!("{number:032x}")},
        "doc": {"launchType": launch_type},
        "status": status,
        "desired": if status == "STOPPED" { "STOPPED" } else { "RUNNING" },
        "definition": {"scope": scope, "family": "web", "revision": 1},
        "launch": {},
    }));
    task.into()
}

/// A service in the cluster `main`: `Active`, `Draining` or `Inactive`.
pub(crate) fn service(name: &str, status: &str, launch_type: &str) -> Entity {
    let scope = json!({"account": "123456789012", "region": "eu-central-1"});
    let service: kecs_domain::service::Service = from(json!({
        "key": {"cluster": {"scope": scope, "name": "main"}, "name": name},
        "status": status,
        "spec": {"launchType": launch_type},
        "deployments": [],
        "events": [],
        "running": 0,
        "pending": 0,
        "last_completed": null,
        "steady": true,
    }));
    service.into()
}

/// Time that passes by a second with each look at it, and identifiers that count.
#[derive(Default)]
struct Counter(AtomicU64);

impl Clock for Counter {
    fn now(&self) -> Timestamp {
        let seconds = self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_millis(1_700_000_000_000 + i64::try_from(seconds).unwrap() * 1000)
    }
}

impl IdGenerator for Counter {
    fn bits(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

struct Nobody;

impl Wake for Nobody {
    fn wake(&self, _: Vec<WakeKey>) {}
}

/// An orchestrator that makes rooms for clusters, and runs nothing.
#[derive(Default)]
pub(crate) struct Rooms {
    /// `ensure NAME` and `delete NAME`, in order.
    pub(crate) calls: Mutex<Vec<String>>,
    pub(crate) instances: Mutex<Vec<Instance>>,
    /// Whether its instances were registered by somebody.
    pub(crate) registers: Mutex<bool>,
    /// Whether it cordons its instances.
    pub(crate) cordons: Mutex<bool>,
    /// What it says of every task definition.
    pub(crate) complaint: Mutex<Option<EcsError>>,
    /// What of a task it doesn't do. With any, it takes tasks.
    pub(crate) notes: Mutex<Vec<String>>,
    /// How it fails.
    pub(crate) failure: Mutex<Option<PortError>>,
}

impl Rooms {
    fn call(&self, what: &str, cluster: &ClusterKey) -> Result<(), PortError> {
        self.calls.lock().push(format!("{what} {}", cluster.name));
        self.failure.lock().clone().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Orchestrator for Rooms {
    fn check(&self, _: &model::TaskDefinition) -> Result<(), EcsError> {
        self.complaint.lock().clone().map_or(Ok(()), Err)
    }

    async fn ensure_cluster(&self, cluster: &ClusterKey) -> Result<(), PortError> {
        self.call("ensure", cluster)
    }

    async fn delete_cluster(&self, cluster: &ClusterKey) -> Result<(), PortError> {
        self.call("delete", cluster)
    }

    fn untranslated(&self, _: &Launch) -> Vec<String> {
        self.notes.lock().clone()
    }

    async fn launch(&self, _: Launch) -> Result<(), PortError> {
        if self.notes.lock().is_empty() {
            return Err(PortError::permanent("this orchestrator runs nothing"));
        }
        Ok(())
    }

    async fn stop(&self, _: StopOrder) -> Result<(), PortError> {
        Ok(())
    }

    async fn forget(&self, _: &TaskKey) -> Result<(), PortError> {
        Ok(())
    }

    async fn restore(&self, _: Vec<Launch>) -> Result<(), PortError> {
        Ok(())
    }

    fn observe(&self) -> BoxStream<'static, Observation> {
        futures::stream::pending().boxed()
    }

    async fn instances(&self, _: &ClusterKey) -> Result<Vec<Instance>, PortError> {
        Ok(self.instances.lock().clone())
    }

    async fn set_instance_status(&self, id: HexId, status: InstanceStatus) -> Result<bool, PortError> {
        self.failure.lock().clone().map_or(Ok(()), Err)?;
        let cordons = *self.cordons.lock();
        for instance in self.instances.lock().iter_mut().filter(|instance| cordons && instance.id == id) {
            instance.status = status;
        }
        Ok(cordons)
    }

    fn registers_instances(&self) -> bool {
        *self.registers.lock()
    }
}
