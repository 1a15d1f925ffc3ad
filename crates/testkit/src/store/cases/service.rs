//! Services, service deployments, service revisions.

use kecs_domain::arn::{ServiceDeploymentKey, ServiceKey, ServiceRevisionKey};
use kecs_domain::model::{LaunchType, ResourceManagementType, SchedulingStrategy, ServiceDeploymentStatus};
use kecs_domain::name::{DeploymentId, ServiceName};
use kecs_domain::service::ServiceStatus;
use kecs_usecases::ports::store::{Entity, EntityKey, ServiceDeploymentQuery};
use kecs_usecases::ports::{ServiceQuery, Store};

use crate::sample;
use crate::store::{Fixture, create, delete, pages, put};

fn web() -> ServiceKey {
    sample::service_key(&sample::cluster_key("main"), "web")
}

/// ACTIVE services by name.
pub async fn services_are_listed_by_launch_type_and_strategy(store: Fixture) {
    use SchedulingStrategy::{Daemon, Replica};
    let main = sample::cluster_key("main");
    let (ec2, fargate) = (Some(LaunchType::Ec2), Some(LaunchType::Fargate));
    let all = [
        ("e", ec2, Replica),
        ("d", fargate, Replica),
        ("c", ec2, Daemon),
        ("b", None, Replica),
        ("a", ec2, Daemon),
    ];
    let mut services: Vec<Entity> = Vec::new();
    for (name, launch_type, strategy) in all {
        services.push(sample::scheduled(sample::service(&main, name), launch_type, strategy).into());
    }
    for (name, status) in [("x", ServiceStatus::Draining), ("y", ServiceStatus::Inactive)] {
        services.push(sample::with_service_status(sample::service(&main, name), status).into());
    }
    services.push(sample::service(&sample::cluster_key("other"), "z").into());
    create(&*store, services).await;
    let list = async |store: &dyn Store, launch_type, scheduling_strategy, limit| {
        let query =
            ServiceQuery { cluster: main.clone(), launch_type, scheduling_strategy, management: None };
        let listed = pages(limit, ServiceName::clone, |page| store.list_services(&query, page)).await;
        listed.iter().map(|name| name.to_string()).collect::<Vec<_>>().join("")
    };
    for limit in [1, 2, 5, 100] {
        assert_eq!(list(&*store, None, None, limit).await, "abcde");
        assert_eq!(list(&*store, ec2, None, limit).await, "ace");
        assert_eq!(list(&*store, None, Some(Replica), limit).await, "bde");
        assert_eq!(list(&*store, ec2, Some(Replica), limit).await, "e");
        assert_eq!(list(&*store, Some(LaunchType::External), None, limit).await, "");
    }
    let mut express = sample::scheduled(sample::service(&main, "e"), ec2, Replica);
    express.spec.resource_management_type = Some(ResourceManagementType::Ecs);
    put(&*store, express).await;
    for (management, names) in
        [(ResourceManagementType::Ecs, "e"), (ResourceManagementType::Customer, "abcd")]
    {
        let query = ServiceQuery {
            cluster: main.clone(),
            launch_type: None,
            scheduling_strategy: None,
            management: Some(management),
        };
        let listed = pages(2, ServiceName::clone, |page| store.list_services(&query, page)).await;
        assert_eq!(listed.iter().map(ToString::to_string).collect::<Vec<_>>().join(""), names);
    }
    put(&*store, sample::scheduled(sample::service(&main, "a"), fargate, Replica)).await;
    put(&*store, sample::with_service_status(sample::service(&main, "b"), ServiceStatus::Draining)).await;
    delete(&*store, EntityKey::Service(sample::service_key(&main, "c"))).await;
    assert_eq!(list(&*store, None, None, 2).await, "ade");
    assert_eq!(list(&*store, fargate, Some(Replica), 2).await, "ad");
}

/// Every service of every scope that is not INACTIVE, by key.
pub async fn unfinished_services_cross_clusters(store: Fixture) {
    let mut services = Vec::new();
    for cluster in ["b", "a"] {
        let cluster = sample::cluster_key(cluster);
        services.push(sample::service(&cluster, "two"));
        services.push(sample::with_service_status(sample::service(&cluster, "one"), ServiceStatus::Draining));
        services
            .push(sample::with_service_status(sample::service(&cluster, "zero"), ServiceStatus::Inactive));
    }
    create(&*store, services.iter().cloned().map(Entity::from)).await;
    let mut expected: Vec<_> =
        services.into_iter().filter(|it| it.status != ServiceStatus::Inactive).map(|it| it.key).collect();
    expected.sort();
    for limit in [1, 2, 3, 4] {
        let found = pages(limit, ServiceKey::clone, |page| store.unfinished_services(page)).await;
        assert_eq!(found, expected, "limit {limit}");
    }
}

