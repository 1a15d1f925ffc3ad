//! What can be set about the journal, with defaults for a small machine.

use std::path::PathBuf;

/// Settings of a [`super::DuckDbStore`].
#[derive(Clone, Debug)]
pub struct Options {
    /// The most memory that DuckDB uses for its buffers, in MiB. At least 32.
    pub memory_limit_mib: u32,
    /// DuckDB's write-ahead log is moved into the file when it is larger than this, in bytes. Commits that come
    /// meanwhile wait, about 10 ms for each MiB.
    pub checkpoint_bytes: u64,
    /// The most rows in one transaction. Commits beyond it wait for the next one.
    pub batch_rows: usize,
    /// Superseded rows are moved out of the journal when there are more than this...
    pub compact_rows: usize,
    /// ...and more than this many for each entity that is stored.
    pub compact_ratio: usize,
    /// The most superseded rows that are kept as history. 0 keeps none.
    pub history_rows: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory_limit_mib: 64,
            checkpoint_bytes: 16 << 20,
            batch_rows: 4096,
            compact_rows: 100_000,
            compact_ratio: 4,
            history_rows: 500_000,
        }
    }
}

/// The files of a store, all in its directory.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) dir: PathBuf,
    pub(super) lock: PathBuf,
    pub(super) database: PathBuf,
    pub(super) wal: PathBuf,
    /// Logs that DuckDB has only while it makes a checkpoint. Nothing is committed meanwhile, so they hold nothing.
    pub(super) passing_wals: [PathBuf; 2],
    pub(super) mark: PathBuf,
}

impl Files {
    pub(super) fn new(dir: PathBuf) -> Self {
        let file = |name: &str| dir.join(name);
        Self {
            lock: file("kecs.lock"),
            database: file("journal.duckdb"),
            wal: file("journal.duckdb.wal"),
            passing_wals: [file("journal.duckdb.wal.checkpoint"), file("journal.duckdb.wal.recovery")],
            mark: file("journal.mark"),
            dir,
        }
    }

    /// Where a file is put that can't be used: beside the others, named by the time.
    pub(super) fn aside(path: &std::path::Path, now: kecs_domain::Timestamp) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}", now.to_string().replace([':', '-'], "")));
        let mut aside = PathBuf::from(&name);
        let mut again = 1;
        while aside.exists() {
            let mut name = name.clone();
            name.push(format!(".{again}"));
            aside = PathBuf::from(name);
            again += 1;
        }
        aside
    }
}
