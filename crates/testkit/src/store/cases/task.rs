//! Tasks: filters, pages, and what schedulers and retention ask.

use kecs_domain::Scope;
use kecs_domain::arn::ClusterKey;
use kecs_domain::model::LaunchType;
use kecs_domain::name::{HexId, ServiceName};
use kecs_domain::pagination::PageRequest;
use kecs_domain::task::{DesiredStatus, Task, TaskStatus};
use kecs_usecases::ports::store::{Entity, EntityKey};
use kecs_usecases::ports::{Store, TaskQuery, Versioned};

use crate::sample;
use crate::store::{Fixture, create, delete, first, pages, put};

fn main() -> ClusterKey {
    sample::cluster_key("main")
}

fn everything() -> TaskQuery {
    TaskQuery {
        cluster: main(),
        family: None,
        service: None,
        started_by: None,
        desired: None,
        launch_type: None,
        instance: None,
    }
}

async fn list(store: &dyn Store, query: &TaskQuery, limit: usize) -> Vec<u128> {
    let listed = pages(limit, |id: &HexId| *id, |page| store.list_tasks(query, page)).await;
    listed.into_iter().map(HexId::bits).collect()
}

/// In their order; None for one that isn't there.
pub async fn tasks_are_read_in_the_order_asked(store: Fixture) {
    create(&*store, [1, 2, u128::MAX].map(|id| sample::task(&main(), id).into())).await;
    let ids = [2, 99, u128::MAX, 1, 2];
    let found = store.tasks(&ids.map(|id| sample::task_key(&main(), id))).await.unwrap();
    let found: Vec<_> = found.iter().map(|it| it.as_ref().map(|it| it.key.id.bits())).collect();
    assert_eq!(found, [Some(2), None, Some(u128::MAX), Some(1), Some(2)]);
    let elsewhere = store.tasks(&[sample::task_key(&sample::cluster_key("other"), 1)]).await.unwrap();
    assert!(elsewhere[0].is_none());
}

/// A task of each kind that a filter can tell apart.
fn variety() -> Vec<Task> {
    let plain = |id| sample::task(&main(), id);
    let mut other_family = plain(2);
    other_family.definition = sample::definition_key("job", 7);
    let mut by_somebody = plain(4);
    by_somebody.doc.make_mut().started_by = Some("somebody".to_owned());
    let mut by_nobody = plain(5);
    by_nobody.doc.make_mut().started_by = None;
    let mut placed = sample::launched_on(plain(7), Some(LaunchType::Ec2));
    placed.instance = Some(HexId::from_bits(0xabc));
    let elsewhere = sample::task(&sample::cluster_key("other"), 9);
    vec![
        plain(1),
        other_family,
        sample::of_service(plain(3), "api", 1),
        by_somebody,
        by_nobody,
        sample::stopped(plain(6), sample::at(60)),
        placed,
        sample::launched_on(plain(8), None),
        elsewhere,
    ]
}

/// One filter at a time.
pub async fn each_filter_alone(store: Fixture) {
    create(&*store, variety().into_iter().map(Entity::from)).await;
    let cases: [(&str, TaskQuery, &[u128]); 14] = [
        ("none", everything(), &[1, 2, 3, 4, 5, 6, 7, 8]),
        ("cluster", TaskQuery { cluster: sample::cluster_key("other"), ..everything() }, &[9]),
        ("no cluster", TaskQuery { cluster: sample::cluster_key("nowhere"), ..everything() }, &[]),
        ("family", TaskQuery { family: Some(sample::family_name("job")), ..everything() }, &[2]),
        ("no family", TaskQuery { family: Some(sample::family_name("jobs")), ..everything() }, &[]),
        ("service", TaskQuery { service: ServiceName::parse("api"), ..everything() }, &[3]),
        ("startedBy", TaskQuery { started_by: Some("somebody".into()), ..everything() }, &[4]),
        ("no startedBy", TaskQuery { started_by: Some("".into()), ..everything() }, &[]),
        (
            "running",
            TaskQuery { desired: Some(DesiredStatus::Running), ..everything() },
            &[1, 2, 3, 4, 5, 7, 8],
        ),
        ("stopped", TaskQuery { desired: Some(DesiredStatus::Stopped), ..everything() }, &[6]),
        ("ec2", TaskQuery { launch_type: Some(LaunchType::Ec2), ..everything() }, &[7]),
        (
            "fargate",
            TaskQuery { launch_type: Some(LaunchType::Fargate), ..everything() },
            &[1, 2, 3, 4, 5, 6],
        ),
        ("instance", TaskQuery { instance: Some(HexId::from_bits(0xabc)), ..everything() }, &[7]),
        ("no instance", TaskQuery { instance: Some(HexId::from_bits(1)), ..everything() }, &[]),
    ];
    for (name, query, expected) in cases {
        for limit in [1, 3, 100] {
            assert_eq!(list(&*store, &query, limit).await, expected, "{name}, limit {limit}");
        }
    }
}

