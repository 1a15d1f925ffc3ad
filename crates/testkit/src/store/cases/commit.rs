//! Saving: expectations, atomicity, versions.

use futures::FutureExt;
use kecs_domain::cluster::ClusterCounts;
use kecs_domain::model::ServiceDeploymentStatus;
use kecs_usecases::ports::store::{Entity, EntityKey};
use kecs_usecases::ports::{Changes, Expect, PortErrorKind, Store, Version};

use crate::sample;
use crate::store::{Fixture, create, delete, first, put};

fn cluster(name: &str) -> Entity {
    sample::cluster(name).into()
}

fn key(name: &str) -> EntityKey {
    EntityKey::Cluster(sample::cluster_key(name))
}

async fn version_of(store: &dyn Store, name: &str) -> Option<Version> {
    store.clusters(&[sample::cluster_key(name)]).await.unwrap()[0].as_ref().map(|it| it.version)
}

/// Commits and returns the kind of the refusal.
async fn refusal(store: &dyn Store, changes: Changes) -> PortErrorKind {
    store.commit(changes).await.expect_err("the commit is refused").kind
}

/// Every kind of entity comes back as it went in.
pub async fn what_is_saved_is_read_back_the_same(store: Fixture) {
    let cluster = sample::cluster("main");
    let service = sample::service_key(&cluster.key, "web");
    let family = sample::family("web", 3);
    let definition = sample::task_definition("web", 3);
    let task = sample::of_service(sample::task(&cluster.key, 7), "web", 1);
    let deployment = sample::service_deployment(
        &service,
        "0123456789abcdefghi-_",
        sample::at(1),
        ServiceDeploymentStatus::Pending,
    );
    let revision = sample::service_revision(&service, 1);
    let token = sample::token(&cluster.key, "RunTask", "a/b %\u{e4}\u{1f680}", sample::at(2));
    let web = sample::service(&cluster.key, "web");
    let entities: Vec<Entity> = vec![
        cluster.clone().into(),
        family.clone().into(),
        definition.clone().into(),
        task.clone().into(),
        web.clone().into(),
        deployment.clone().into(),
        revision.clone().into(),
        token.clone().into(),
    ];
    create(&*store, entities).await;

    assert_eq!(
        *store.clusters(std::slice::from_ref(&cluster.key)).await.unwrap()[0].as_ref().unwrap().value,
        cluster
    );
    let family_key = (family.scope.clone(), family.family.clone());
    assert_eq!(*store.family(&family_key).await.unwrap().unwrap().value, family);
    assert_eq!(*store.task_definition(&definition.key).await.unwrap().unwrap().value, definition);
    assert_eq!(*store.tasks(std::slice::from_ref(&task.key)).await.unwrap()[0].as_ref().unwrap().value, task);
    assert_eq!(
        *store.services(std::slice::from_ref(&web.key)).await.unwrap()[0].as_ref().unwrap().value,
        web
    );
    assert_eq!(*store.service_deployment(&deployment.key).await.unwrap().unwrap().value, deployment);
    assert_eq!(*store.service_revision(&revision.key).await.unwrap().unwrap().value, revision);
    assert_eq!(*store.token(&token.key).await.unwrap().unwrap().value, token);
}

/// MUST return Conflict if an expectation does not hold: Absent.
pub async fn an_absent_key_must_be_free(store: Fixture) {
    create(&*store, [cluster("main")]).await;
    let mut again = Changes::new();
    again.create(sample::cluster("main"));
    assert_eq!(refusal(&*store, again).await, PortErrorKind::Conflict);
    delete(&*store, key("main")).await;
    create(&*store, [cluster("main")]).await;
}

/// MUST return Conflict if an expectation does not hold: Version.
pub async fn a_version_must_be_the_stored_one(store: Fixture) {
    let old = create(&*store, [cluster("main")]).await[0];
    let mut update = Changes::new();
    update.update(sample::cluster("main"), old);
    let new = store.commit(update.clone()).await.unwrap()[0];
    assert!(new > old);
    assert_eq!(refusal(&*store, update).await, PortErrorKind::Conflict);
    let mut gone = Changes::new();
    gone.update(sample::cluster("other"), new);
    assert_eq!(refusal(&*store, gone).await, PortErrorKind::Conflict);
    let stale = Changes { deletes: vec![(key("main"), Expect::Version(old))], ..Changes::default() };
    assert_eq!(refusal(&*store, stale).await, PortErrorKind::Conflict);
    let exact = Changes { deletes: vec![(key("main"), Expect::Version(new))], ..Changes::default() };
    store.commit(exact).await.unwrap();
    assert_eq!(version_of(&*store, "main").await, None);
}

