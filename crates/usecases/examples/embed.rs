//! ECS inside a program of your own: memory storage, the simulated orchestrator, no HTTP and no async runtime.
//!
//! `cargo run -p kecs-usecases --example embed`
//!
//! The program runs a batch of tasks and a service on a clock that it moves itself, so that hours pass in
//! milliseconds. Nothing in the use cases runs by itself: this loop is the whole driver.

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use futures::StreamExt as _;
use futures::executor::block_on;
use futures::future::FutureExt as _;
use kecs_adapters_sim::{SimOptions, SimulatedOrchestrator};
use kecs_adapters_storage::MemoryStore;
use kecs_domain::model::{
    CreateClusterRequest, CreateServiceRequest, DescribeServicesRequest, DescribeTasksRequest,
    RegisterTaskDefinitionRequest, RunTaskRequest,
};
use kecs_domain::{Scope, Timestamp};
use kecs_usecases::ports::{Clock, IdGenerator, Orchestrator as _};
use kecs_usecases::{Context, Ecs, Ports, WakeQueue};

/// A clock that only moves when it is told to.
struct VirtualClock(AtomicI64);

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// Identifiers from a counter. A program that lives longer than one run takes random ones.
struct Counter(AtomicU64);

impl IdGenerator for Counter {
    fn bits(&self) -> u128 {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        // Spread the counter over all bits, so that short forms of the identifiers differ too.
        u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    }
}

/// Calls the reconcilers until the clock has moved by `seconds`.
fn drive(ecs: &Ecs, sim: &SimulatedOrchestrator, wakes: &WakeQueue, clock: &VirtualClock, seconds: i64) {
    let mut observed = sim.observe();
    for _ in 0..seconds * 10 {
        sim.tick(clock.now());
        while let Some(Some(observation)) = observed.next().now_or_never() {
            block_on(ecs.reconciler().observed(&[observation])).expect("memory doesn't fail");
        }
        while let Some(key) = wakes.take() {
            block_on(ecs.reconciler().reconcile(&key)).expect("memory doesn't fail");
        }
        clock.0.fetch_add(100, Ordering::Relaxed);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Arc::new(VirtualClock(AtomicI64::new(1_700_000_000_000)));
    let sim = Arc::new(SimulatedOrchestrator::new(SimOptions::default(), clock.clone())?);
    let wakes = Arc::new(WakeQueue::new());
    let ecs = Ecs::new(Ports::new(
        Arc::new(MemoryStore::new()),
        sim.clone(),
        clock.clone(),
        Arc::new(Counter(AtomicU64::new(0))),
        wakes.clone(),
    ));
    let ctx = Context::root(Scope::new("123456789012", "eu-central-1"));

    block_on(ecs.clusters().create(&ctx, CreateClusterRequest::default()))?;
    // Requests are plain values: build them in Rust, or read them from the JSON that the aws CLI takes.
    let job: RegisterTaskDefinitionRequest = serde_json::from_value(serde_json::json!({
        "family": "report",
        "containerDefinitions": [{
            "name": "main", "image": "example/report:1", "memory": 64,
            "dockerLabels": {"kecs.dev/sim.run-for": "90s", "kecs.dev/sim.exit-code": "0"}
        }]
    }))?;
    block_on(ecs.task_definitions().register(&ctx, job))?;
    let run = RunTaskRequest { task_definition: "report".into(), count: Some(3), ..Default::default() };
    let started = block_on(ecs.tasks().run(&ctx, run))?;
    let arns: Vec<String> = started.tasks.iter().flatten().filter_map(|task| task.task_arn.clone()).collect();
    println!("started {} tasks", arns.len());

    drive(&ecs, &sim, &wakes, &clock, 120);
    let described = DescribeTasksRequest { tasks: arns, ..Default::default() };
    let described = block_on(ecs.tasks().describe(&ctx, described))?;
    for task in described.tasks.iter().flatten() {
        let exit_code = task.containers.iter().flatten().find_map(|container| container.exit_code);
        println!("{} is {}, exit code {exit_code:?}", task.task_arn(), task.last_status());
        assert_eq!((task.last_status(), exit_code), ("STOPPED", Some(0)));
    }

    let web: RegisterTaskDefinitionRequest = serde_json::from_value(serde_json::json!({
        "family": "web",
        "containerDefinitions": [{"name": "main", "image": "example/web:1", "memory": 64}]
    }))?;
    block_on(ecs.task_definitions().register(&ctx, web))?;
    let service = CreateServiceRequest {
        service_name: "web".into(),
        task_definition: Some("web".into()),
        desired_count: Some(5),
        ..Default::default()
    };
    block_on(ecs.services().create(&ctx, service))?;
    drive(&ecs, &sim, &wakes, &clock, 60);
    let described = DescribeServicesRequest { services: vec!["web".into()], ..Default::default() };
    let described = block_on(ecs.services().describe(&ctx, described))?;
    let service = described.services.iter().flatten().next().ok_or("the service is there")?;
    for event in service.events.iter().flatten().rev() {
        println!("{}", event.message.as_deref().unwrap_or_default());
    }
    assert_eq!(service.running_count, Some(5));
    Ok(())
}

/// Shorter names for what every task has.
trait TaskExt {
    /// The task's ARN.
    fn task_arn(&self) -> &str;
    /// The task's state.
    fn last_status(&self) -> &str;
}

impl TaskExt for kecs_domain::model::Task {
    fn task_arn(&self) -> &str {
        self.task_arn.as_deref().unwrap_or_default()
    }

    fn last_status(&self) -> &str {
        self.last_status.as_deref().unwrap_or_default()
    }
}
