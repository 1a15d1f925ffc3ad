//! The owner of the journal: one thread that writes for everybody.
//!
//! Group commit: whatever waits goes into the next transaction, in the order it came. Each commit is checked against the
//! state and against those before it in the same transaction; each is answered only after the transaction is durable and
//! its changes are in the state. A commit that fails its check is answered after that too, so that whoever loads again
//! finds what was in the way.
//!
//! Between transactions the thread keeps house: it moves DuckDB's log into the file, and superseded rows into the history.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use kecs_usecases::ports::store::EntityKey;
use kecs_usecases::ports::{Clock, PortError, Version};

use super::compact::Compaction;
use super::database::{Access, Database, wal_bytes};
use super::lock::DirLock;
use super::mark::Mark;
use super::options::{Files, Options};
use super::row::Draft;
use super::{Shared, Statistics};
use crate::state::{Checked, check};

/// The most document bytes in one transaction, unless a single commit has more.
const BATCH_BYTES: usize = 8 << 20;
/// After so long without a commit the log is moved into the file, so that the next start is quick.
const IDLE: Duration = Duration::from_secs(2);
/// A log smaller than this is left alone then: it is replayed in no time.
const IDLE_WAL_BYTES: u64 = 1 << 20;
/// A database that can't be opened again is tried at most so often.
const REOPEN_EVERY: Duration = Duration::from_secs(1);

/// What the thread is asked for.
pub(super) enum Message {
    Commit(Pending),
    /// Finish what came before, and end.
    Close(oneshot::Sender<()>),
}

/// A commit that waits.
pub(super) struct Pending {
    pub(super) changes: Checked,
    /// The puts, then the deletes.
    pub(super) rows: Vec<Draft>,
    pub(super) reply: oneshot::Sender<Result<Vec<Version>, PortError>>,
}

pub(super) struct Writer {
    pub(super) files: Files,
    pub(super) options: Options,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) shared: Arc<Shared>,
    /// None after a failure, until it can be opened again.
    pub(super) database: Option<Database>,
    pub(super) mark: Mark,
    pub(super) next_seq: i64,
    pub(super) compaction: Compaction,
    pub(super) last_reopen: Option<Instant>,
    /// Dropped last: the directory is free when the database is closed.
    pub(super) lock: DirLock,
}

impl Writer {
    /// Works until it is told to close or nobody is left who could ask.
    pub(super) fn run(mut self, queue: &Receiver<Message>) {
        let mut closed = None;
        while closed.is_none() {
            let Some(first) = self.next(queue) else { break };
            closed = self.take_batch(first, queue);
            self.keep_house();
        }
        // What was sent before the last sender went is still in the queue.
        while let Ok(message) = queue.try_recv() {
            if let Message::Commit(pending) = message {
                if closed.is_none() {
                    self.write(vec![pending]);
                } else {
                    let _ = pending.reply.send(Err(PortError::transient("the store is closed")));
                }
            }
        }
        if let Some(database) = self.database.take() {
            // Without it, the next start replays the log: no harm, but slower.
            if let Err(error) = database.checkpoint() {
                tracing::warn!(%error, "no checkpoint at the end");
            }
        }
        let _ = self.mark.sync();
        drop(self.lock);
        if let Some(closed) = closed {
            let _ = closed.send(());
        }
    }

    /// The next message; keeps house while there is none.
    fn next(&mut self, queue: &Receiver<Message>) -> Option<Message> {
        loop {
            if self.compaction.is_running() && self.database.is_some() {
                match queue.try_recv() {
                    Ok(message) => return Some(message),
                    Err(std::sync::mpsc::TryRecvError::Disconnected) => return None,
                    Err(std::sync::mpsc::TryRecvError::Empty) => self.keep_house(),
                }
            } else if wal_bytes(&self.files) > IDLE_WAL_BYTES && self.database.is_some() {
                match queue.recv_timeout(IDLE) {
                    Ok(message) => return Some(message),
                    Err(RecvTimeoutError::Disconnected) => return None,
                    Err(RecvTimeoutError::Timeout) => {
                        if !self.checkpoint() {
                            return queue.recv().ok();
                        }
                    }
                }
            } else {
                return queue.recv().ok();
            }
        }
    }

