//! The store in one DuckDB file: an append-only journal, and everything in memory besides.
//!
//! DuckDB appends fast and updates slowly, so nothing is ever updated: each change is a row of the table `journal`, with the
//! whole document, and the present is the newest row of each key. It is rebuilt in memory at the start and serves every
//! read. One thread owns the connection; whatever waits for it goes into one transaction. Superseded rows
//! move to the table `history`, in small steps between commits, which is bounded too ([`Options::history_rows`]).
//!
//! What is deliberately not here: reading from DuckDB to answer a request, and a second process on the same directory.
//!
//! # Files
//!
//! `journal.duckdb` and `journal.duckdb.wal` are DuckDB's; a COMMIT syncs the latter. `journal.mark` has the number of the last
//! acknowledged row, which tells a log that lost rows from one that ends in an unacknowledged commit. `kecs.lock` is locked
//! while a process has the directory, and names it.
//!
//! # SQL over the history
//!
//! The file can be opened with DuckDB's own shell while KECS is stopped (or a copy of it at any time). `changes` has every
//! change that is kept, `latest` the present:
//!
//! | column | meaning |
//! | --- | --- |
//! | `seq` | its number; the version that it saved. Without gaps, over all keys |
//! | `changed_at` | when, UTC |
//! | `commit_seq` | the number of the first row of its commit: what was saved together |
//! | `kind` | `Cluster`, `Family`, `TaskDefinition`, `Task`, `Service`, `ServiceDeployment`, `ServiceRevision`, `Token` |
//! | `key` | `ACCOUNT/REGION/...`, unique in its kind |
//! | `account`, `region`, `cluster`, `name` | the parts of the key; no cluster for families and task definitions |
//! | `status` | `RUNNING`, `ACTIVE`, `SUCCESSFUL`, ...; none for families, revisions and tokens |
//! | `deleted` | whether it was removed; then `doc` is NULL |
//! | `doc` | the entity in JSON |
//!
//! Which deployments failed, and why:
//!
//! ```sql
//! SELECT changed_at, cluster, name, status, doc->>'$.doc.statusReason'
//! FROM changes
//! WHERE kind = 'ServiceDeployment' AND status IN ('ROLLBACK_FAILED', 'STOPPED')
//! ORDER BY changed_at;
//! ```
//!
//! How long tasks took from their start to RUNNING:
//!
//! ```sql
//! SELECT quantile_cont(epoch(running - created), [0.5, 0.99])
//! FROM (SELECT key, min(changed_at) AS created, min(changed_at) FILTER (status = 'RUNNING') AS running
//!       FROM changes WHERE kind = 'Task' GROUP BY key);
//! ```
//!
//! Tables beside the journal: `history` (superseded rows), `damaged` (rows that could not be used), `missing` (runs of rows
//! that were lost), `format`. `crc` is the CRC-32 of a row's columns.

mod compact;
mod database;
mod error;
mod lock;
mod mark;
mod options;
mod recover;
mod report;
mod row;
mod schema;
mod writer;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use async_trait::async_trait;
use futures::channel::oneshot;
use kecs_usecases::ports::{Changes, Clock, PortError, UnitOfWork, Version};
use parking_lot::{Mutex, RwLock};

pub use error::OpenError;
pub use options::Options;
pub use report::{DamagedRow, RecoveryReport, SetAside};

use crate::state::{Checked, State, implement_reads, slim};
use compact::Compaction;
use lock::DirLock;
use options::Files;
use row::Draft;
use writer::{Message, Pending, Writer};

/// What readers and the journal's thread share.
struct Shared {
    state: RwLock<State>,
    statistics: Statistics,
}

#[derive(Default)]
struct Statistics {
    transactions: AtomicU64,
    commits: AtomicU64,
    rows: AtomicU64,
    compactions: AtomicU64,
}

/// What the journal has written since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalStatistics {
    /// Transactions: each one is one sync of the disk.
    pub transactions: u64,
    /// Commits in them.
    pub commits: u64,
    /// Rows in them.
    pub rows: u64,
    /// Finished rounds of compaction.
    pub compactions: u64,
}

