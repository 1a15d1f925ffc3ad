//! Damage of every kind: each start either loses nothing or says what it lost, and the one after it is clean.
//!
//! Random places come from a seed that is printed; `KECS_SEED=...` repeats them.

use std::fs;
use std::path::Path;

use kecs_adapters_storage::{DuckDbStore, RecoveryReport};
use kecs_domain::pagination::PageRequest;
use kecs_testkit::sample;
use kecs_testkit::store::create;
use kecs_usecases::ports::store::Entity;
use kecs_usecases::ports::{Changes, ClusterStore, Expect, TaskDefinitionStore, TaskStore, UnitOfWork};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::{killed, open};

/// Commits of a history: commit `n` (from 1) saves the counter at `n` and a task with the id `n`.
const COMMITS: i32 = 120;

fn random() -> StdRng {
    StdRng::seed_from_u64(kecs_testkit::store::seed())
}

fn counter() -> (kecs_domain::Scope, kecs_domain::name::FamilyName) {
    (sample::scope(), sample::family_name("counter"))
}

async fn commit(store: &DuckDbStore, n: i32) {
    let task = sample::task(&sample::cluster_key("main"), n as u128);
    let changes = Changes {
        puts: vec![(sample::family("counter", n).into(), Expect::Any), (task.into(), Expect::Absent)],
        ..Changes::default()
    };
    store.commit(changes).await.unwrap();
}

/// A store with the history, of which the first half is in DuckDB's file and the rest in its log.
async fn history() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    for n in 1..=COMMITS / 2 {
        commit(&store, n).await;
    }
    store.close().await;
    drop(store);
    let (store, _) = open(dir.path());
    for n in COMMITS / 2 + 1..=COMMITS {
        commit(&store, n).await;
    }
    let copy = killed(dir.path());
    assert!(fs::metadata(copy.path().join("journal.duckdb.wal")).unwrap().len() > 10_000);
    copy
}

/// Which commits are in the store. Each must be there wholly or not at all.
async fn found(store: &DuckDbStore) -> Vec<i32> {
    let page = PageRequest { after: None, limit: 10_000 };
    let tasks = store.unfinished_tasks(page).await.unwrap().items;
    let commits: Vec<i32> = tasks.iter().map(|task| i32::try_from(task.key.id.bits()).unwrap()).collect();
    let counts = store.cluster_counts(&sample::cluster_key("main")).await.unwrap();
    assert_eq!(usize::try_from(counts.unfinished_tasks).unwrap(), commits.len());
    let last = store.family(&counter()).await.unwrap().map(|family| family.last_revision);
    assert_eq!(last, commits.last().copied(), "the counter and the tasks are of different commits");
    commits
}

/// Opens a damaged directory and checks what every start after damage must keep.
async fn start(dir: &Path, what: &str) -> (Vec<i32>, RecoveryReport) {
    let (store, report) = open(dir);
    let commits = found(&store).await;
    if report.is_clean() {
        assert_eq!(commits.len(), COMMITS as usize, "{what}: commits are gone and the report says nothing");
    }
    // It works on.
    commit(&store, COMMITS + 1).await;
    store.close().await;
    drop(store);
    let (store, again) = open(dir);
    assert!(again.is_clean(), "{what}: reported again: {again:?}, first {report:?}");
    assert_eq!(found(&store).await.len(), commits.len() + 1, "{what}");
    (commits, report)
}