/// All conditions must hold.
pub async fn filters_together(store: Fixture) {
    let mut entities: Vec<Entity> = Vec::new();
    for id in 0..64_u128 {
        let mut task = sample::task(&main(), id);
        if id & 1 != 0 {
            task = sample::of_service(task, "api", 1);
        }
        if id & 2 != 0 {
            task.definition = sample::definition_key("job", 1);
        }
        if id & 4 != 0 {
            task = sample::launched_on(task, Some(LaunchType::Ec2));
        }
        if id & 8 != 0 {
            task = sample::stopped(task, sample::at(1));
        }
        if id & 16 != 0 {
            task.doc.make_mut().started_by = Some("x".to_owned());
        }
        if id & 32 != 0 {
            task.instance = Some(HexId::from_bits(5));
        }
        entities.push(task.into());
    }
    create(&*store, entities).await;
    for mask in 0..64_u128 {
        let has = |bit: u128| mask & bit != 0;
        let query = TaskQuery {
            cluster: main(),
            service: has(1).then(|| ServiceName::parse("api").unwrap()),
            family: has(2).then(|| sample::family_name("job")),
            launch_type: has(4).then_some(LaunchType::Ec2),
            desired: has(8).then_some(DesiredStatus::Stopped),
            started_by: has(16).then(|| "x".to_owned()),
            instance: has(32).then(|| HexId::from_bits(5)),
        };
        let expected: Vec<u128> = (0..64).filter(|id| id & mask == mask).collect();
        assert_eq!(list(&*store, &query, 7).await, expected, "{query:?}");
    }
}

/// Every page size gives the same list, each item once.
pub async fn pages_cover_everything_once(store: Fixture) {
    // Ids over the whole range, so that text and number would sort differently if one were cut short.
    let ids: Vec<u128> =
        (0..50).map(|n: u128| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)).collect();
    create(&*store, ids.iter().map(|id| sample::task(&main(), *id).into())).await;
    let mut expected = ids;
    expected.sort_unstable();
    for limit in [1, 2, 7, 49, 50, 51] {
        assert_eq!(list(&*store, &everything(), limit).await, expected, "limit {limit}");
    }
}

/// A page begins after its last key, whether or not that still exists.
pub async fn pages_hold_while_tasks_come_and_go(store: Fixture) {
    let even = (0..20_u128).map(|n| 10 * n);
    create(&*store, even.map(|id| sample::task(&main(), id).into())).await;
    let page = store.list_tasks(&everything(), first(5)).await.unwrap();
    assert_eq!(page.items.last().unwrap().bits(), 40);
    assert!(page.more);
    // The last key of the page goes, one comes before it, one directly after it.
    delete(&*store, EntityKey::Task(sample::task_key(&main(), 40))).await;
    create(&*store, [15, 41].map(|id| sample::task(&main(), id).into())).await;
    let request = PageRequest { after: Some(HexId::from_bits(40)), limit: 3 };
    let page = store.list_tasks(&everything(), request).await.unwrap();
    assert_eq!(page.items.iter().map(|id| id.bits()).collect::<Vec<_>>(), [41, 50, 60]);
    // A task that changes its desired status leaves the list of the old one.
    put(&*store, sample::stopped(sample::task(&main(), 50), sample::at(1))).await;
    let running = TaskQuery { desired: Some(DesiredStatus::Running), ..everything() };
    assert!(!list(&*store, &running, 4).await.contains(&50));
}