    /// Writes `first` and whatever waits behind it. Returns whom to tell of the end, if that is asked for.
    fn take_batch(&mut self, first: Message, queue: &Receiver<Message>) -> Option<oneshot::Sender<()>> {
        let (mut batch, mut rows, mut bytes) = (Vec::new(), 0, 0);
        let mut closed = None;
        let mut message = Some(first);
        loop {
            match message {
                Some(Message::Commit(pending)) => {
                    rows += pending.rows.len();
                    bytes += pending.rows.iter().map(|row| row.doc.as_ref().map_or(0, String::len)).sum::<usize>();
                    batch.push(pending);
                }
                Some(Message::Close(reply)) => closed = Some(reply),
                None => break,
            }
            if closed.is_some() || rows >= self.options.batch_rows || bytes >= BATCH_BYTES {
                break;
            }
            message = queue.try_recv().ok();
        }
        self.write(batch);
        closed
    }

    /// Makes the commits of `batch` that can be made, and answers all of them.
    fn write(&mut self, batch: Vec<Pending>) {
        if batch.is_empty() {
            return;
        }
        let mut overlay: HashMap<EntityKey, Option<Version>> = HashMap::new();
        let (mut accepted, mut refused) = (Vec::with_capacity(batch.len()), Vec::new());
        let first_seq = self.next_seq;
        let mut seq = first_seq;
        for pending in batch {
            // Nobody waits for it, and nothing of it was done.
            if pending.reply.is_canceled() {
                continue;
            }
            let holds = {
                let state = self.shared.state.read();
                check(&pending.changes.expectations, |key| {
                    overlay.get(key).copied().unwrap_or_else(|| state.version_of(key))
                })
            };
            if let Err(conflict) = holds {
                refused.push((pending, conflict));
                continue;
            }
            let start = seq;
            for (key, _) in &pending.changes.puts {
                overlay.insert(key.clone(), Some(version(seq)));
                seq += 1;
            }
            for key in &pending.changes.deletes {
                overlay.insert(key.clone(), None);
                seq += 1;
            }
            accepted.push((pending, start));
        }
        if seq > first_seq {
            if let Err(error) = self.append(first_seq, seq, &accepted) {
                for (pending, _) in accepted {
                    let _ = pending.reply.send(Err(error.clone()));
                }
                for (pending, _) in refused {
                    let _ = pending.reply.send(Err(error.clone()));
                }
                return;
            }
            self.next_seq = seq;
        }
        for (pending, start) in accepted {
            self.apply(pending, start);
        }
        for (pending, conflict) in refused {
            let _ = pending.reply.send(Err(conflict));
        }
    }

    /// Makes rows `first_seq` up to `end` durable.
    fn append(&mut self, first_seq: i64, end: i64, accepted: &[(Pending, i64)]) -> Result<(), PortError> {
        self.reopen_if_lost()?;
        let Some(database) = &self.database else {
            return Err(PortError::transient("the journal can't be written"));
        };
        let commits = accepted.iter().map(|(pending, _)| pending.rows.as_slice()).filter(|rows| !rows.is_empty());
        if let Err(error) = database.append(first_seq, self.clock.now(), commits) {
            tracing::error!(%error, "the journal can't be written");
            // Whether the transaction is durable is known only to the file.
            self.database = None;
            self.last_reopen = None;
            if self.reopen()? < end - 1 {
                return Err(PortError::transient(format!("the journal can't be written: {error}")));
            }
        }
        if let Err(error) = self.mark.set(u64::try_from(end - 1).unwrap_or(0)) {
            tracing::warn!(%error, "the high-water mark can't be written");
        }
        let statistics = &self.shared.statistics;
        statistics.add_transaction(accepted.iter().filter(|(pending, _)| !pending.rows.is_empty()).count(), end - first_seq);
        Ok(())
    }