/// Expect::Any asks nothing.
pub async fn any_replaces_whatever_is_there(store: Fixture) {
    let first = put(&*store, sample::cluster("main")).await;
    let second = put(&*store, sample::cluster("main")).await;
    assert!(second > first);
    delete(&*store, key("never-there")).await;
    assert_eq!(version_of(&*store, "main").await, Some(second));
}

/// Conditions on entities that are not changed count as well.
pub async fn a_condition_on_another_entity_must_hold(store: Fixture) {
    let version = create(&*store, [cluster("main")]).await[0];
    let main = sample::cluster_key("main");
    let guarded = |expect| Changes {
        puts: vec![(sample::service(&main, "web").into(), Expect::Any)],
        requires: vec![(key("main"), expect)],
        ..Changes::default()
    };
    store.commit(guarded(Expect::Version(version))).await.unwrap();
    put(&*store, sample::cluster("main")).await;
    assert_eq!(refusal(&*store, guarded(Expect::Version(version))).await, PortErrorKind::Conflict);
    assert_eq!(refusal(&*store, guarded(Expect::Absent)).await, PortErrorKind::Conflict);
    store.commit(guarded(Expect::Any)).await.unwrap();
    delete(&*store, key("main")).await;
    store.commit(guarded(Expect::Absent)).await.unwrap();
    assert_eq!(refusal(&*store, guarded(Expect::Version(version))).await, PortErrorKind::Conflict);
}

/// MUST change nothing if one expectation of many does not hold.
pub async fn all_or_nothing(store: Fixture) {
    let kept = create(&*store, [cluster("kept"), cluster("goes")]).await;
    let mut changes = Changes::new();
    changes.create(sample::cluster("new"));
    changes.update(sample::cluster("kept"), kept[0]);
    changes.deletes.push((key("goes"), Expect::Version(kept[1])));
    let mut refused = changes.clone();
    refused.create(sample::cluster("kept-2"));
    refused.require(key("nowhere"), Version(1));
    assert_eq!(refusal(&*store, refused).await, PortErrorKind::Conflict);
    assert_eq!(version_of(&*store, "new").await, None);
    assert_eq!(version_of(&*store, "kept-2").await, None);
    assert_eq!(version_of(&*store, "kept").await, Some(kept[0]));
    assert_eq!(version_of(&*store, "goes").await, Some(kept[1]));
    store.commit(changes).await.unwrap();
    assert!(version_of(&*store, "new").await.is_some());
    assert_eq!(version_of(&*store, "goes").await, None);
}

/// A version rises with every save of the same key, also across a delete.
pub async fn a_delete_removes_and_a_later_version_is_higher(store: Fixture) {
    let mut last = Version(0);
    for _ in 0..3 {
        let version = create(&*store, [cluster("main")]).await[0];
        assert!(version > last);
        last = put(&*store, sample::cluster("main")).await;
        assert!(last > version);
        delete(&*store, key("main")).await;
        assert_eq!(version_of(&*store, "main").await, None);
    }
}

/// The versions are those of `puts`, in order.
pub async fn versions_come_in_the_order_of_puts(store: Fixture) {
    let names = ["c", "a", "b", "e", "d"];
    let versions = create(&*store, names.map(cluster)).await;
    assert_eq!(versions.len(), names.len());
    for (name, version) in names.iter().zip(&versions) {
        assert_eq!(version_of(&*store, name).await, Some(*version), "{name}");
    }
    let changes = Changes {
        puts: vec![
            (cluster("b"), Expect::Version(versions[2])),
            (cluster("a"), Expect::Version(versions[1])),
        ],
        deletes: vec![(key("c"), Expect::Any)],
        ..Changes::default()
    };
    let again = store.commit(changes).await.unwrap();
    assert_eq!(again.len(), 2);
    assert_eq!(version_of(&*store, "b").await, Some(again[0]));
    assert_eq!(version_of(&*store, "a").await, Some(again[1]));
}

