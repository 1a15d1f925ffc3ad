//! Random histories against a plain model: every answer after every few commits.
//!
//! A failure prints the seed; `KECS_SEED=... cargo test random_histories` runs the same history again.

use std::fmt::Debug;

use kecs_domain::cluster::ClusterStatus;
use kecs_domain::model::{LaunchType, ResourceManagementType, SchedulingStrategy, ServiceDeploymentStatus};
use kecs_domain::name::HexId;
use kecs_domain::service::{ServiceDeployment, ServiceStatus};
use kecs_domain::task::{DesiredStatus, Task, TaskStatus};
use kecs_domain::task_definition::TaskDefinitionState;
use kecs_usecases::ports::store::{Entity, EntityKey, FamilyQuery, ServiceDeploymentQuery};
use kecs_usecases::ports::{
    Changes, Expect, ServiceQuery, Store, TaskDefinitionQuery, TaskQuery, Version, Versioned,
};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::sample;
use crate::store::model::Model;
use crate::store::{Fixture, pages};

/// Commits of a history.
const COMMITS: usize = 250;
/// Commits between two comparisons of every answer.
const BETWEEN: usize = 10;

const CLUSTERS: [&str; 3] = ["a", "b", "B"];
const FAMILIES: [&str; 4] = ["web", "web-2", "we", "x"];
const SERVICES: [&str; 3] = ["api", "api_2", "Api"];
const LAUNCH_TYPES: [Option<LaunchType>; 3] = [None, Some(LaunchType::Ec2), Some(LaunchType::Fargate)];

/// The whole contract at once, in an order nobody thought of.
pub async fn random_histories_agree_with_a_plain_model(store: Fixture) {
    let seed = crate::store::seed();
    let mut random = StdRng::seed_from_u64(seed);
    let mut model = Model::default();
    for n in 1..=COMMITS {
        let changes = changes(&mut random, &model);
        let allowed = model.allows(&changes);
        match store.commit(changes.clone()).await {
            Ok(versions) => {
                assert!(allowed, "seed {seed}, commit {n} had to be refused: {changes:?}");
                for ((entity, _), version) in changes.puts.iter().zip(&versions) {
                    let old = model.version(&entity.key());
                    assert!(old.is_none_or(|old| old < *version), "seed {seed}, commit {n}: a version fell");
                }
                model.apply(changes, &versions);
            }
            Err(error) => {
                assert!(error.is_conflict(), "seed {seed}, commit {n}: {error}");
                assert!(!allowed, "seed {seed}, commit {n} had to be made: {error}");
            }
        }
        if n % BETWEEN == 0 {
            compare(&mut random, &*store, &model, &format!("seed {seed}, after commit {n}")).await;
        }
    }
}

fn pick<T: Copy>(random: &mut StdRng, from: &[T]) -> T {
    *from.choose(random).expect("there is something to choose from")
}

fn maybe<T>(random: &mut StdRng, make: impl FnOnce(&mut StdRng) -> T) -> Option<T> {
    random.random_bool(0.4).then(|| make(random))
}

fn entity(random: &mut StdRng) -> Entity {
    let cluster = sample::cluster_key(pick(random, &CLUSTERS));
    let service = sample::service_key(&cluster, pick(random, &SERVICES));
    let second = random.random_range(0..50);
    match random.random_range(0..10) {
        0 => {
            let mut it = sample::cluster(cluster.name.as_str());
            it.status =
                pick(random, &[ClusterStatus::Active, ClusterStatus::Active, ClusterStatus::Inactive]);
            it.into()
        }
        1 => sample::family(pick(random, &FAMILIES), random.random_range(1..9)).into(),
        2 => {
            let mut it = sample::task_definition(pick(random, &FAMILIES), random.random_range(1..12));
            it.state = pick(
                random,
                &[
                    TaskDefinitionState::Active,
                    TaskDefinitionState::Inactive,
                    TaskDefinitionState::DeleteInProgress,
                ],
            );
            it.into()
        }
        3 => {
            let it = sample::scheduled(
                sample::service(&cluster, service.name.as_str()),
                pick(random, &LAUNCH_TYPES),
                pick(random, SchedulingStrategy::ALL),
            );
            let status =
                pick(random, &[ServiceStatus::Active, ServiceStatus::Draining, ServiceStatus::Inactive]);
            sample::with_service_status(it, status).into()
        }
        4 => {
            let id = pick(random, &["p", "q", "Q", "r", "_"]);
            let status = pick(random, ServiceDeploymentStatus::ALL);
            sample::service_deployment(&service, id, sample::at(second / 10), status).into()
        }
        5 => sample::token(&cluster, "RunTask", pick(random, &["1", "2", "3"]), sample::at(second)).into(),
        _ => task(random).into(),
    }
}

