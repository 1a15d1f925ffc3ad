//! Logs of tasks that end: taken over before the orchestrator lets go, and no reason to hold a task back.

mod support;

use std::sync::Arc;

use futures::{FutureExt as _, StreamExt as _, stream};
use kecs_adapters_storage::{KeptLogs, MemoryStore};
use kecs_domain::arn::TaskKey;
use kecs_domain::task::{Task, TaskStatus};
use kecs_domain::{ErrorCode, Timestamp};
use kecs_testkit::sample;
use kecs_usecases::logs::LogRequest;
use kecs_usecases::ports::{
    Changes, Entity, Expect, LogArchive as _, LogLine, MockClock, MockIdGenerator, MockLogArchive, MockLogs,
    MockOrchestrator, MockWake, PortError, UnitOfWork as _, WakeKey,
};
use kecs_usecases::{Context, Ecs, Ports};
use support::refused;

fn line(text: &str) -> LogLine {
    LogLine { at: Timestamp::from_millis(7), text: text.to_owned() }
}

/// A stored task that has ended, of the one container `web`.
async fn ended(store: &MemoryStore) -> TaskKey {
    let cluster = sample::cluster("main");
    let mut task: Task = sample::task(&cluster.key, 1);
    task.status = TaskStatus::Stopped;
    let key = task.key.clone();
    let puts = [Entity::from(cluster), Entity::from(task)].into_iter().map(|it| (it, Expect::Any)).collect();
    store.commit(Changes { puts, ..Changes::default() }).await.expect("the store takes it");
    key
}

fn names(task: &Task) -> Vec<String> {
    task.doc.containers.iter().flatten().filter_map(|it| it.name.clone()).collect()
}

fn ports(store: &Arc<MemoryStore>, orchestrator: MockOrchestrator) -> Ports {
    let clock = Arc::new(MockClock::new());
    let ids = Arc::new(MockIdGenerator::new());
    Ports::new(store.clone(), Arc::new(orchestrator), clock, ids, Arc::new(MockWake::new()))
}

#[test]
fn logs_are_kept_before_the_task_is_let_go_of_and_can_then_be_read() {
    let work = async {
        let store = Arc::new(MemoryStore::new());
        let key = ended(&store).await;
        let mut order = mockall::Sequence::new();
        let mut logs = MockLogs::new();
        let lines =
            || stream::iter([Ok(line("one")), Ok(line("two")), Err(PortError::transient("cut off"))]).boxed();
        logs.expect_lines()
            .withf(|query| !query.follow && query.tail.is_some())
            .times(1)
            .in_sequence(&mut order)
            .returning(move |_| Ok(lines()));
        let mut orchestrator = MockOrchestrator::new();
        orchestrator.expect_forget().times(1).in_sequence(&mut order).returning(|_| Ok(()));
        // The second time the logs are there already.
        orchestrator.expect_forget().times(1).returning(|_| Ok(()));
        let archive = Arc::new(KeptLogs::in_memory());
        let ecs = Ecs::new(ports(&store, orchestrator).with_logs(Arc::new(logs), archive.clone()));
        for _ in 0..2 {
            ecs.reconciler().reconcile(&WakeKey::Task(key.clone())).await.expect("it is let go of");
        }
        assert!(archive.has(&key));
        let ctx = Context::root(sample::scope());
        let request = LogRequest {
            cluster: Some("main".to_owned()),
            task: key.id.to_string(),
            follow: true,
            tail: Some(1),
            ..LogRequest::default()
        };
        let read = ecs.logs().read(&ctx, request.clone()).await.unwrap_or_else(|error| panic!("{error}"));
        let read: Vec<_> = read.collect().await;
        assert_eq!(read, [Ok(line("two"))], "what came before the failure was kept");
    };
    work.now_or_never().expect("nothing waits");
}

#[test]
fn a_node_that_gives_no_logs_out_does_not_hold_the_task() {
    let work = async {
        let store = Arc::new(MemoryStore::new());
        let key = ended(&store).await;
        let mut logs = MockLogs::new();
        logs.expect_lines().times(1..).returning(|_| Err(PortError::transient("no answer")));
        let mut orchestrator = MockOrchestrator::new();
        orchestrator.expect_forget().times(1).returning(|_| Ok(()));
        let mut archive = MockLogArchive::new();
        archive.expect_has().return_const(false);
        let ecs = Ecs::new(ports(&store, orchestrator).with_logs(Arc::new(logs), Arc::new(archive)));
        ecs.reconciler().reconcile(&WakeKey::Task(key)).await.expect("it is let go of");
    };
    work.now_or_never().expect("nothing waits");
}

#[test]
fn without_logs_a_request_is_refused() {
    let work = async {
        let store = Arc::new(MemoryStore::new());
        let key = ended(&store).await;
        let ecs = Ecs::new(ports(&store, MockOrchestrator::new()));
        let ctx = Context::root(sample::scope());
        let request = |container: Option<&str>| LogRequest {
            cluster: Some("main".to_owned()),
            task: key.id.to_string(),
            container: container.map(str::to_owned),
            ..LogRequest::default()
        };
        let answer = |request| async { ecs.logs().read(&ctx, request).await.map(|_| ()) };
        let (code, message) = refused(answer(request(Some("none"))).await);
        assert_eq!(code, ErrorCode::InvalidParameter);
        assert!(message.starts_with("The container none does not exist in the task."), "{message}");
        let first = names(&sample::task(&key.cluster, 1)).remove(0);
        let (_, message) = refused(answer(request(Some(&first))).await);
        assert_eq!(message, format!("No logs of the container {first} are kept."));
    };
    work.now_or_never().expect("nothing waits");
}