/// Two changes of a key in one commit are a defect of the caller.
pub async fn a_key_can_not_be_changed_twice_in_one_commit(store: Fixture) {
    let twice = Changes {
        puts: vec![(cluster("a"), Expect::Any), (cluster("a"), Expect::Any)],
        ..Changes::default()
    };
    assert_eq!(refusal(&*store, twice).await, PortErrorKind::Permanent);
    let both = Changes {
        puts: vec![(cluster("a"), Expect::Any)],
        deletes: vec![(key("a"), Expect::Any)],
        ..Changes::default()
    };
    assert_eq!(refusal(&*store, both).await, PortErrorKind::Permanent);
    assert_eq!(version_of(&*store, "a").await, None);
    // A condition on a key that is changed too is no second change.
    let version = put(&*store, sample::cluster("a")).await;
    let mut changes = Changes::new();
    changes.update(sample::cluster("a"), version).require(key("a"), version);
    store.commit(changes).await.unwrap();
}

/// No changes, but conditions.
pub async fn a_commit_of_nothing_still_checks_its_conditions(store: Fixture) {
    assert_eq!(store.commit(Changes::new()).await.unwrap(), []);
    let version = put(&*store, sample::cluster("main")).await;
    let mut holds = Changes::new();
    holds.require(key("main"), version);
    assert_eq!(store.commit(holds).await.unwrap(), []);
    let mut fails = Changes::new();
    fails.require(key("main"), Version(version.0 + 1000));
    assert_eq!(refusal(&*store, fails).await, PortErrorKind::Conflict);
}

/// What a refused commit would have changed in counts and lists did not change.
pub async fn a_failed_commit_leaves_counts_and_lists_alone(store: Fixture) {
    let main = sample::cluster_key("main");
    let mut changes = Changes::new();
    changes.create(sample::cluster("main"));
    changes.create(sample::task(&main, 1));
    changes.create(sample::service(&main, "web"));
    changes.require(key("nowhere"), Version(1));
    assert_eq!(refusal(&*store, changes).await, PortErrorKind::Conflict);
    assert_eq!(store.cluster_counts(&main).await.unwrap(), ClusterCounts::default());
    assert!(store.list_clusters(&sample::scope(), first(10)).await.unwrap().items.is_empty());
    assert!(store.unfinished_tasks(first(10)).await.unwrap().items.is_empty());
    assert!(store.unfinished_services(first(10)).await.unwrap().items.is_empty());
}

/// MUST be safe to drop at any await.
pub async fn a_dropped_commit_is_made_wholly_or_not_at_all(store: Fixture) {
    let main = sample::cluster_key("main");
    for round in 0..40_u128 {
        let ids = [2 * round, 2 * round + 1];
        let mut changes = Changes::new();
        for id in ids {
            changes.create(sample::task(&main, id));
        }
        // Polled a few times, then dropped: at every await that it has, sooner or later.
        let mut commit = store.commit(changes);
        for _ in 0..round % 8 {
            if (&mut commit).now_or_never().is_some() {
                break;
            }
            if round.is_multiple_of(3) {
                tokio::time::sleep(std::time::Duration::from_micros(300)).await;
            } else {
                tokio::task::yield_now().await;
            }
        }
        drop(commit);
        // Either way it is settled at some time: the next commit comes after it.
        put(&*store, sample::cluster("main")).await;
        let tasks = store.tasks(&ids.map(|id| sample::task_key(&main, id))).await.unwrap();
        assert_eq!(tasks[0].is_some(), tasks[1].is_some(), "half a commit in round {round}");
    }
    let made = store.unfinished_tasks(first(1000)).await.unwrap().items.len();
    let counted = store.cluster_counts(&main).await.unwrap().unfinished_tasks;
    assert_eq!(usize::try_from(counted).unwrap(), made);
}

/// A commit may have thousands of entities.
pub async fn a_large_commit_is_one_commit(store: Fixture) {
    let main = sample::cluster_key("main");
    let tasks = (0..3000_u128).map(|id| sample::task(&main, id).into());
    let versions = create(&*store, tasks).await;
    assert_eq!(versions.len(), 3000);
    assert!(versions.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(store.cluster_counts(&main).await.unwrap().unfinished_tasks, 3000);
}
