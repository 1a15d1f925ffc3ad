//! ECS Exec over a store in memory: what is promised, to whom, and for how long.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::channel::mpsc;
use kecs_adapters_storage::MemoryStore;
use kecs_domain::cluster::Cluster;
use kecs_domain::model::CreateClusterRequest;
use kecs_domain::task::Task;
use kecs_domain::{ErrorCode, Scope, Timestamp};
use kecs_testkit::sample;
use kecs_usecases::exec::NotStarted;
use kecs_usecases::ports::{
    Changes, Clock, Entity, Exec, Expect, IdGenerator, MockShell, Output, PortError, Process, Shell,
    UnitOfWork, Wake, WakeKey,
};
use kecs_usecases::{Context, Ecs, Ports};
use parking_lot::Mutex;
use serde_json::{Value, json};
use support::{Rooms, assert_refused, from, refused, wire};

const BASE: &str = "ws://here:1";

/// Time as it is told, and numbers.
#[derive(Default)]
struct Told(AtomicI64);

impl Clock for Told {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + self.0.load(Ordering::Relaxed))
    }
}

struct Count(AtomicI64);

impl IdGenerator for Count {
    fn bits(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed).unsigned_abs())
    }
}

struct Nobody;

impl Wake for Nobody {
    fn wake(&self, _: Vec<WakeKey>) {}
}

/// A shell that remembers what it was asked to run.
#[derive(Default)]
struct Remembers {
    connected: Mutex<Option<Result<bool, PortError>>>,
    failure: Mutex<Option<PortError>>,
    ran: Mutex<Vec<Vec<String>>>,
}

#[async_trait]
impl Shell for Remembers {
    async fn is_connected(&self, _: &Task, _: &str) -> Result<bool, PortError> {
        self.connected.lock().clone().unwrap_or(Ok(true))
    }

    async fn start(&self, exec: Exec) -> Result<Process, PortError> {
        assert!(!format!("{exec:?}").contains("hunter2"), "a command doesn't show");
        if let Some(failure) = self.failure.lock().clone() {
            return Err(failure);
        }
        self.ran.lock().push(exec.command);
        let output = futures::stream::iter([Output::Exited(0)]).boxed();
        Ok(Process { input: mpsc::channel(1).0, output })
    }
}

struct World {
    ecs: Ecs,
    ctx: Context,
    store: Arc<MemoryStore>,
    clock: Arc<Told>,
    shell: Arc<Remembers>,
    task: String,
}

impl World {
    /// A cluster with one task, which runs with ECS Exec.
    async fn new() -> Self {
        let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(Told::default()));
        let shell = Arc::new(Remembers::default());
        let ids = Arc::new(Count(AtomicI64::new(1)));
        let ports =
            Ports::new(store.clone(), Arc::new(Rooms::default()), clock.clone(), ids, Arc::new(Nobody))
                .with_shell(shell.clone());
        let ctx = Context::root(Scope::new("123456789012", "eu-central-1"));
        let task = running();
        let arn = task.key.arn();
        let cluster = Cluster::create(
            task.key.cluster.clone(),
            &CreateClusterRequest::default(),
            "disabled",
            &kecs_domain::capacity_provider::Providers::default(),
        )
        .unwrap();
        let definition = sample::task_definition("web", 1);
        let world = Self { ecs: Ecs::new(ports), ctx, store, clock, shell, task: arn };
        world.put([cluster.into(), definition.into(), task.into()]).await;
        world
    }

    async fn put(&self, entities: impl IntoIterator<Item = Entity>) {
        let puts = entities.into_iter().map(|entity| (entity, Expect::Any)).collect();
        self.store.commit(Changes { puts, ..Changes::default() }).await.unwrap();
    }

    fn request(&self, members: Value) -> kecs_domain::model::ExecuteCommandRequest {
        let mut all =
            json!({"cluster": "main", "task": self.task, "command": "sh -c hunter2", "interactive": true});
        for (name, value) in members.as_object().unwrap() {
            all[name] = value.clone();
        }
        from(all)
    }

    /// A promise: the session's id and token.
    async fn promise(&self) -> (String, String) {
        let answer = wire(self.ecs.exec().execute(&self.ctx, self.request(json!({})), BASE).await);
        let text = |name: &str| answer["session"][name].as_str().unwrap().to_owned();
        assert!(text("streamUrl").starts_with(&format!("{BASE}/v1/data-channel/{}", text("sessionId"))));
        (text("sessionId"), text("tokenValue"))
    }

    fn wait(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::Relaxed);
    }
}

fn running() -> Task {
    let scope = json!({"account": "123456789012", "region": "eu-central-1"});
    let id = format!("{:032x}", 7);
    let agent = json!({"name": "ExecuteCommandAgent", "lastStatus": "RUNNING"});
    from(json!({
        "key": {"cluster": {"scope": scope, "name": "main"}, "id": id},
        "doc": {
            "enableExecuteCommand": true,
            "containers": [{"name": "app", "lastStatus": "RUNNING", "managedAgents": [agent]}],
        },
        "status": "RUNNING",
        "desired": "RUNNING",
        "definition": {"scope": scope, "family": "web", "revision": 1},
        "launch": {},
    }))
}