/// Every task that is not STOPPED, and STOPPED ones that are not accounted for.
pub async fn a_service_sees_its_open_tasks(store: Fixture) {
    let of = |id, service| sample::of_service(sample::task(&main(), id), service, 1);
    let mut accounted = sample::stopped(of(4, "api"), sample::at(1));
    accounted.accounted = true;
    let mut running_and_accounted = of(5, "api");
    running_and_accounted.accounted = true;
    let tasks = [
        of(1, "api"),
        sample::with_status(of(2, "api"), TaskStatus::Deprovisioning),
        sample::stopped(of(3, "api"), sample::at(1)),
        accounted,
        running_and_accounted,
        of(6, "web"),
        sample::task(&main(), 7),
        sample::of_service(sample::task(&sample::cluster_key("other"), 8), "api", 1),
    ];
    create(&*store, tasks.map(Entity::from)).await;
    let open = async |store: &dyn Store| {
        let tasks = store.tasks_of_service(&sample::service_key(&main(), "api")).await.unwrap();
        let mut ids: Vec<_> = tasks.iter().map(|task| task.key.id.bits()).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(open(&*store).await, [1, 2, 3, 5]);
    let mut ended = sample::stopped(of(3, "api"), sample::at(1));
    ended.accounted = true;
    put(&*store, ended).await;
    delete(&*store, EntityKey::Task(sample::task_key(&main(), 1))).await;
    assert_eq!(open(&*store).await, [2, 5]);
    let nowhere = sample::service_key(&sample::cluster_key("nowhere"), "api");
    assert!(store.tasks_of_service(&nowhere).await.unwrap().is_empty());
}

/// Every task of every scope that is not STOPPED, by key.
pub async fn unfinished_tasks_cross_clusters(store: Fixture) {
    let mut clusters = ["b", "a", "c"].map(sample::cluster_key).to_vec();
    clusters.push(ClusterKey::new(Scope::new("000000000001", "us-east-1"), clusters[0].name.clone()));
    clusters.push(ClusterKey::new(Scope::new("123456789012", "ap-south-1"), clusters[0].name.clone()));
    let mut tasks = Vec::new();
    for (n, cluster) in clusters.iter().enumerate() {
        for id in 0..4 {
            let task = sample::task(cluster, id * 100 + n as u128);
            tasks.push(if id == 2 { sample::stopped(task, sample::at(1)) } else { task });
        }
    }
    create(&*store, tasks.iter().cloned().map(Entity::from)).await;
    let mut expected: Vec<_> = tasks.into_iter().filter(|task| task.status != TaskStatus::Stopped).collect();
    expected.sort_by(|a, b| a.key.cmp(&b.key));
    for limit in [1, 2, 4, 15, 16] {
        let found =
            pages(limit, |task: &Versioned<Task>| task.key.clone(), |page| store.unfinished_tasks(page))
                .await;
        let found: Vec<_> = found.into_iter().map(|task| (*task.value).clone()).collect();
        assert_eq!(found, expected, "limit {limit}");
    }
}

/// STOPPED tasks, oldest first; the bound itself is not before.
pub async fn stopped_tasks_are_found_by_age(store: Fixture) {
    let ended = |id, second| sample::stopped(sample::task(&main(), id), sample::at(second));
    let elsewhere = sample::stopped(sample::task(&sample::cluster_key("other"), 9), sample::at(25));
    let tasks = [ended(1, 30), ended(2, 10), ended(3, 20), ended(4, 40), elsewhere, sample::task(&main(), 5)];
    create(&*store, tasks.map(Entity::from)).await;
    let before = async |store: &dyn Store, second, limit| {
        let tasks = store.stopped_before(sample::at(second), limit).await.unwrap();
        tasks.iter().map(|task| task.key.id.bits()).collect::<Vec<_>>()
    };
    assert_eq!(before(&*store, 40, 100).await, [2, 3, 9, 1]);
    assert_eq!(before(&*store, 41, 100).await, [2, 3, 9, 1, 4]);
    assert_eq!(before(&*store, 40, 2).await, [2, 3]);
    assert_eq!(before(&*store, 10, 100).await, [0; 0]);
    delete(&*store, EntityKey::Task(sample::task_key(&main(), 2))).await;
    put(&*store, ended(3, 50)).await;
    assert_eq!(before(&*store, 60, 100).await, [9, 1, 4, 3]);
}