/// A store in a directory of its own, kept by DuckDB.
///
/// Dropping it finishes the commits that wait and closes the files, as [`DuckDbStore::close`] does, and blocks until that is
/// done.
pub struct DuckDbStore {
    shared: Arc<Shared>,
    queue: Mutex<Option<Sender<Message>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl DuckDbStore {
    /// Opens the store in `dir`, and makes it if there is none. Blocks while the journal is read.
    ///
    /// The report says what was damaged or lost; that was logged as well.
    ///
    /// # Errors
    /// [`OpenError`] if another process has the directory, if it can't be read or written, or if a newer version wrote it.
    pub fn open(
        dir: &Path,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<(Self, RecoveryReport), OpenError> {
        let begun = clock.now();
        fs::create_dir_all(dir).map_err(OpenError::io(dir))?;
        let files = Files::new(dir.to_owned());
        let lock = DirLock::take(&files)?;
        let recovered = recover::recover(&files, &options, begun)?;
        recovered.report.log(clock.now().duration_since(begun));
        let history = compact::history(&recovered.database).unwrap_or_else(|error| {
            tracing::error!(%error, "the history can't be read");
            0
        });
        let shared =
            Arc::new(Shared { state: RwLock::new(recovered.state), statistics: Statistics::default() });
        let writer = Writer {
            files,
            options,
            clock,
            shared: Arc::clone(&shared),
            database: Some(recovered.database),
            mark: recovered.mark,
            next_seq: recovered.next_seq,
            compaction: Compaction::new(recovered.dead, history),
            last_reopen: None,
            unsettled: Vec::new(),
            unsettled_end: 0,
            lock,
        };
        let (send, receive) = channel();
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run(&receive))
            .map_err(OpenError::Thread)?;
        let store = Self { shared, queue: Mutex::new(Some(send)), thread: Mutex::new(Some(thread)) };
        Ok((store, recovered.report))
    }

    /// Finishes the commits that came before, closes the files and gives the directory free. Commits after this are refused as
    /// Transient; reads go on.
    pub async fn close(&self) {
        let (send, done) = oneshot::channel();
        let queue = self.queue.lock().take();
        if let Some(queue) = queue {
            // If the thread has died, there is nothing left to wait for.
            let _ = queue.send(Message::Close(send));
            drop(queue);
            let _ = done.await;
        }
    }

    /// What was written since the store was opened.
    pub fn statistics(&self) -> JournalStatistics {
        let statistics = &self.shared.statistics;
        JournalStatistics {
            transactions: statistics.transactions.load(Relaxed),
            commits: statistics.commits.load(Relaxed),
            rows: statistics.rows.load(Relaxed),
            compactions: statistics.compactions.load(Relaxed),
        }
    }

    fn read(&self) -> impl std::ops::Deref<Target = State> + '_ {
        self.shared.state.read()
    }
}

impl Drop for DuckDbStore {
    fn drop(&mut self) {
        drop(self.queue.lock().take());
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's thread panicked");
        }
    }
}

#[async_trait]
impl UnitOfWork for DuckDbStore {
    async fn commit(&self, changes: Changes) -> Result<Vec<Version>, PortError> {
        let mut changes = Checked::new(changes)?;
        // Documents are written here, by every caller for itself, and not by the one thread.
        let mut rows = Vec::with_capacity(changes.len());
        for (key, entity) in &mut changes.puts {
            let draft = Draft::put(key, entity);
            *entity = slim(entity);
            rows.push(
                draft.map_err(|error| PortError::permanent(format!("{key:?} has no JSON form: {error}")))?,
            );
        }
        rows.extend(changes.deletes.iter().map(Draft::delete));
        let (reply, answer) = oneshot::channel();
        let sent = match &*self.queue.lock() {
            Some(queue) => queue.send(Message::Commit(Pending { changes, rows, reply })).is_ok(),
            None => false,
        };
        if !sent {
            return Err(PortError::transient("the store is closed"));
        }
        // Dropped from here on: the thread makes the whole commit, or none of it if it has not begun.
        answer.await.unwrap_or_else(|_| Err(PortError::transient("the journal has ended")))
    }
}

implement_reads!(DuckDbStore);
