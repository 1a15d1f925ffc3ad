//! Durability, group commit, compaction, the lock, the history.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use kecs_adapters_storage::duckdb::JournalStatistics;
use kecs_adapters_storage::{DuckDbStore, OpenError, Options};
use kecs_testkit::sample;
use kecs_testkit::store::create;
use kecs_usecases::ports::store::{Entity, EntityKey};
use kecs_usecases::ports::{
    Changes, ClusterStore, Expect, PortErrorKind, TaskDefinitionStore, TaskStore, UnitOfWork, Version,
};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::{clock, killed, open, open_with};

async fn put(store: &DuckDbStore, entity: impl Into<Entity>) -> Version {
    let changes = Changes { puts: vec![(entity.into(), Expect::Any)], ..Changes::default() };
    store.commit(changes).await.unwrap()[0]
}

async fn delete(store: &DuckDbStore, key: EntityKey) {
    let changes = Changes { deletes: vec![(key, Expect::Any)], ..Changes::default() };
    store.commit(changes).await.unwrap();
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let main = sample::cluster_key("main");
    for id in 0..50 {
        create(&store, [sample::task(&main, id).into()]).await;
    }
    let version = put(&store, sample::stopped(sample::task(&main, 7), sample::at(9))).await;
    delete(&store, EntityKey::Task(sample::task_key(&main, 8))).await;
    let copy = killed(dir.path());
    let (again, report) = open(copy.path());
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.rows, report.entities), (52, 49));
    for id in 0..50_u128 {
        let key = sample::task_key(&main, id);
        let before = store.tasks(std::slice::from_ref(&key)).await.unwrap().remove(0);
        let after = again.tasks(std::slice::from_ref(&key)).await.unwrap().remove(0);
        assert_eq!(before, after, "task {id}");
        if id == 7 {
            assert_eq!(after.unwrap().version, version);
        }
    }
    assert_eq!(store.cluster_counts(&main).await.unwrap(), again.cluster_counts(&main).await.unwrap());
}

#[tokio::test]
async fn every_kind_of_entity_comes_back_after_a_clean_stop() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let cluster = sample::cluster("main");
    let service = sample::service_key(&cluster.key, "web");
    let status = kecs_domain::model::ServiceDeploymentStatus::Pending;
    let entities: Vec<Entity> = vec![
        cluster.clone().into(),
        sample::family("web", 3).into(),
        sample::task_definition("web", 3).into(),
        sample::of_service(sample::task(&cluster.key, 7), "web", 1).into(),
        sample::service(&cluster.key, "web").into(),
        sample::service_deployment(&service, "0123", sample::at(1), status).into(),
        sample::service_revision(&service, 1).into(),
        sample::token(&cluster.key, "RunTask", "a/b %\u{e4}\0", sample::at(2)).into(),
    ];
    let versions = create(&store, entities.clone()).await;
    store.close().await;
    drop(store);
    let (store, report) = open(dir.path());
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.entities, entities.len());
    // Whatever differs would be refused: each version is asked for, with the same key.
    let mut changes = Changes::new();
    for (entity, version) in entities.into_iter().zip(versions) {
        changes.requires.push((entity.key(), Expect::Version(version)));
    }
    store.commit(changes).await.unwrap();
    assert_eq!(
        *store.clusters(std::slice::from_ref(&cluster.key)).await.unwrap()[0].as_ref().unwrap().value,
        cluster
    );
    let definition = store.task_definition(&sample::definition_key("web", 3)).await.unwrap().unwrap();
    assert_eq!(*definition.value, sample::task_definition("web", 3));
}

#[tokio::test]
async fn versions_rise_across_restarts_and_deletes() {
    let dir = tempfile::tempdir().unwrap();
    let mut last = Version(0);
    for _ in 0..3 {
        let (store, _) = open(dir.path());
        let version = create(&store, [sample::cluster("main").into()]).await[0];
        assert!(version > last);
        last = version;
        delete(&store, EntityKey::Cluster(sample::cluster_key("main"))).await;
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_wait_share_transactions() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let store = Arc::new(store);
    let main = sample::cluster_key("main");
    let committers: Vec<_> = (0..200)
        .map(|id| {
            let (store, main) = (Arc::clone(&store), main.clone());
            tokio::spawn(async move { create(&*store, [sample::task(&main, id).into()]).await })
        })
        .collect();
    for committer in committers {
        committer.await.unwrap();
    }
    let JournalStatistics { transactions, commits, rows, .. } = store.statistics();
    assert_eq!((commits, rows), (200, 200));
    assert!(transactions < 100, "200 commits in {transactions} transactions");
}

#[tokio::test]
async fn a_second_store_on_the_directory_is_refused_and_told_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let refused = DuckDbStore::open(dir.path(), clock(), Options::default()).err().expect("it is in use");
    let OpenError::InUse { holder, lock, .. } = &refused else { panic!("{refused}") };
    assert_eq!(*holder, Some(std::process::id()));
    assert!(lock.starts_with(dir.path()));
    assert!(refused.to_string().contains("kecs.lock"), "{refused}");
    store.close().await;
    open(dir.path());
}

