//! Clusters and their counts.

use kecs_domain::Scope;
use kecs_domain::arn::ClusterKey;
use kecs_domain::cluster::{ClusterCounts, ClusterStatus};
use kecs_domain::model::LaunchType;
use kecs_domain::service::ServiceStatus;
use kecs_domain::task::TaskStatus;
use kecs_usecases::ports::Store;
use kecs_usecases::ports::store::{Entity, EntityKey};

use crate::sample;
use crate::store::{Fixture, create, delete, first, pages, put};

/// In their order; None for one that isn't there.
pub async fn clusters_are_read_in_the_order_asked(store: Fixture) {
    create(&*store, ["a", "b", "c"].map(|name| sample::cluster(name).into())).await;
    let keys = ["c", "nowhere", "a", "c"].map(sample::cluster_key);
    let found = store.clusters(&keys).await.unwrap();
    let names: Vec<_> = found.iter().map(|it| it.as_ref().map(|it| it.key.name.to_string())).collect();
    assert_eq!(names, [Some("c".to_owned()), None, Some("a".to_owned()), Some("c".to_owned())]);
    assert!(store.clusters(&[]).await.unwrap().is_empty());
}

/// ACTIVE clusters by name.
pub async fn only_active_clusters_are_listed(store: Fixture) {
    // Names sort as bytes: capitals, then the underscore, then small letters.
    let names = ["Z", "_", "a", "a-b", "a_b", "ab", "b"];
    create(&*store, names.map(|name| sample::cluster(name).into())).await;
    let mut inactive = sample::cluster("ab");
    inactive.status = ClusterStatus::Inactive;
    put(&*store, inactive).await;
    delete(&*store, EntityKey::Cluster(sample::cluster_key("_"))).await;
    let scope = sample::scope();
    for limit in [1, 2, 3, 100] {
        let listed = pages(limit, Clone::clone, |page| store.list_clusters(&scope, page)).await;
        let listed: Vec<_> = listed.iter().map(|name| name.as_str()).collect();
        assert_eq!(listed, ["Z", "a", "a-b", "a_b", "b"], "limit {limit}");
    }
    put(&*store, sample::cluster("ab")).await;
    assert_eq!(store.list_clusters(&scope, first(100)).await.unwrap().items.len(), 6);
}

/// Counts MUST agree with the stored tasks and services.
pub async fn counts_follow_every_change(store: Fixture) {
    let main = sample::cluster_key("main");
    assert_eq!(store.cluster_counts(&main).await.unwrap(), ClusterCounts::default());
    let counts = async |store: &dyn Store| {
        let counts = store.cluster_counts(&main).await.unwrap();
        (
            counts.running_tasks.total(),
            counts.pending_tasks.total(),
            counts.unfinished_tasks,
            counts.active_services.total(),
            counts.draining_services.total(),
        )
    };
    for (status, expected) in [
        (TaskStatus::Provisioning, (0, 1, 1, 0, 0)),
        (TaskStatus::Pending, (0, 1, 1, 0, 0)),
        (TaskStatus::Activating, (0, 1, 1, 0, 0)),
        (TaskStatus::Running, (1, 0, 1, 0, 0)),
        (TaskStatus::Deactivating, (0, 0, 1, 0, 0)),
        (TaskStatus::Stopping, (0, 0, 1, 0, 0)),
        (TaskStatus::Deprovisioning, (0, 0, 1, 0, 0)),
        (TaskStatus::Stopped, (0, 0, 0, 0, 0)),
    ] {
        put(&*store, sample::with_status(sample::task(&main, 1), status)).await;
        assert_eq!(counts(&*store).await, expected, "{status}");
    }
    let second = sample::task(&main, 2);
    put(&*store, second.clone()).await;
    for (status, expected) in [
        (ServiceStatus::Active, (1, 0, 1, 1, 0)),
        (ServiceStatus::Draining, (1, 0, 1, 0, 1)),
        (ServiceStatus::Inactive, (1, 0, 1, 0, 0)),
        (ServiceStatus::Active, (1, 0, 1, 1, 0)),
    ] {
        put(&*store, sample::with_service_status(sample::service(&main, "web"), status)).await;
        assert_eq!(counts(&*store).await, expected, "{status:?}");
    }
    delete(&*store, EntityKey::Task(second.key)).await;
    delete(&*store, EntityKey::Service(sample::service_key(&main, "web"))).await;
    assert_eq!(counts(&*store).await, (0, 0, 0, 0, 0));
}

/// Tasks and services count for their launch type; without one, as EC2.
pub async fn counts_are_apart_by_launch_type(store: Fixture) {
    let main = sample::cluster_key("main");
    let types = [
        None,
        Some(LaunchType::Ec2),
        Some(LaunchType::Fargate),
        Some(LaunchType::External),
        Some(LaunchType::ManagedInstances),
    ];
    let mut entities: Vec<Entity> = Vec::new();
    for (n, launch_type) in types.into_iter().enumerate() {
        let task = sample::launched_on(sample::task(&main, n as u128), launch_type);
        entities.push(task.clone().into());
        let mut pending = sample::with_status(task, TaskStatus::Pending);
        pending.key = sample::task_key(&main, 100 + n as u128);
        entities.push(pending.into());
        let mut service = sample::service(&main, &format!("s{n}"));
        service.spec.launch_type = launch_type;
        entities.push(service.into());
    }
    create(&*store, entities).await;
    let counts = store.cluster_counts(&main).await.unwrap();
    for per in [counts.running_tasks, counts.pending_tasks, counts.active_services] {
        assert_eq!((per.ec2, per.fargate, per.external, per.managed_instances), (2, 1, 1, 1));
    }
    put(&*store, sample::launched_on(sample::task(&main, 0), Some(LaunchType::Fargate))).await;
    let running = store.cluster_counts(&main).await.unwrap().running_tasks;
    assert_eq!((running.ec2, running.fargate), (1, 2));
}

/// Two scopes never see each other's resources.
pub async fn scopes_are_apart(store: Fixture) {
    let mine = sample::cluster("main");
    let mut others = vec![mine.clone()];
    for (account, region) in [("123456789012", "us-east-1"), ("999999999999", "eu-central-1")] {
        let mut other = mine.clone();
        other.key = ClusterKey::new(Scope::new(account, region), mine.key.name.clone());
        others.push(other);
    }
    let mut entities: Vec<Entity> = Vec::new();
    for cluster in &others {
        entities.push(cluster.clone().into());
        entities.push(sample::task(&cluster.key, 1).into());
    }
    create(&*store, entities).await;
    delete(&*store, EntityKey::Task(sample::task_key(&others[0].key, 1))).await;
    for (n, cluster) in others.iter().enumerate() {
        assert_eq!(store.list_clusters(&cluster.key.scope, first(10)).await.unwrap().items.len(), 1);
        let running = store.cluster_counts(&cluster.key).await.unwrap().running_tasks.total();
        assert_eq!(running, i32::from(n > 0));
    }
}