async fn deployments(store: &dyn Store, query: &ServiceDeploymentQuery, limit: usize) -> String {
    let key = |it: &kecs_usecases::ports::Versioned<kecs_domain::service::ServiceDeployment>| {
        (it.created_at(), it.key.id.clone())
    };
    let listed = pages(limit, key, |page| store.list_service_deployments(query, page)).await;
    listed.iter().map(|it| it.key.id.as_str()).collect::<Vec<_>>().join(" ")
}

fn all_of(service: ServiceKey) -> ServiceDeploymentQuery {
    ServiceDeploymentQuery { service, status: Vec::new(), created_after: None, created_before: None }
}

/// Newest first; by id where the times are the same.
pub async fn service_deployments_are_listed_newest_first(store: Fixture) {
    let made = [("a", 10), ("b", 30), ("c", 20), ("B", 20), ("_", 20), ("d", 5)];
    let deployment = |id, second| {
        sample::service_deployment(&web(), id, sample::at(second), ServiceDeploymentStatus::InProgress)
    };
    create(&*store, made.map(|(id, second)| deployment(id, second).into())).await;
    let other = sample::service_key(&sample::cluster_key("main"), "web2");
    let elsewhere = sample::service_deployment(&other, "x", sample::at(7), ServiceDeploymentStatus::Pending);
    create(&*store, [elsewhere.into()]).await;
    for limit in [1, 2, 4, 6, 7] {
        assert_eq!(deployments(&*store, &all_of(web()), limit).await, "b c _ B a d", "limit {limit}");
    }
    delete(&*store, EntityKey::ServiceDeployment(ServiceDeploymentKey { service: web(), id: "c".into() }))
        .await;
    put(&*store, deployment("d", 40)).await;
    assert_eq!(deployments(&*store, &all_of(web()), 2).await, "d b _ B a");
    let nowhere = sample::service_key(&sample::cluster_key("main"), "nowhere");
    assert_eq!(deployments(&*store, &all_of(nowhere), 2).await, "");
}

/// By status, and by both ends of time, which count as inside.
pub async fn service_deployments_are_filtered(store: Fixture) {
    use ServiceDeploymentStatus::{InProgress, Pending, Stopped, Successful};
    let made = [("a", 10, Successful), ("b", 20, Stopped), ("c", 30, Successful), ("d", 40, InProgress)];
    let new =
        |(id, second, status)| sample::service_deployment(&web(), id, sample::at(second), status).into();
    create(&*store, made.map(new)).await;
    let all = all_of(web());
    for limit in [1, 2, 10] {
        for (status, after, before, expected) in [
            (vec![], None, None, "d c b a"),
            (vec![Successful], None, None, "c a"),
            (vec![Stopped, InProgress], None, None, "d b"),
            (vec![Pending], None, None, ""),
            (vec![], Some(20), None, "d c b"),
            (vec![], None, Some(30), "c b a"),
            (vec![], Some(20), Some(30), "c b"),
            (vec![Successful], Some(20), Some(30), "c"),
            (vec![], Some(31), Some(30), ""),
        ] {
            let query = ServiceDeploymentQuery {
                status,
                created_after: after.map(sample::at),
                created_before: before.map(sample::at),
                ..all.clone()
            };
            assert_eq!(deployments(&*store, &query, limit).await, expected, "{query:?}");
        }
    }
}

/// Each revision by its number; a service that goes does not take them along.
pub async fn revisions_of_a_service_are_read_back(store: Fixture) {
    let main = sample::cluster_key("main");
    let revision = |id| ServiceRevisionKey { service: web(), id: DeploymentId::from_random(id) };
    let mut entities: Vec<Entity> = vec![sample::service(&main, "web").into()];
    entities.extend((1..4).map(|id| sample::service_revision(&web(), id).into()));
    create(&*store, entities).await;
    delete(&*store, EntityKey::Service(web())).await;
    delete(&*store, EntityKey::ServiceRevision(revision(2))).await;
    for (id, there) in [(1, true), (2, false), (3, true), (4, false)] {
        assert_eq!(store.service_revision(&revision(id)).await.unwrap().is_some(), there, "revision {id}");
    }
    assert!(store.services(&[web()]).await.unwrap()[0].is_none());
}