/// The other process is this test binary, asked to hold the directory until its input ends.
#[tokio::test]
async fn a_second_process_on_the_directory_is_refused_until_the_first_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "journal::helper_that_holds_a_directory", "--nocapture"])
        .env("KECS_HOLD", dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let held = dir.path().join("held");
    while !held.exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(other.try_wait().unwrap().is_none(), "the other process has ended");
    }
    let refused = DuckDbStore::open(dir.path(), clock(), Options::default()).err().expect("it is in use");
    let OpenError::InUse { holder, .. } = &refused else { panic!("{refused}") };
    assert_eq!(*holder, Some(other.id()));
    other.kill().unwrap();
    other.wait().unwrap();
    // Killed in the middle of its life: the lock is gone with it, and what it committed is there.
    let (_, report) = open(dir.path());
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.entities, 1);
}

/// The process dies at a random moment: in a commit, a checkpoint or a slice of compaction.
#[tokio::test]
async fn a_kill_at_any_moment_loses_nothing_that_was_acknowledged() {
    let mut random = StdRng::seed_from_u64(kecs_testkit::store::seed());
    for round in 0..8 {
        let dir = tempfile::tempdir().unwrap();
        let mut other = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "journal::helper_that_commits_until_it_is_killed", "--nocapture"])
            .env("KECS_CHURN", dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(other.stderr.take().unwrap()).lines();
        let wanted = format!("made {}", random.random_range(1..150));
        assert!(
            said.by_ref().map_while(Result::ok).any(|line| line == wanted),
            "the other process ended first"
        );
        tokio::time::sleep(Duration::from_micros(random.random_range(0..30_000))).await;
        other.kill().unwrap();
        other.wait().unwrap();
        let last = said.map_while(Result::ok).last().unwrap_or(wanted);
        let acknowledged: i32 = last.strip_prefix("made ").unwrap().parse().unwrap();
        let (store, report) = open_with(dir.path(), eager());
        assert!(report.is_clean(), "round {round}, after {acknowledged}: {report:?}");
        let made = store
            .family(&(sample::scope(), sample::family_name("counter")))
            .await
            .unwrap()
            .unwrap()
            .last_revision;
        assert!(
            (acknowledged..=acknowledged + 1).contains(&made),
            "{acknowledged} were acknowledged, {made} are there"
        );
        // The tasks are those of the last commit, all of them.
        let page = kecs_domain::pagination::PageRequest { after: None, limit: 100 };
        for task in store.unfinished_tasks(page).await.unwrap().items {
            assert_eq!(task.doc.version, Some(i64::from(made)));
        }
    }
}

/// Not a test of its own: does nothing unless it is asked to.
#[tokio::test]
async fn helper_that_commits_until_it_is_killed() {
    let Some(dir) = std::env::var_os("KECS_CHURN") else { return };
    let (store, _) = open_with(std::path::Path::new(&dir), eager());
    let main = sample::cluster_key("main");
    // It also ends by itself, should nobody kill it.
    for n in 1..100_000 {
        let mut puts: Vec<(Entity, Expect)> = vec![(sample::family("counter", n).into(), Expect::Any)];
        for id in 0..30 {
            let mut task = sample::task(&main, id);
            task.doc.make_mut().version = Some(i64::from(n));
            puts.push((task.into(), Expect::Any));
        }
        store.commit(Changes { puts, ..Changes::default() }).await.unwrap();
        eprintln!("made {n}");
    }
}

/// Not a test of its own: does nothing unless it is asked to.
#[tokio::test]
async fn helper_that_holds_a_directory() {
    let Some(dir) = std::env::var_os("KECS_HOLD") else { return };
    let dir = std::path::PathBuf::from(dir);
    let (store, _) = open(&dir);
    create(&store, [sample::cluster("main").into()]).await;
    std::fs::write(dir.join("held"), "").unwrap();
    let _ = std::io::stdin().read_line(&mut String::new());
    drop(store);
}

#[tokio::test]
async fn a_closed_store_refuses_commits_and_still_reads() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    create(&store, [sample::cluster("main").into()]).await;
    store.close().await;
    store.close().await;
    let mut changes = Changes::new();
    changes.create(sample::cluster("other"));
    assert_eq!(store.commit(changes).await.unwrap_err().kind, PortErrorKind::Transient);
    assert!(store.clusters(&[sample::cluster_key("main")]).await.unwrap()[0].is_some());
}

/// Options with which compaction happens in a small test.
fn eager() -> Options {
    Options {
        compact_rows: 500,
        compact_ratio: 1,
        history_rows: 1000,
        checkpoint_bytes: 1 << 20,
        ..Options::default()
    }
}

