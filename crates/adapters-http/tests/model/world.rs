//! The whole program but for its sockets: the endpoint, the use cases, the memory store, the simulation, and a clock
//! that moves when it is told to.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::FutureExt as _;
use futures::stream::BoxStream;
use http::Request;
use kecs_adapters_http::{EcsApi, Endpoint, EndpointOptions, Metrics, Registry, RequestBody};
use kecs_adapters_sim::{SimOptions, SimulatedOrchestrator};
use kecs_adapters_storage::MemoryStore;
use kecs_domain::Timestamp;
use kecs_usecases::ports::{Clock, IdGenerator, Observation, Orchestrator as _};
use kecs_usecases::{Ecs, Ports, WakeQueue};
use serde_json::Value;

use crate::schema::MODEL;

/// Where a world's time begins.
const BEGINNING: i64 = 1_800_000_000_000;

struct VirtualClock(AtomicI64);

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

struct CountedIds(AtomicU64);

impl IdGenerator for CountedIds {
    fn bits(&self) -> u128 {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    }
}

/// Who asks: an account in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) account: &'static str,
    pub(crate) region: &'static str,
}

/// The one that most tests ask as.
pub(crate) const ME: Who = Who { account: "111122223333", region: "eu-central-1" };

impl Who {
    /// The ARN of something of ECS.
    pub(crate) fn arn(&self, rest: &str) -> String {
        format!("arn:aws:ecs:{}:{}:{rest}", self.region, self.account)
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) size: usize,
    pub(crate) body: Value,
}

impl Answer {
    /// The exception's name and its message.
    pub(crate) fn error(&self) -> (&str, &str) {
        (
            self.body["__type"].as_str().unwrap_or("no error"),
            self.body["message"].as_str().unwrap_or_default(),
        )
    }
}

/// A world.
pub(crate) struct World {
    runtime: tokio::runtime::Runtime,
    endpoint: Endpoint,
    ecs: Ecs,
    sim: Arc<SimulatedOrchestrator>,
    wakes: Arc<WakeQueue>,
    clock: Arc<VirtualClock>,
    observed: RefCell<BoxStream<'static, Observation>>,
}

impl World {
    /// One with nothing in it, whose services take a second to start a task.
    pub(crate) fn new() -> Self {
        let clock = Arc::new(VirtualClock(AtomicI64::new(BEGINNING)));
        let options = SimOptions { start_delay: Duration::from_millis(200), ..SimOptions::default() };
        let sim = Arc::new(SimulatedOrchestrator::new(options, clock.clone()).expect("good options"));
        let wakes = Arc::new(WakeQueue::new());
        let ids = Arc::new(CountedIds(AtomicU64::new(0)));
        let store = Arc::new(MemoryStore::new());
        let ports = Ports::new(store, sim.clone(), clock.clone(), ids, wakes.clone()).with_shell(sim.clone());
        let ecs = Ecs::new(ports);
        let registry = Registry::new().with(Arc::new(EcsApi::new(ecs.clone())));
        let metrics = Arc::new(Metrics::new(&registry));
        let endpoint = Endpoint::new(registry, EndpointOptions::default(), metrics);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let observed = RefCell::new(sim.observe());
        Self { runtime, endpoint, ecs, sim, wakes, clock, observed }
    }

    /// The same API for a server.
    pub(crate) fn api(&self) -> EcsApi {
        EcsApi::new(self.ecs.clone())
    }

    /// Sends a body.
    pub(crate) fn send(&self, who: Who, operation: &str, body: impl Into<Bytes>) -> Answer {
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential={}/20270115/{}/ecs/aws4_request, SignedHeaders=host, Signature=0",
            who.account, who.region
        );
        let request = Request::post("/")
            .header("host", "localhost:4510")
            .header("x-amz-target", format!("AmazonEC2ContainerServiceV20141113.{operation}"))
            .header("authorization", credential)
            .body(RequestBody::Ready(body.into()))
            .expect("a request");
        self.runtime.block_on(async {
            let response = self.endpoint.answer(request).await;
            let status = response.status().as_u16();
            let body =
                http_body_util::BodyExt::collect(response.into_body()).await.expect("never").to_bytes();
            let size = body.len();
            Answer { status, size, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
        })
    }

    /// Asks, and holds the answer to the model.
    pub(crate) fn ask(&self, who: Who, operation: &str, request: &Value) -> Answer {
        let answer = self.send(who, operation, request.to_string());
        let faults = MODEL.operation(operation).faults(answer.status, &answer.body);
        assert!(
            faults.is_empty(),
            "{operation} {request}\n-> {} {}\n{faults:#?}",
            answer.status,
            answer.body
        );
        answer
    }

    /// Asks as [`ME`] for what must succeed.
    pub(crate) fn ok(&self, operation: &str, request: &Value) -> Value {
        self.ok_as(ME, operation, request)
    }

    /// Asks for what must succeed.
    pub(crate) fn ok_as(&self, who: Who, operation: &str, request: &Value) -> Value {
        let answer = self.ask(who, operation, request);
        assert_eq!(answer.status, 200, "{operation} {request}\n-> {}", answer.body);
        answer.body
    }

    /// Lets the time pass, and the reconcilers do what there is to do.
    pub(crate) fn pass(&self, seconds: i64) {
        for _ in 0..seconds * 4 {
            self.step();
            self.clock.0.fetch_add(250, Ordering::Relaxed);
        }
    }

    /// Lets a long time pass at once, and takes away what is too old.
    pub(crate) fn skip(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::Relaxed);
        self.step();
        self.runtime.block_on(self.ecs.reconciler().sweep()).expect("memory doesn't fail");
    }

    fn step(&self) {
        self.sim.tick(self.clock.now());
        let mut observed = self.observed.borrow_mut();
        while let Some(Some(observation)) = observed.next().now_or_never() {
            self.runtime
                .block_on(self.ecs.reconciler().observed(&[observation]))
                .expect("memory doesn't fail");
        }
        // A key that wakes itself again waits for the next step.
        let mut keys = Vec::new();
        while let Some(key) = self.wakes.take() {
            keys.push(key);
        }
        for key in keys {
            self.runtime.block_on(self.ecs.reconciler().reconcile(&key)).expect("memory doesn't fail");
        }
    }
}
