//! How fast the journal is, beside what DuckDB's appender can do at best, in one run: take the ratios.
//!
//! `cargo run --release -p kecs-adapters-storage --example journal_rate [DIRECTORY]`

#![allow(clippy::print_stdout, reason = "it is a program that prints")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kecs_adapters_storage::{DuckDbStore, Options};
use kecs_domain::Timestamp;
use kecs_domain::arn::{ClusterKey, TaskKey};
use kecs_domain::name::ServiceName;
use kecs_domain::pagination::PageRequest;
use kecs_domain::task::{DesiredStatus, Task};
use kecs_testkit::sample;
use kecs_usecases::ports::store::Entity;
use kecs_usecases::ports::{Changes, Clock, ClusterStore, Expect, TaskQuery, TaskStore, UnitOfWork};

/// The time of the machine.
struct System;

impl Clock for System {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Tasks of the start that is measured.
const TASKS: u128 = 100_000;
/// How long each rate is measured.
const MEASURED: Duration = Duration::from_secs(5);
/// Rows of a commit.
const ROWS: u64 = 10;

#[tokio::main]
async fn main() {
    let dir: PathBuf = std::env::args().nth(1).map_or_else(std::env::temp_dir, Into::into);
    if std::env::var_os("KECS_START").is_some() {
        return started(&dir).await;
    }
    let dir = dir.join(format!("kecs-journal-rate-{}", std::process::id()));
    println!("{:<44} {}", "before", resident());
    let idle = open(&dir.join("idle"));
    println!("{:<44} {}", "with an empty store", resident());
    drop(idle);
    rates(&dir).await;
    steady(&dir.join("steady")).await;
    start(&dir.join("start")).await;
    let _ = std::fs::remove_dir_all(&dir);
}

fn open(dir: &Path) -> DuckDbStore {
    let (store, report) =
        DuckDbStore::open(dir, Arc::new(System), Options::default()).expect("the store opens");
    assert!(report.is_clean(), "{report:?}");
    store
}

async fn commit(store: &DuckDbStore, entities: impl Iterator<Item = Entity>) {
    let puts = entities.map(|entity| (entity, Expect::Any)).collect();
    store.commit(Changes { puts, ..Changes::default() }).await.expect("a commit is made");
}

fn at(sorted: &[Duration], permille: usize) -> Duration {
    sorted.get(sorted.len().saturating_sub(1) * permille / 1000).copied().unwrap_or_default()
}

async fn rates(dir: &Path) {
    // As DuckDB comes, and with the journal's row groups and checkpoints: the second is what the journal could reach.
    let (plain, plain_cpu) = raw_appender(&dir.join("plain"), "", "");
    println!(
        "{:<44} {plain:>9.0} rows/s, {plain_cpu:.1} s of CPU for a million",
        "DuckDB's appender as it comes"
    );
    let (raw, raw_cpu) = raw_appender(
        &dir.join("raw"),
        "(ROW_GROUP_SIZE 8192, STORAGE_VERSION 'v1.4.0')",
        "USING COMPRESSION zstd",
    );
    println!(
        "{:<44} {raw:>9.0} rows/s, {raw_cpu:.1} s of CPU for a million",
        "DuckDB's appender with small row groups"
    );
    for (committers, rows_each) in [(1, 1), (1, ROWS), (4, ROWS), (64, ROWS)] {
        let store = Arc::new(open(&dir.join(format!("commits-{committers}-{rows_each}"))));
        let cpu_before = cpu();
        let (rate, latencies) = commits(&store, committers, rows_each).await;
        let statistics = store.statistics();
        let cpu = (cpu() - cpu_before) / statistics.rows as f64 * 1e6;
        println!(
            "{:<44} {rate:>9.0} rows/s, {cpu:.1} s of CPU for a million, {:.2} of the appender; p50 {:?}, p99 {:?}, worst {:?}; {:.1} commits a transaction",
            format!("{committers} committers of {rows_each} rows"),
            rate / raw,
            at(&latencies, 500),
            at(&latencies, 990),
            at(&latencies, 1000),
            statistics.commits as f64 / statistics.transactions as f64
        );
    }
}

/// Rows a second of DuckDB alone, with the same documents and hardly anything besides.
fn raw_appender(dir: &Path, attach: &str, compression: &str) -> (f64, f64) {
    std::fs::create_dir_all(dir).expect("a directory is made");
    let conn = duckdb::Connection::open_in_memory().expect("DuckDB starts");
    conn.execute_batch(&format!(
        "SET threads = 1; SET memory_limit = '64MiB';
         ATTACH '{}' AS raw {attach}; USE raw;
         CREATE TABLE journal (seq BIGINT, key VARCHAR, doc VARCHAR {compression})",
        dir.join("raw.duckdb").display()
    ))
    .expect("a table is made");
    let docs: Vec<String> = (0..1000)
        .map(|id| {
            serde_json::to_string(&varied(&sample::cluster_key("main"), id)).expect("a task has a JSON form")
        })
        .collect();
    println!("{:<44} {:>9} bytes", "a document", docs[1].len());
    let (begun, cpu_before, mut rows) = (Instant::now(), cpu(), 0);
    while begun.elapsed() < MEASURED {
        conn.execute_batch("BEGIN").expect("a transaction begins");
        let mut appender = conn.appender("journal").expect("an appender is made");
        for doc in &docs {
            rows += 1;
            appender.append_row(duckdb::params![rows, "key", doc]).expect("a row is appended");
        }
        appender.flush().expect("rows are written");
        drop(appender);
        conn.execute_batch("COMMIT").expect("a transaction ends");
    }
    let rows = f64::from(rows);
    (rows / begun.elapsed().as_secs_f64(), (cpu() - cpu_before) / rows * 1e6)
}

async fn commits(store: &Arc<DuckDbStore>, committers: u64, rows_each: u64) -> (f64, Vec<Duration>) {
    let begun = Instant::now();
    let rows = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for committer in 0..committers {
        let (store, rows) = (Arc::clone(store), Arc::clone(&rows));
        let cluster = sample::cluster_key("main");
        let ready: Vec<Task> =
            (0..rows_each).map(|n| varied(&cluster, u128::from(committer * 1000 + n))).collect();
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            for round in 0.. {
                if begun.elapsed() > MEASURED {
                    break;
                }
                // Another document each time, so that each is written anew.
                let entities = ready.iter().map(|task| {
                    let mut task = task.clone();
                    task.doc.make_mut().version = Some(round);
                    task.into()
                });
                let one = Instant::now();
                commit(&store, entities).await;
                latencies.push(one.elapsed());
                rows.fetch_add(rows_each, Ordering::Relaxed);
            }
            latencies
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.expect("a committer works"));
    }
    latencies.sort();
    (rows.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64(), latencies)
}