/// Saves every one of some tasks again and again, deletes some, until compaction has come round.
async fn churn(store: &DuckDbStore, until: u64) {
    let main = sample::cluster_key("main");
    for round in 0..400_u128 {
        let mut changes = Changes::new();
        for id in 0..20 {
            changes.puts.push((sample::task(&main, id).into(), Expect::Any));
        }
        let goes = EntityKey::Task(sample::task_key(&main, 100 + round));
        changes.puts.push((sample::task(&main, 100 + round + 1).into(), Expect::Any));
        changes.deletes.push((goes, Expect::Any));
        store.commit(changes).await.unwrap();
        if store.statistics().compactions >= until {
            return;
        }
    }
    panic!("no compaction after {:?}", store.statistics());
}

#[tokio::test]
async fn compaction_loses_nothing_and_the_history_is_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open_with(dir.path(), eager());
    churn(&store, 5).await;
    let main = sample::cluster_key("main");
    let tasks = store
        .unfinished_tasks(kecs_domain::pagination::PageRequest { after: None, limit: 1000 })
        .await
        .unwrap();
    let written = store.statistics().rows;
    // As a kill leaves it, and as a clean stop leaves it.
    let copy = killed(dir.path());
    store.close().await;
    for dir in [copy.path(), dir.path()] {
        let (again, report) = open_with(dir, eager());
        assert!(report.is_clean(), "{report:?}");
        assert!(report.rows < written, "{} of {written} rows are in the journal", report.rows);
        assert_eq!(report.entities, tasks.items.len());
        for task in &tasks.items {
            let found = again.tasks(std::slice::from_ref(&task.key)).await.unwrap().remove(0);
            assert_eq!(found.as_ref(), Some(task));
        }
        assert_eq!(again.cluster_counts(&main).await.unwrap(), store.cluster_counts(&main).await.unwrap());
        again.close().await;
        drop(again);
        let sql = sql(dir);
        let history: i64 = sql.query_row("SELECT count(*) FROM history", [], |row| row.get(0)).unwrap();
        assert!((1000..=1125).contains(&history), "{history} rows of history");
        let newest: i64 = sql.query_row("SELECT max(seq) FROM changes", [], |row| row.get(0)).unwrap();
        assert_eq!(newest, i64::try_from(written).unwrap());
    }
}

/// DuckDB's own view of a closed store.
fn sql(dir: &std::path::Path) -> duckdb::Connection {
    duckdb::Connection::open(dir.join("journal.duckdb")).unwrap()
}

#[tokio::test]
async fn the_history_can_be_asked_with_sql() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let main = sample::cluster_key("main");
    create(&store, [sample::cluster("main").into(), sample::task_definition("web", 1).into()]).await;
    let task = sample::task(&main, 1);
    put(&store, sample::with_status(task.clone(), kecs_domain::task::TaskStatus::Pending)).await;
    put(&store, task.clone()).await;
    put(&store, sample::stopped(task, sample::at(60))).await;
    create(&store, [sample::task(&main, 2).into()]).await;
    delete(&store, EntityKey::Task(sample::task_key(&main, 2))).await;
    store.close().await;
    let sql = sql(dir.path());
    let text = |query: &str| sql.query_row(query, [], |row| row.get::<_, String>(0)).unwrap();
    let id = "00000000000000000000000000000001";
    assert_eq!(
        text(&format!(
            "SELECT string_agg(status, ' ' ORDER BY seq) FROM changes
             WHERE account = '123456789012' AND region = 'eu-central-1' AND cluster = 'main' AND name = '{id}'"
        )),
        "PENDING RUNNING STOPPED"
    );
    assert_eq!(
        text("SELECT doc->>'$.doc.stoppedReason' FROM latest WHERE kind = 'Task'"),
        "Essential container in task exited"
    );
    assert_eq!(
        text("SELECT string_agg(kind || ':' || name, ' ' ORDER BY kind) FROM latest WHERE kind <> 'Task'"),
        "Cluster:main TaskDefinition:web:1"
    );
    let deleted: i64 = sql
        .query_row("SELECT count(*) FROM changes WHERE deleted AND doc IS NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(deleted, 1);
    let together: i64 =
        sql.query_row("SELECT count(DISTINCT commit_seq) FROM changes", [], |row| row.get(0)).unwrap();
    assert_eq!(together, 6);
    // The two queries of the module's documentation.
    sql.execute_batch(
        "SELECT changed_at, cluster, name, status, doc->>'$.doc.statusReason' FROM changes
         WHERE kind = 'ServiceDeployment' AND status IN ('ROLLBACK_FAILED', 'STOPPED') ORDER BY changed_at;
         SELECT quantile_cont(epoch(running - created), [0.5, 0.99])
         FROM (SELECT key, min(changed_at) AS created, min(changed_at) FILTER (status = 'RUNNING') AS running
               FROM changes WHERE kind = 'Task' GROUP BY key);",
    )
    .unwrap();
}