fn task(random: &mut StdRng) -> Task {
    let cluster = sample::cluster_key(pick(random, &CLUSTERS));
    let id = random.random_range(0..25_u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let mut it = sample::launched_on(sample::task(&cluster, id), pick(random, &LAUNCH_TYPES));
    it.definition.family = sample::family_name(pick(random, &FAMILIES));
    it.doc.make_mut().started_by = maybe(random, |random| pick(random, &["x", "y"]).to_owned());
    if random.random() {
        it = sample::of_service(it, pick(random, &SERVICES), random.random_range(0..3));
    }
    it.instance = maybe(random, |random| HexId::from_bits(random.random_range(0..3)));
    it.accounted = random.random();
    it.desired = pick(random, &[DesiredStatus::Running, DesiredStatus::Stopped]);
    let status = pick(random, &TaskStatus::ALL);
    if status == TaskStatus::Stopped {
        let at = sample::at(random.random_range(0..50));
        let desired = it.desired;
        it = sample::stopped(it, at);
        it.desired = desired;
    } else {
        it = sample::with_status(it, status);
    }
    it
}

fn expect(random: &mut StdRng, model: &Model, key: &EntityKey) -> Expect {
    match random.random_range(0..20) {
        0 => Expect::Absent,
        1 => Expect::Version(Version(random.random_range(1..COMMITS as u64))),
        2..8 => Expect::Any,
        _ => model.version(key).map_or(Expect::Absent, Expect::Version),
    }
}

fn changes(random: &mut StdRng, model: &Model) -> Changes {
    let mut changes = Changes::new();
    let mut named: Vec<EntityKey> = Vec::new();
    for _ in 0..random.random_range(1..6) {
        let entity = entity(random);
        let key = entity.key();
        if named.contains(&key) {
            continue;
        }
        let expect = expect(random, model, &key);
        match random.random_range(0..10) {
            0 | 1 => changes.deletes.push((key.clone(), expect)),
            2 => changes.requires.push((key.clone(), expect)),
            _ => changes.puts.push((entity, expect)),
        }
        named.push(key);
    }
    changes
}

/// The first `limit` of a list that the model has whole.
fn assert_starts_with<T: Debug + PartialEq>(found: &[T], whole: &[T], limit: usize, what: &str) {
    assert_eq!(found, &whole[..limit.min(whole.len())], "{what}");
}

async fn compare(random: &mut StdRng, store: &dyn Store, model: &Model, when: &str) {
    compare_entities(store, model, when).await;
    let scope = sample::scope();
    let limit = random.random_range(1..12);
    let found = pages(limit, Clone::clone, |page| store.list_clusters(&scope, page)).await;
    assert_eq!(found, model.list_clusters(&scope), "{when}: clusters");
    let found =
        pages(limit, |task: &Versioned<Task>| task.key.clone(), |page| store.unfinished_tasks(page)).await;
    let keys: Vec<_> = found.iter().map(|task| task.key.clone()).collect();
    assert_eq!(keys, model.unfinished_tasks(), "{when}: unfinished tasks");
    let found = pages(limit, Clone::clone, |page| store.unfinished_services(page)).await;
    assert_eq!(found, model.unfinished_services(), "{when}: unfinished services");

    let before = sample::at(random.random_range(0..60));
    let found = store.stopped_before(before, limit).await.unwrap();
    let times: Vec<_> = found.iter().map(|task| task.doc.stopped_at.unwrap()).collect();
    let whole: Vec<_> = model.stopped_before(before).into_iter().map(|(at, _)| at).collect();
    assert_starts_with(&times, &whole, limit, &format!("{when}: stopped before {before}"));
    let found = store.tokens_before(before, 100).await.unwrap();
    assert_eq!(found.len(), model.tokens_before(before), "{when}: tokens before {before}");

    for name in CLUSTERS {
        let cluster = sample::cluster_key(name);
        let counts = store.cluster_counts(&cluster).await.unwrap();
        assert_eq!(counts, model.counts(&cluster), "{when}: counts of {name}");
        for _ in 0..4 {
            compare_cluster(random, store, model, name, when).await;
        }
    }
    for family in FAMILIES {
        let key = (scope.clone(), sample::family_name(family));
        let found = store.latest_active(&key).await.unwrap().map(|it| it.key.revision);
        assert_eq!(found, model.latest_active(&key), "{when}: latest of {family}");
        let query = TaskDefinitionQuery {
            scope: scope.clone(),
            family: maybe(random, |_| key.1.clone()),
            state: pick(
                random,
                &[
                    TaskDefinitionState::Active,
                    TaskDefinitionState::Inactive,
                    TaskDefinitionState::DeleteInProgress,
                ],
            ),
            descending: random.random(),
        };
        let found = pages(limit, Clone::clone, |page| store.list_task_definitions(&query, page)).await;
        assert_eq!(found, model.list_definitions(&query), "{when}: {query:?}");
        let query = FamilyQuery {
            scope: scope.clone(),
            prefix: pick(random, &["", "w", "we", "web", "web-", "y"]).to_owned(),
            active: maybe(random, Rng::random),
        };
        let found = pages(limit, Clone::clone, |page| store.list_families(&query, page)).await;
        assert_eq!(found, model.list_families(&query), "{when}: {query:?}");
    }
}

async fn compare_cluster(random: &mut StdRng, store: &dyn Store, model: &Model, name: &str, when: &str) {
    let cluster = sample::cluster_key(name);
    let service = sample::service_key(&cluster, pick(random, &SERVICES));
    let limit = random.random_range(1..12);
    let query = TaskQuery {
        cluster: cluster.clone(),
        family: maybe(random, |random| sample::family_name(pick(random, &FAMILIES))),
        service: maybe(random, |_| service.name.clone()),
        started_by: maybe(random, |random| pick(random, &["x", "y", "z"]).to_owned()),
        desired: maybe(random, |random| pick(random, &[DesiredStatus::Running, DesiredStatus::Stopped])),
        launch_type: maybe(random, |random| pick(random, &[LaunchType::Ec2, LaunchType::Fargate])),
        instance: maybe(random, |random| HexId::from_bits(random.random_range(0..3))),
    };
    let found = pages(limit, Clone::clone, |page| store.list_tasks(&query, page)).await;
    assert_eq!(found, model.list_tasks(&query), "{when}: {query:?}");

    let tasks = store.tasks_of_service(&service).await.unwrap();
    let mut found: Vec<_> = tasks.iter().map(|task| task.key.clone()).collect();
    found.sort();
    assert_eq!(found, model.tasks_of_service(&service), "{when}: tasks of {service:?}");

    let query = ServiceQuery {
        cluster,
        launch_type: maybe(random, |random| pick(random, &[LaunchType::Ec2, LaunchType::Fargate])),
        scheduling_strategy: maybe(random, |random| pick(random, SchedulingStrategy::ALL)),
        management: maybe(random, |random| pick(random, ResourceManagementType::ALL)),
    };
    let found = pages(limit, Clone::clone, |page| store.list_services(&query, page)).await;
    assert_eq!(found, model.list_services(&query), "{when}: {query:?}");

    let query = ServiceDeploymentQuery {
        service,
        status: (0..random.random_range(0..4)).map(|_| pick(random, ServiceDeploymentStatus::ALL)).collect(),
        created_after: maybe(random, |random| sample::at(random.random_range(0..5))),
        created_before: maybe(random, |random| sample::at(random.random_range(0..5))),
    };
    let key = |it: &Versioned<ServiceDeployment>| (it.created_at(), it.key.id.clone());
    let found = pages(limit, key, |page| store.list_service_deployments(&query, page)).await;
    assert_eq!(
        found.iter().map(key).collect::<Vec<_>>(),
        model.list_deployments(&query),
        "{when}: {query:?}"
    );
}

/// Every entity of the model is in the store, the same and with the same version.
async fn compare_entities(store: &dyn Store, model: &Model, when: &str) {
    for (key, (entity, version)) in &model.entities {
        let found: Option<(Entity, Version)> = match key {
            EntityKey::Cluster(key) => {
                let found = store.clusters(std::slice::from_ref(key)).await.unwrap().remove(0);
                found.map(|it| (Entity::Cluster(it.value), it.version))
            }
            EntityKey::Family(key) => {
                store.family(key).await.unwrap().map(|it| (Entity::Family(it.value), it.version))
            }
            EntityKey::TaskDefinition(key) => store
                .task_definition(key)
                .await
                .unwrap()
                .map(|it| (Entity::TaskDefinition(it.value), it.version)),
            EntityKey::Task(key) => {
                let found = store.tasks(std::slice::from_ref(key)).await.unwrap().remove(0);
                found.map(|it| (Entity::Task(it.value), it.version))
            }
            EntityKey::Service(key) => {
                let found = store.services(std::slice::from_ref(key)).await.unwrap().remove(0);
                found.map(|it| (Entity::Service(it.value), it.version))
            }
            EntityKey::ServiceDeployment(key) => store
                .service_deployment(key)
                .await
                .unwrap()
                .map(|it| (Entity::ServiceDeployment(it.value), it.version)),
            EntityKey::ServiceRevision(key) => store
                .service_revision(key)
                .await
                .unwrap()
                .map(|it| (Entity::ServiceRevision(it.value), it.version)),
            EntityKey::Token(key) => {
                store.token(key).await.unwrap().map(|it| (Entity::Token(it.value), it.version))
            }
            EntityKey::Resource(key) => {
                let found = store.resources(std::slice::from_ref(key)).await.unwrap().remove(0);
                found.map(|it| (Entity::Resource(it.value), it.version))
            }
        };
        assert_eq!(found.as_ref(), Some(&(entity.clone(), *version)), "{when}: {key:?}");
    }
}
