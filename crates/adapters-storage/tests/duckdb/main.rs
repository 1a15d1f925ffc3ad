//! The DuckDB store keeps the contract of a store, and keeps its promises when things break.

mod corruption;
mod disk;
mod journal;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use kecs_adapters_storage::{DuckDbStore, Options, RecoveryReport};
use kecs_domain::Timestamp;
use kecs_testkit::store::{Fixture, StoreFactory};
use kecs_usecases::ports::Clock;

/// A clock that goes on by a millisecond whenever somebody looks.
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(Ticking(AtomicI64::new(kecs_testkit::sample::CREATED_AT)))
}

fn open(dir: &Path) -> (DuckDbStore, RecoveryReport) {
    open_with(dir, Options::default())
}

fn open_with(dir: &Path, options: Options) -> (DuckDbStore, RecoveryReport) {
    DuckDbStore::open(dir, clock(), options).expect("the store opens")
}

/// What is on the disk now, as a kill of the process would leave it, in another directory.
fn killed(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    copy
}

struct DuckDb;

impl StoreFactory for DuckDb {
    async fn fresh() -> Option<Fixture> {
        let dir = tempfile::tempdir().unwrap();
        let (store, report) = open(dir.path());
        assert!(report.is_clean());
        Some(Fixture::new(store, dir))
    }
}

kecs_testkit::store_contract!(DuckDb);