#[tokio::test]
async fn an_undamaged_history_is_whole() {
    let dir = history().await;
    let (commits, report) = start(dir.path(), "nothing").await;
    assert_eq!(commits.len(), COMMITS as usize);
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn a_log_that_ends_early_loses_the_last_commits_and_says_so() {
    let mut random = random();
    let history = history().await;
    for _ in 0..8 {
        let dir = killed(history.path());
        let path = dir.path().join("journal.duckdb.wal");
        let log = fs::read(&path).unwrap();
        let cut = random.random_range(0..log.len());
        fs::write(&path, &log[..cut]).unwrap();
        let (commits, report) = start(dir.path(), &format!("cut at {cut}")).await;
        // A log that ends early is a beginning of the history.
        assert_eq!(commits, (1..=commits.len() as i32).collect::<Vec<_>>());
        assert!(commits.len() < COMMITS as usize && !report.is_clean(), "cut at {cut} of {}", log.len());
        assert!(report.damaged[0].why.contains("are not in the journal"), "{report:?}");
        if cut > 0 {
            assert!(fs::read(&report.set_aside[0].path).unwrap() == log[..cut], "the log is kept");
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_in_the_log_loses_what_comes_after_it_and_says_so() {
    let mut random = random();
    let history = history().await;
    let mut refused = 0;
    for _ in 0..8 {
        let dir = killed(history.path());
        let path = dir.path().join("journal.duckdb.wal");
        let mut log = fs::read(&path).unwrap();
        let at = random.random_range(0..log.len());
        log[at] ^= 1 << random.random_range(0..8);
        fs::write(&path, &log).unwrap();
        let (commits, report) = start(dir.path(), &format!("flip at {at}")).await;
        assert_eq!(commits, (1..=commits.len() as i32).collect::<Vec<_>>());
        assert!(commits.len() >= (COMMITS / 2) as usize, "flip at {at}: what was in the file is lost too");
        if let Some(aside) = report.set_aside.first() {
            refused += 1;
            assert!(fs::read(&aside.path).unwrap() == log, "the log is kept as it was");
            // Every commit before the damage is kept.
            let share = at as f64 / log.len() as f64;
            let expected = f64::from(COMMITS / 2) * (1.0 + share) - 3.0;
            assert!(commits.len() as f64 >= expected, "flip at {at}: {} commits", commits.len());
        }
    }
    assert!(refused > 0, "no flip was ever noticed");
}

#[tokio::test]
async fn a_flipped_bit_in_the_file_is_reported_and_the_rest_is_kept() {
    let mut random = random();
    let history = history().await;
    for _ in 0..8 {
        let dir = killed(history.path());
        let path = dir.path().join("journal.duckdb");
        let mut file = fs::read(&path).unwrap();
        let at = random.random_range(0..file.len());
        file[at] ^= 1 << random.random_range(0..8);
        fs::write(&path, &file).unwrap();
        let (_, report) = start(dir.path(), &format!("flip at {at} of {}", file.len())).await;
        for aside in &report.set_aside {
            assert!(aside.path.exists(), "{aside:?}");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_cut_short_is_reported_and_kept() {
    let mut random = random();
    let history = history().await;
    for _ in 0..5 {
        let dir = killed(history.path());
        let path = dir.path().join("journal.duckdb");
        let file = fs::read(&path).unwrap();
        let cut = random.random_range(0..file.len());
        fs::write(&path, &file[..cut]).unwrap();
        let (_, report) = start(dir.path(), &format!("cut at {cut} of {}", file.len())).await;
        for aside in &report.set_aside {
            assert!(aside.path.exists(), "{aside:?}");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_gone_is_reported() {
    let dir = history().await;
    fs::remove_file(dir.path().join("journal.duckdb")).unwrap();
    let (commits, report) = start(dir.path(), "no file").await;
    assert!(commits.len() < COMMITS as usize && !report.is_clean(), "{report:?}");
}

/// Changes rows behind the store's back.
fn tamper(dir: &Path, sql: &str) {
    let conn = duckdb::Connection::open(dir.join("journal.duckdb")).unwrap();
    conn.execute_batch(sql).unwrap();
}

/// A store that was stopped, of three commits: rows 1 and 2, 3 and 4, 5 and 6.
async fn stopped() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    for n in 1..=3 {
        commit(&store, n).await;
    }
    store.close().await;
    dir
}

#[tokio::test]
async fn a_changed_row_takes_its_commit_back_and_both_rows_are_kept_aside() {
    let dir = stopped().await;
    tamper(dir.path(), "UPDATE journal SET doc = replace(doc, 'RUNNING', 'PENDING') WHERE seq = 6");
    let (store, report) = open(dir.path());
    assert_eq!(found(&store).await, [1, 2], "the counter is at commit 2 again");
    let seqs: Vec<_> = report.damaged.iter().map(|row| row.seq).collect();
    assert_eq!(seqs, [Some(5), Some(6)]);
    assert!(report.damaged[0].why.contains("row 6 is lost"), "{report:?}");
    assert!(report.damaged[1].why.contains("checksum"), "{report:?}");
    assert!(report.damaged[1].key.as_ref().unwrap().ends_with("00000000000000000000000000000003"));
    // Numbers are not used again.
    let version = create(&store, [sample::cluster("new").into()]).await[0];
    assert_eq!(version.0, 7);
    store.close().await;
    drop(store);
    let conn = duckdb::Connection::open(dir.path().join("journal.duckdb")).unwrap();
    let kept: i64 =
        conn.query_row("SELECT count(doc) FROM damaged WHERE seq IN (5, 6)", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 2);
}

#[tokio::test]
async fn a_changed_row_that_was_superseded_takes_nothing_with_it() {
    let dir = stopped().await;
    tamper(dir.path(), "UPDATE journal SET doc = '{}' WHERE seq = 1");
    let (store, report) = open(dir.path());
    assert_eq!(found(&store).await, [1, 2, 3]);
    assert_eq!(report.damaged.iter().map(|row| row.seq).collect::<Vec<_>>(), [Some(1)]);
}

#[tokio::test]
async fn a_row_that_is_gone_is_missed_and_its_commit_taken_back() {
    for (gone, kept) in [("seq = 6", vec![1, 2]), ("seq >= 5", vec![1, 2]), ("seq = 5", vec![1, 2])] {
        let dir = stopped().await;
        tamper(dir.path(), &format!("DELETE FROM journal WHERE {gone}"));
        let (store, report) = open(dir.path());
        assert_eq!(found(&store).await, kept, "{gone}");
        assert!(report.damaged[0].why.contains("are not in the journal"), "{gone}: {report:?}");
        store.close().await;
        drop(store);
        assert!(open(dir.path()).1.is_clean(), "{gone}");
    }
}

#[tokio::test]
async fn a_damaged_row_falls_back_to_the_history() {
    let dir = stopped().await;
    // As compaction would have left it, had it come after the second commit.
    tamper(
        dir.path(),
        "INSERT INTO history SELECT * FROM journal WHERE seq IN (1, 3); DELETE FROM journal WHERE seq IN (1, 3);
         UPDATE format SET compacted_to = 4; UPDATE journal SET status = 'x' WHERE seq = 5",
    );
    let (store, report) = open(dir.path());
    assert_eq!(found(&store).await, [1, 2]);
    assert_eq!(report.damaged.len(), 2, "{report:?}");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_left_alone() {
    let dir = stopped().await;
    tamper(dir.path(), "UPDATE format SET format = 2");
    let before = fs::read(dir.path().join("journal.duckdb")).unwrap();
    let options = kecs_adapters_storage::Options::default();
    let refused = DuckDbStore::open(dir.path(), crate::clock(), options).err().expect("it is newer");
    assert!(refused.to_string().contains("format 2"), "{refused}");
    assert_eq!(fs::read(dir.path().join("journal.duckdb")).unwrap().len(), before.len());
}

#[tokio::test]
async fn a_number_that_two_rows_have_is_reported() {
    let dir = stopped().await;
    tamper(dir.path(), "UPDATE journal SET seq = 4 WHERE seq = 3");
    let (store, report) = open(dir.path());
    assert!(!report.is_clean());
    let commits = found(&store).await;
    assert!(commits.contains(&1), "{commits:?}");
    let entities: Vec<Entity> = vec![sample::cluster("new").into()];
    create(&store, entities).await;
}

#[tokio::test]
async fn most_of_a_large_file_survives_a_bad_block() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let main = sample::cluster_key("main");
    const TASKS: u128 = 40_000;
    for first in (0..TASKS).step_by(1000) {
        create(&store, (first..first + 1000).map(|id| sample::task(&main, id).into())).await;
    }
    store.close().await;
    drop(store);
    let path = dir.path().join("journal.duckdb");
    let mut file = fs::read(&path).unwrap();
    let middle = file.len() / 2;
    file[middle] ^= 1;
    fs::write(&path, &file).unwrap();
    let (store, report) = open(dir.path());
    let kept = store.cluster_counts(&main).await.unwrap().unfinished_tasks;
    assert!(kept > 30_000, "only {kept} of {TASKS} tasks were kept");
    // Either the block was free, or what was in it is reported: whole commits, each row of them.
    let lost = usize::try_from(TASKS).unwrap() - usize::try_from(kept).unwrap();
    assert_eq!(report.is_clean(), lost == 0, "{lost} lost, {} reported", report.damaged.len());
    assert_eq!(lost % 1000, 0, "{lost} lost: a commit is half there");
    if lost > 0 {
        assert!(report.set_aside[0].path.exists(), "the file is kept");
        let reported: u64 = report.damaged.iter().map(|row| row.rows).sum();
        assert!(reported >= lost as u64, "{lost} lost, {reported} reported");
    }
    drop(store);
    assert!(open(dir.path()).1.is_clean());
}