#[tokio::test]
async fn a_session_is_good_once_and_for_a_minute() {
    let world = World::new().await;
    let exec = world.ecs.exec();
    let (id, token) = world.promise().await;
    let (late, other) = world.promise().await;
    world.wait(59_999);
    assert!(exec.redeem(&id, &other).is_none());
    let ticket = exec.redeem(&id, &token).unwrap();
    assert_eq!((ticket.task.arn(), &*ticket.container), (world.task.clone(), "app"));
    assert!(exec.redeem(&id, &token).is_none());
    world.wait(1);
    assert!(exec.redeem(&late, &other).is_none(), "expired");
}

#[tokio::test]
async fn the_command_is_taken_apart_and_runs_when_the_session_is_opened() {
    let world = World::new().await;
    let (id, token) = world.promise().await;
    assert!(world.shell.ran.lock().is_empty());
    let ticket = world.ecs.exec().redeem(&id, &token).unwrap();
    let mut process = world.ecs.exec().start(&ticket).await.unwrap();
    assert_eq!(*world.shell.ran.lock(), [["sh", "-c", "hunter2"]]);
    assert_eq!(process.output.next().await, Some(Output::Exited(0)));
}

#[tokio::test]
async fn what_can_not_be_started_is_told_in_words_for_the_user() {
    let world = World::new().await;
    let (id, token) = world.promise().await;
    let ticket = world.ecs.exec().redeem(&id, &token).unwrap();
    let told = |failure: PortError| {
        *world.shell.failure.lock() = Some(failure);
        async { world.ecs.exec().start(&ticket).await.unwrap_err().0 }
    };
    assert!(told(PortError::permanent("no such program")).await.ends_with("start command: no such program"));
    let internal = told(PortError::transient("10.0.0.1 refused")).await;
    assert_eq!(internal, "The execute command failed due to an internal error. Try again later.");
    for command in ["'", "''\\"] {
        let ticket = kecs_usecases::exec::Ticket { command: command.to_owned(), ..ticket.clone() };
        let NotStarted(why) = world.ecs.exec().start(&ticket).await.unwrap_err();
        assert!(why.contains("quotes"), "{why}");
    }
}

#[tokio::test]
async fn a_task_that_ends_meanwhile_takes_its_sessions_with_it() {
    let world = World::new().await;
    let (id, token) = world.promise().await;
    let ticket = world.ecs.exec().redeem(&id, &token).unwrap();
    let stopped = Task { status: kecs_domain::task::TaskStatus::Stopped, ..running() };
    world.put([stopped.into()]).await;
    let NotStarted(why) = world.ecs.exec().start(&ticket).await.unwrap_err();
    assert!(why.contains("isn’t running"), "{why}");
    let again = world.ecs.exec().execute(&world.ctx, world.request(json!({})), BASE).await;
    assert_eq!(refused(again).0, ErrorCode::InvalidParameter);
}

#[tokio::test]
async fn a_container_that_should_be_there_and_is_not_is_not_connected() {
    let world = World::new().await;
    for seen in [Ok(false), Err(PortError::transient("no answer"))] {
        *world.shell.connected.lock() = Some(seen);
        assert_refused(
            world.ecs.exec().execute(&world.ctx, world.request(json!({})), BASE).await,
            ErrorCode::TargetNotConnected,
            "The execute command failed due to an internal error. Try again later.",
        );
    }
}

#[tokio::test]
async fn without_a_shell_nothing_is_connected() {
    let world = World::new().await;
    let ids = Arc::new(Count(AtomicI64::new(1)));
    let orchestrator = Arc::new(Rooms::default());
    let ports = Ports::new(world.store.clone(), orchestrator, world.clock.clone(), ids, Arc::new(Nobody));
    let answer = Ecs::new(ports).exec().execute(&world.ctx, world.request(json!({})), BASE).await;
    assert_eq!(refused(answer).0, ErrorCode::TargetNotConnected);
}

#[tokio::test]
async fn what_is_wrong_with_the_request_comes_before_anything_is_looked_up() {
    let world = World::new().await;
    // None of these reaches the shell.
    let ports = Ports::new(
        world.store.clone(),
        Arc::new(Rooms::default()),
        world.clock.clone(),
        Arc::new(Count(AtomicI64::new(1))),
        Arc::new(Nobody),
    );
    let ecs = Ecs::new(ports.with_shell(Arc::new(MockShell::new())));
    let nowhere = json!("nowhere");
    for (members, code, words) in [
        (
            json!({"interactive": false, "cluster": nowhere}),
            ErrorCode::InvalidParameter,
            "Interactive is the only",
        ),
        (json!({"command": " ", "cluster": nowhere}), ErrorCode::InvalidParameter, "command"),
        (json!({"command": "a".repeat(65_537), "cluster": nowhere}), ErrorCode::InvalidParameter, "command"),
        (json!({"task": "nope", "cluster": nowhere}), ErrorCode::ClusterNotFound, "Cluster not found."),
        (json!({"task": "nope"}), ErrorCode::InvalidParameter, "taskId length"),
        (json!({"task": "1".repeat(32)}), ErrorCode::InvalidParameter, "The referenced task was not found."),
        (json!({"container": "nope"}), ErrorCode::InvalidParameter, "nope"),
    ] {
        let (found, message) =
            refused(ecs.exec().execute(&world.ctx, world.request(members.clone()), BASE).await);
        assert_eq!(found, code, "{members}");
        assert!(message.contains(words), "{message}");
    }
}
