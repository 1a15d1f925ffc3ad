//! Many committers at once.

use std::sync::Arc;

use kecs_usecases::ports::store::{Entity, EntityKey};
use kecs_usecases::ports::{Changes, Expect, Store};

use crate::sample;
use crate::store::{Fixture, create};

/// Runs `work` as `count` tasks of the runtime at once, each with its number.
async fn at_once<F>(
    count: usize,
    store: &Fixture,
    work: impl Fn(usize, Arc<dyn Store>) -> F,
) -> Vec<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|n| tokio::spawn(work(n, store.store()))).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("the task did its work"));
    }
    answers
}

/// Adds one to the family's last revision. Returns how often it had to try.
async fn increment(store: &dyn Store) -> usize {
    let key = (sample::scope(), sample::family_name("counter"));
    for attempt in 1.. {
        let family = store.family(&key).await.unwrap().expect("it is there");
        let mut next = (*family.value).clone();
        next.last_revision += 1;
        let mut changes = Changes::new();
        changes.update(next, family.version);
        match store.commit(changes).await {
            Ok(_) => return attempt,
            Err(error) => assert!(error.is_conflict(), "{error}"),
        }
    }
    unreachable!("the numbers do not end")
}

/// Optimistic versions: nothing is lost, whoever else writes.
pub async fn concurrent_increments_lose_nothing(store: Fixture) {
    const EACH: i32 = 50;
    create(&*store, [sample::family("counter", 0).into()]).await;
    at_once(4, &store, |_, store| async move {
        for _ in 0..EACH {
            increment(&*store).await;
        }
    })
    .await;
    let key = (sample::scope(), sample::family_name("counter"));
    assert_eq!(store.family(&key).await.unwrap().unwrap().last_revision, 4 * EACH);
}

/// Of many who create the same thing, one does.
pub async fn one_of_many_creators_wins(store: Fixture) {
    for round in 0..10 {
        let won = at_once(4, &store, move |n, store| async move {
            let mut changes = Changes::new();
            changes.create(sample::cluster(&format!("c{round}")));
            changes.create(sample::cluster(&format!("c{round}-by-{n}")));
            match store.commit(changes).await {
                Ok(_) => true,
                Err(error) => {
                    assert!(error.is_conflict(), "{error}");
                    false
                }
            }
        })
        .await;
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "round {round}");
    }
    let page = store.list_clusters(&sample::scope(), crate::store::first(100)).await.unwrap();
    assert_eq!(page.items.len(), 20, "a loser left something behind");
}

/// No deadlock when commits name the same keys in different orders.
pub async fn commits_in_opposite_orders_do_not_block_each_other(store: Fixture) {
    let names: Vec<String> = (0..6).map(|n| format!("c{n}")).collect();
    create(&*store, names.iter().map(|name| sample::cluster(name).into())).await;
    at_once(4, &store, move |n, store| {
        let names = names.clone();
        async move {
            for round in 0..20 {
                let mut names = names.clone();
                names.rotate_left((n + round) % 6);
                if n % 2 == 0 {
                    names.reverse();
                }
                let mut changes = Changes::new();
                for name in &names[..4] {
                    changes.puts.push((sample::cluster(name).into(), Expect::Any));
                }
                for name in &names[4..] {
                    changes.requires.push((EntityKey::Cluster(sample::cluster_key(name)), Expect::Any));
                }
                store.commit(changes).await.expect("any is always right");
            }
        }
    })
    .await;
}

/// MUST be visible to every read that begins after the commit returned.
pub async fn a_commit_is_visible_when_it_returns(store: Fixture) {
    at_once(4, &store, |n, store| async move {
        let main = sample::cluster_key("main");
        for round in 0..40 {
            let key = sample::task_key(&main, (n * 1000 + round) as u128);
            let mut changes = Changes::new();
            changes.create(sample::task(&main, key.id.bits()));
            let version = store.commit(changes).await.unwrap()[0];
            let found = store.tasks(std::slice::from_ref(&key)).await.unwrap();
            assert_eq!(found[0].as_ref().map(|it| it.version), Some(version));
        }
    })
    .await;
    assert_eq!(store.cluster_counts(&sample::cluster_key("main")).await.unwrap().unfinished_tasks, 160);
}

/// What one commit changes, one read sees changed together.
pub async fn a_reader_never_sees_half_a_commit(store: Fixture) {
    let main = sample::cluster_key("main");
    let entities = |name: &str| -> Vec<Entity> {
        (0..4)
            .map(|id| {
                let mut task = sample::task(&main, id);
                task.doc.make_mut().started_by = Some(name.to_owned());
                task.into()
            })
            .collect()
    };
    create(&*store, entities("0")).await;
    let writes: Vec<Changes> = (1..60)
        .map(|n| Changes {
            puts: entities(&n.to_string()).into_iter().map(|it| (it, Expect::Any)).collect(),
            ..Changes::default()
        })
        .collect();
    at_once(3, &store, move |n, store| {
        let writes = writes.clone();
        async move {
            let main = sample::cluster_key("main");
            if n == 0 {
                for changes in &writes {
                    store.commit(changes.clone()).await.unwrap();
                }
                return;
            }
            let keys: Vec<_> = (0..4).map(|id| sample::task_key(&main, id)).collect();
            for _ in 0..200 {
                let tasks = store.tasks(&keys).await.unwrap();
                let by: Vec<_> =
                    tasks.iter().map(|task| task.as_ref().unwrap().doc.started_by.clone()).collect();
                assert!(by.windows(2).all(|pair| pair[0] == pair[1]), "half a commit: {by:?}");
            }
        }
    })
    .await;
}
