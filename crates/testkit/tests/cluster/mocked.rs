//! What is asked of the ports, and in which order.

use std::sync::Arc;

use kecs_domain::arn::cluster_ref;
use kecs_domain::capacity_provider::Providers;
use kecs_domain::cluster::{Cluster, ClusterCounts, PerLaunchType};
use kecs_domain::model::CreateClusterRequest;
use kecs_domain::pagination::Page;
use kecs_domain::{ErrorCode, Scope};
use kecs_usecases::ports::{
    MockClock, MockClusterStore, MockIdGenerator, MockOrchestrator, MockResourceStore, MockServiceStore,
    MockTaskDefinitionStore, MockTaskStore, MockTokenStore, MockUnitOfWork, MockWake, NoLogs, NoShell,
    PortError, Version, Versioned,
};
use kecs_usecases::{Context, Ecs, Ports};
use serde_json::json;

use crate::support::{from, refused};

/// Mocks of every port, none of which expects a call.
fn mocks() -> (MockClusterStore, MockUnitOfWork, MockOrchestrator) {
    (MockClusterStore::new(), MockUnitOfWork::new(), MockOrchestrator::new())
}

fn over(clusters: MockClusterStore, unit_of_work: MockUnitOfWork, orchestrator: MockOrchestrator) -> Ecs {
    Ecs::new(Ports {
        clusters: Arc::new(clusters),
        task_definitions: Arc::new(MockTaskDefinitionStore::new()),
        tasks: Arc::new(MockTaskStore::new()),
        services: Arc::new(MockServiceStore::new()),
        tokens: Arc::new(MockTokenStore::new()),
        resources: Arc::new(nothing_chosen()),
        unit_of_work: Arc::new(unit_of_work),
        orchestrator: Arc::new(orchestrator),
        clock: Arc::new(MockClock::new()),
        ids: Arc::new(MockIdGenerator::new()),
        wake: Arc::new(MockWake::new()),
        shell: Arc::new(NoShell),
        logs: Arc::new(NoLogs),
        log_archive: Arc::new(NoLogs),
        exec_sessions: Arc::default(),
    })
}

/// An account that has no settings of its own.
fn nothing_chosen() -> MockResourceStore {
    let mut resources = MockResourceStore::new();
    resources.expect_resources().returning(|keys| Ok(vec![None; keys.len()]));
    resources.expect_list_resources().returning(|_, _| Ok(Page { items: Vec::new(), more: false }));
    resources
}

fn stored(version: u64) -> Versioned<Cluster> {
    let key = cluster_ref(&Scope::new("123456789012", "eu-central-1"), Some("main")).unwrap();
    let cluster =
        Cluster::create(key, &CreateClusterRequest::default(), "disabled", &Providers::default()).unwrap();
    Versioned { value: Arc::new(cluster), version: Version(version) }
}

#[tokio::test]
async fn a_cluster_is_stored_before_its_room_is_made() {
    let (mut clusters, mut unit_of_work, mut orchestrator) = mocks();
    let mut order = mockall::Sequence::new();
    clusters.expect_clusters().times(1).in_sequence(&mut order).returning(|_| Ok(vec![None]));
    unit_of_work.expect_commit().times(1).in_sequence(&mut order).returning(|_| Ok(vec![Version(1)]));
    orchestrator.expect_ensure_cluster().times(1).in_sequence(&mut order).returning(|_| Ok(()));
    clusters.expect_cluster_counts().returning(|_| Ok(ClusterCounts::default()));
    orchestrator.expect_instance_count().returning(|_| Ok(0));
    let ctx = Context::root(Scope::new("123456789012", "eu-central-1"));
    let request = from(json!({"clusterName": "main"}));
    over(clusters, unit_of_work, orchestrator).clusters().create(&ctx, request).await.unwrap();
}

#[tokio::test]
async fn a_lost_race_is_run_again_from_a_fresh_load() {
    let (mut clusters, mut unit_of_work, mut orchestrator) = mocks();
    let mut order = mockall::Sequence::new();
    clusters.expect_clusters().times(1).in_sequence(&mut order).returning(|_| Ok(vec![None]));
    let conflict = |_| Err(PortError::conflict("somebody was faster"));
    unit_of_work.expect_commit().times(1).in_sequence(&mut order).returning(conflict);
    clusters.expect_clusters().times(1).in_sequence(&mut order).returning(|_| Ok(vec![Some(stored(1))]));
    orchestrator.expect_ensure_cluster().times(1).returning(|_| Ok(()));
    clusters.expect_cluster_counts().returning(|_| Ok(ClusterCounts::default()));
    orchestrator.expect_instance_count().returning(|_| Ok(0));
    let ctx = Context::root(Scope::new("123456789012", "eu-central-1"));
    let request = from(json!({"clusterName": "main"}));
    over(clusters, unit_of_work, orchestrator).clusters().create(&ctx, request).await.unwrap();
}

#[tokio::test]
async fn a_service_that_came_in_during_a_delete_keeps_the_cluster() {
    let (mut clusters, mut unit_of_work, mut orchestrator) = mocks();
    let mut order = mockall::Sequence::new();
    clusters.expect_clusters().returning(|_| Ok(vec![Some(stored(1))]));
    orchestrator.expect_registers_instances().return_const(false);
    orchestrator.expect_instance_count().returning(|_| Ok(0));
    let empty = |_: &_| Ok(ClusterCounts::default());
    clusters.expect_cluster_counts().times(1).in_sequence(&mut order).returning(empty);
    let put = |status: &'static str, version: u64| {
        move |changes: kecs_usecases::ports::Changes| {
            let json = changes.puts[0].0.to_json().unwrap();
            assert!(json.contains(&format!("\"status\":\"{status}\"")), "{json}");
            Ok(vec![Version(version)])
        }
    };
    unit_of_work.expect_commit().times(1).in_sequence(&mut order).returning(put("Inactive", 2));
    let one = PerLaunchType { fargate: 1, ..PerLaunchType::default() };
    let full = move |_: &_| Ok(ClusterCounts { active_services: one, ..ClusterCounts::default() });
    clusters.expect_cluster_counts().times(1).in_sequence(&mut order).returning(full);
    unit_of_work.expect_commit().times(1).in_sequence(&mut order).returning(put("Active", 3));
    let ctx = Context::root(Scope::new("123456789012", "eu-central-1"));
    let ecs = over(clusters, unit_of_work, orchestrator);
    let (code, _) = refused(ecs.clusters().delete(&ctx, from(json!({"cluster": "main"}))).await);
    assert_eq!(code, ErrorCode::ClusterContainsServices);
}