    /// Puts a durable commit into the state and answers it.
    fn apply(&mut self, pending: Pending, start: i64) {
        let Pending { changes, reply, .. } = pending;
        let mut seq = start;
        let mut versions = Vec::with_capacity(changes.puts.len());
        {
            let mut state = self.shared.state.write();
            for (_, entity) in changes.puts {
                versions.push(version(seq));
                if let Some(old) = state.put(entity, version(seq)) {
                    self.compaction.superseded(seq_of(old));
                }
                seq += 1;
            }
            for key in &changes.deletes {
                if let Some(old) = state.remove(key) {
                    self.compaction.superseded(seq_of(old));
                }
                self.compaction.superseded(seq);
                seq += 1;
            }
        }
        // If nobody waits any more, it is made all the same.
        let _ = reply.send(Ok(versions));
    }

    fn reopen_if_lost(&mut self) -> Result<(), PortError> {
        if self.database.is_some() {
            return Ok(());
        }
        if self.last_reopen.is_some_and(|last| last.elapsed() < REOPEN_EVERY) {
            return Err(PortError::transient("the journal can't be written"));
        }
        let last = self.reopen()?;
        // The state knows what was acknowledged; rows beyond it were refused, so they must not stay.
        if last >= self.next_seq {
            self.database = None;
            return Err(PortError::transient("the journal has rows that nobody acknowledged"));
        }
        Ok(())
    }

    /// Opens the database again. Returns the number of its last row.
    fn reopen(&mut self) -> Result<i64, PortError> {
        self.last_reopen = Some(Instant::now());
        let opened = Database::open(&self.files.database, Access::Write, &self.options)
            .and_then(|database| database.last_seq().map(|last| (database, last)));
        match opened {
            Ok((database, last)) => {
                tracing::info!("the journal was opened again");
                self.database = Some(database);
                Ok(last)
            }
            Err(error) => {
                tracing::error!(%error, "the journal can't be opened again");
                Err(PortError::transient(format!("the journal can't be opened: {error}")))
            }
        }
    }

    /// Does what is due between two transactions: little at a time.
    fn keep_house(&mut self) {
        if wal_bytes(&self.files) > self.options.checkpoint_bytes {
            self.checkpoint();
        }
        let Options { compact_rows, compact_ratio, history_rows, .. } = self.options;
        let waiting = self.compaction.waiting();
        if !self.compaction.is_running()
            && waiting > compact_rows
            && waiting > self.shared.state.read().len().saturating_mul(compact_ratio)
        {
            tracing::info!(rows = waiting, "compaction begins");
            self.compaction.begin(self.next_seq - 1);
        }
        if self.compaction.is_running()
            && let Some(database) = &self.database
        {
            if let Err(error) = self.compaction.slice(database, history_rows) {
                // The next start knows again what can be compacted; until then the journal only grows.
                tracing::error!(%error, "compaction failed and rests until the next start");
                self.compaction = Compaction::default();
            } else if !self.compaction.is_running() {
                self.shared.statistics.add_compaction();
                tracing::info!("compaction is done");
            }
        }
    }

    /// Moves the log into the file. Returns whether that worked.
    fn checkpoint(&mut self) -> bool {
        let Some(database) = &self.database else { return false };
        match database.checkpoint() {
            Ok(()) => {
                let _ = self.mark.sync();
                true
            }
            Err(error) => {
                // A query may be reading: then it works the next time.
                tracing::warn!(%error, "no checkpoint was possible");
                false
            }
        }
    }
}

/// A version is the number of the row that saved it.
fn version(seq: i64) -> Version {
    Version(u64::try_from(seq).unwrap_or(0))
}

fn seq_of(version: Version) -> i64 {
    i64::try_from(version.0).unwrap_or(i64::MAX)
}

impl Statistics {
    fn add_transaction(&self, commits: usize, rows: i64) {
        use std::sync::atomic::Ordering::Relaxed;
        self.transactions.fetch_add(1, Relaxed);
        self.commits.fetch_add(commits as u64, Relaxed);
        self.rows.fetch_add(u64::try_from(rows).unwrap_or(0), Relaxed);
    }

    fn add_compaction(&self) {
        self.compactions.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}
