//! Unit-testing a tool of your own against mocks of the ports.
//!
//! `cargo test -p kecs-usecases --features mocks --example mocked_tool`
//!
//! The tool stops tasks that have been on their way to RUNNING for too long. Its tests need no store and no
//! orchestrator: each mock says what the tool may ask for, and what it is told.

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::time::Duration;

use kecs_domain::model::{DescribeTasksRequest, ListTasksRequest, StopTaskRequest};
use kecs_domain::{EcsError, Timestamp};
use kecs_usecases::{Context, Ecs, Error};

/// Stops the tasks of the default cluster that were made more than `patience` before `now` and don't run yet.
/// Returns how many it stopped.
async fn stop_stuck_tasks(
    ecs: &Ecs,
    ctx: &Context,
    now: Timestamp,
    patience: Duration,
) -> Result<usize, Error> {
    let listed = ecs.tasks().list(ctx, ListTasksRequest::default()).await?;
    let tasks = listed.task_arns.unwrap_or_default();
    if tasks.is_empty() {
        return Ok(0);
    }
    let described = ecs.tasks().describe(ctx, DescribeTasksRequest { tasks, ..Default::default() }).await?;
    let mut stopped = 0;
    for task in described.tasks.unwrap_or_default() {
        let since = task.created_at.ok_or_else(EcsError::server)?;
        if task.started_at.is_none() && now.duration_since(since) > patience {
            let request = StopTaskRequest {
                task: task.task_arn.clone().unwrap_or_default(),
                reason: Some("stuck".into()),
                ..Default::default()
            };
            ecs.tasks().stop(ctx, request).await?;
            stopped += 1;
        }
    }
    Ok(stopped)
}

fn main() {
    println!("run the tests: cargo test -p kecs-usecases --features mocks --example mocked_tool");
    let _ = stop_stuck_tasks;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::executor::block_on;
    use kecs_domain::arn::{ClusterKey, TaskDefinitionKey, TaskKey};
    use kecs_domain::cluster::{Cluster, ClusterSpec, ClusterStatus};
    use kecs_domain::model;
    use kecs_domain::name::{ClusterName, FamilyName, TaskId};
    use kecs_domain::pagination::Page;
    use kecs_domain::task::{DesiredStatus, Task, TaskStatus};
    use kecs_domain::{Doc, Scope};
    use kecs_usecases::ports::{
        Entity, MockClock, MockClusterStore, MockIdGenerator, MockOrchestrator, MockResourceStore,
        MockServiceStore, MockTaskDefinitionStore, MockTaskStore, MockTokenStore, MockUnitOfWork, MockWake,
        NoLogs, NoShell, Version, Versioned,
    };
    use kecs_usecases::{Ports, WakeQueue};

    use super::*;

    fn scope() -> Scope {
        Scope::new("123456789012", "eu-central-1")
    }

    fn cluster() -> ClusterKey {
        ClusterKey::new(scope(), ClusterName::parse("default").unwrap())
    }

    fn task(id: u128, created_at: i64, started_at: Option<i64>) -> Versioned<Task> {
        let key = TaskKey { cluster: cluster(), id: TaskId::from_bits(id) };
        let doc = model::Task {
            task_arn: Some(key.arn()),
            created_at: Some(Timestamp::from_millis(created_at)),
            started_at: started_at.map(Timestamp::from_millis),
            ..Default::default()
        };
        let definition =
            TaskDefinitionKey { scope: scope(), family: FamilyName::parse("web").unwrap(), revision: 1 };
        let value = Task {
            key,
            doc: Doc::new(doc),
            tags: Vec::new(),
            status: if started_at.is_some() { TaskStatus::Running } else { TaskStatus::Pending },
            desired: DesiredStatus::Running,
            definition,
            service: None,
            daemon: None,
            instance: None,
            launch: Arc::default(),
            protected_until: None,
            accepted: true,
            accounted: false,
            by_agent: false,
        };
        Versioned { value: Arc::new(value), version: Version(1) }
    }

    /// ECS over mocks: a store with `tasks`, and a unit of work that expects `stops` tasks to be asked to stop.
    fn ecs(tasks: Vec<Versioned<Task>>, stops: usize) -> Ecs {
        let mut clusters = MockClusterStore::new();
        let stored = Cluster {
            key: cluster(),
            status: ClusterStatus::Active,
            settings: ClusterSpec::default(),
            tags: Vec::new(),
        };
        clusters.expect_clusters().returning(move |_| {
            Ok(vec![Some(Versioned { value: Arc::new(stored.clone()), version: Version(1) })])
        });
        let mut store = MockTaskStore::new();
        let ids = tasks.iter().map(|task| task.key.id).collect::<Vec<_>>();
        store.expect_list_tasks().returning(move |_, _| Ok(Page { items: ids.clone(), more: false }));
        store.expect_tasks().returning(move |keys| {
            Ok(keys.iter().map(|key| tasks.iter().find(|task| task.key == *key).cloned()).collect())
        });
        let mut unit_of_work = MockUnitOfWork::new();
        unit_of_work
            .expect_commit()
            .withf(|changes| {
                matches!(&changes.puts[..], [(Entity::Task(task), _)] if task.desired == DesiredStatus::Stopped)
            })
            .times(stops)
            .returning(|_| Ok(vec![Version(2)]));
        let mut wake = MockWake::new();
        wake.expect_wake().times(stops).return_const(());
        Ecs::new(Ports {
            clusters: Arc::new(clusters),
            task_definitions: Arc::new(MockTaskDefinitionStore::new()),
            tasks: Arc::new(store),
            services: Arc::new(MockServiceStore::new()),
            tokens: Arc::new(MockTokenStore::new()),
            resources: Arc::new(MockResourceStore::new()),
            unit_of_work: Arc::new(unit_of_work),
            orchestrator: Arc::new(MockOrchestrator::new()),
            clock: Arc::new(MockClock::new()),
            ids: Arc::new(MockIdGenerator::new()),
            wake: Arc::new(wake),
            shell: Arc::new(NoShell),
            logs: Arc::new(NoLogs),
            log_archive: Arc::new(NoLogs),
            exec_sessions: Arc::default(),
        })
    }

    fn stopped(tasks: Vec<Versioned<Task>>, stops: usize) -> usize {
        let now = Timestamp::from_millis(600_000);
        let ctx = Context::root(scope());
        block_on(stop_stuck_tasks(&ecs(tasks, stops), &ctx, now, Duration::from_secs(300))).unwrap()
    }

    #[test]
    fn a_task_that_never_started_is_stopped() {
        assert_eq!(stopped(vec![task(1, 0, None)], 1), 1);
    }

    #[test]
    fn running_and_young_tasks_are_left_alone() {
        assert_eq!(stopped(vec![task(1, 0, Some(1_000)), task(2, 500_000, None)], 0), 0);
    }

    #[test]
    fn without_tasks_nothing_is_described() {
        assert_eq!(stopped(Vec::new(), 0), 0);
        // The queue that a real embedder would use instead of the mock keeps nothing here either.
        assert!(WakeQueue::new().take().is_none());
    }
}