/// 15,000 rows a second for a minute, whatever compaction and checkpoints do meanwhile.
async fn steady(dir: &Path) {
    const PER_SECOND: f64 = 15_000.0;
    let minute = Duration::from_secs(60);
    let store = Arc::new(open(dir));
    let (begun, mut latencies, mut sent) = (Instant::now(), Vec::new(), 0_u64);
    let mut waiting = tokio::task::JoinSet::new();
    let cpu_before = cpu();
    while begun.elapsed() < minute {
        // A machine that can't keep up is measured, not drowned.
        while waiting.len() > 1000 {
            if let Some(done) = waiting.join_next().await {
                latencies.push(done.expect("a committer works"));
            }
        }
        let due = begun.elapsed().as_secs_f64() * PER_SECOND;
        while (sent as f64) < due && waiting.len() <= 1000 {
            let first = u128::from(sent % 20_000);
            let store = Arc::clone(&store);
            waiting.spawn(async move {
                let cluster = sample::cluster_key("main");
                let entities = (first..first + u128::from(ROWS)).map(|id| varied(&cluster, id).into());
                let one = Instant::now();
                commit(&store, entities).await;
                one.elapsed()
            });
            sent += ROWS;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        while let Some(done) = waiting.try_join_next() {
            latencies.push(done.expect("a committer works"));
        }
    }
    while let Some(done) = waiting.join_next().await {
        latencies.push(done.expect("a committer works"));
    }
    latencies.sort();
    let cpu = (cpu() - cpu_before) / sent as f64 * 1e6;
    println!(
        "{:<44} {:>9.0} rows/s; {cpu:.1} s of CPU for a million; p50 {:?}, p99 {:?}, p99.9 {:?}, worst {:?}; {} compactions; {}; file {} MiB",
        "15,000 rows/s wanted, for a minute",
        sent as f64 / begun.elapsed().as_secs_f64(),
        at(&latencies, 500),
        at(&latencies, 990),
        at(&latencies, 999),
        at(&latencies, 1000),
        store.statistics().compactions,
        resident(),
        std::fs::metadata(dir.join("journal.duckdb")).map_or(0, |file| file.len() >> 20)
    );
}

/// A start with many tasks, in a process whose memory nobody has used before.
async fn start(dir: &Path) {
    let store = open(dir);
    let cluster = sample::cluster_key("main");
    for first in (0..TASKS).step_by(1000) {
        commit(&store, (first..first + 1000).map(|id| varied(&cluster, id).into())).await;
    }
    store.close().await;
    drop(store);
    let program = std::env::current_exe().expect("this program has a path");
    let status = std::process::Command::new(program).arg(dir).env("KECS_START", "1").status();
    assert!(status.is_ok_and(|status| status.success()), "the second process failed");
}

async fn started(dir: &Path) {
    let begun = Instant::now();
    let store = open(dir);
    println!(
        "{:<44} {:?}, {:.1} s of CPU; {}",
        "a start with 100,000 tasks",
        begun.elapsed(),
        cpu(),
        resident()
    );
    reads(&store).await;
}

/// One task in ten is of a service; one in three has ended.
fn varied(cluster: &ClusterKey, number: u128) -> Task {
    let id = number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let task = sample::task(cluster, id);
    let task = if number.is_multiple_of(10) {
        sample::of_service(task, &format!("s{}", number % 100), 1)
    } else {
        task
    };
    if number.is_multiple_of(3) { sample::stopped(task, sample::at((number % 1000) as i64)) } else { task }
}

/// What a store of 100,000 tasks answers, and how fast.
async fn reads(store: &DuckDbStore) {
    const TIMES: u32 = 10_000;
    let cluster = sample::cluster_key("main");
    let query = TaskQuery {
        cluster: cluster.clone(),
        family: None,
        service: ServiceName::parse("s10"),
        started_by: None,
        desired: Some(DesiredStatus::Running),
        launch_type: None,
        instance: None,
    };
    let first = || PageRequest { after: None, limit: 100 };
    let page = store.list_tasks(&query, first()).await.expect("a list is read");
    let keys: Vec<_> = page.items.iter().map(|id| TaskKey { cluster: cluster.clone(), id: *id }).collect();
    let begun = Instant::now();
    for _ in 0..TIMES {
        store.list_tasks(&query, first()).await.expect("a list is read");
    }
    let list = begun.elapsed() / TIMES;
    let begun = Instant::now();
    for _ in 0..TIMES {
        store.tasks(&keys).await.expect("tasks are read");
    }
    let describe = begun.elapsed() / TIMES;
    let begun = Instant::now();
    for _ in 0..TIMES {
        store.cluster_counts(&cluster).await.expect("counts are read");
    }
    let counts = begun.elapsed() / TIMES;
    println!(
        "{:<44} a list of {} {list:?}, {} tasks {describe:?}, counts {counts:?}",
        "reads",
        page.items.len(),
        keys.len()
    );
}

/// Seconds of CPU that this process has used.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    // In hundredths of a second: user and system.
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or("");
        let kib: f64 = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0.0);
        format!("{:.1}", kib / 1024.0)
    };
    format!(
        "resident {} MiB, anonymous {} MiB, peak {} MiB",
        field("VmRSS"),
        field("RssAnon"),
        field("VmHWM")
    )
}
