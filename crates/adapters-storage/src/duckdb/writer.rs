//! The owner of the journal: one thread that writes for everybody.
//!
//! Group commit: whatever waits goes into the next transaction, in the order it came. Each commit is checked against the
//! state and against those before it in the same transaction; each is answered only after the transaction is durable and
//! its changes are in the state. A commit that fails its check is answered after that too, so that whoever loads again
//! finds what was in the way.
//!
//! Between transactions the thread keeps house: it moves DuckDB's log into the file, and superseded rows into the history.

mod house;
mod reopen;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use futures::channel::oneshot;
use kecs_domain::Timestamp;
use kecs_usecases::ports::store::EntityKey;
use kecs_usecases::ports::{Clock, PortError, Version};

use super::compact::Compaction;
use super::database::{Database, wal_bytes};
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

/// A commit that can be made, with the number of its first row.
struct Accepted {
    pending: Pending,
    start: i64,
}

impl Accepted {
    fn rows(&self) -> i64 {
        // It came in memory, so it is no larger than that.
        i64::try_from(self.pending.rows.len()).unwrap_or(i64::MAX)
    }
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
    pub(super) last_reopen: Option<Timestamp>,
    /// Commits whose transaction failed in a way that leaves open whether it was made, and the number after them.
    pub(super) unsettled: Vec<(Checked, i64)>,
    pub(super) unsettled_end: i64,
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
                    bytes +=
                        pending.rows.iter().map(|row| row.doc.as_ref().map_or(0, String::len)).sum::<usize>();
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
        if let Err(error) = self.reopen_if_lost() {
            for pending in batch {
                let _ = pending.reply.send(Err(error.clone()));
            }
            return;
        }
        let (accepted, refused) = self.sort_out(batch);
        let end = accepted.last().map_or(self.next_seq, |last| last.start + last.rows());
        let made = if end > self.next_seq { self.append(end, &accepted) } else { Ok(()) };
        match made {
            Ok(()) => {
                self.next_seq = end;
                for Accepted { pending, start } in accepted {
                    let versions = self.apply(pending.changes, start);
                    // If nobody waits any more, it is made all the same.
                    let _ = pending.reply.send(Ok(versions));
                }
                for (pending, conflict) in refused {
                    let _ = pending.reply.send(Err(conflict));
                }
            }
            Err(error) => {
                // The file alone knows whether the transaction is durable; the next look at it settles that.
                for Accepted { pending, start } in accepted {
                    let _ = pending.reply.send(Err(error.clone()));
                    self.unsettled.push((pending.changes, start));
                }
                self.unsettled_end = end;
                for (pending, _) in refused {
                    let _ = pending.reply.send(Err(error.clone()));
                }
                let _ = self.reopen_if_lost();
            }
        }
    }

    /// Checks each commit against the state and those before it. Those that hold get their numbers.
    fn sort_out(&self, batch: Vec<Pending>) -> (Vec<Accepted>, Vec<(Pending, PortError)>) {
        let mut overlay: HashMap<EntityKey, Option<Version>> = HashMap::new();
        let (mut accepted, mut refused) = (Vec::with_capacity(batch.len()), Vec::new());
        let mut seq = self.next_seq;
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
            accepted.push(Accepted { pending, start });
        }
        (accepted, refused)
    }

    /// Makes the rows up to `end` durable.
    fn append(&mut self, end: i64, accepted: &[Accepted]) -> Result<(), PortError> {
        let Some(database) = &self.database else {
            return Err(PortError::transient("the journal can't be written"));
        };
        let commits = accepted.iter().map(|it| it.pending.rows.as_slice()).filter(|rows| !rows.is_empty());
        if let Err(error) = database.append(self.next_seq, self.clock.now(), commits) {
            tracing::error!(%error, "the journal can't be written");
            self.database = None;
            self.last_reopen = None;
            return Err(PortError::transient(format!("the journal can't be written: {error}")));
        }
        self.acknowledge(end);
        let commits = accepted.iter().filter(|it| !it.pending.rows.is_empty()).count();
        self.shared.statistics.add_transaction(commits, end - self.next_seq);
        Ok(())
    }

    /// Notes that everything before row `end` is durable.
    fn acknowledge(&self, end: i64) {
        if let Err(error) = self.mark.set(u64::try_from(end - 1).unwrap_or(0)) {
            tracing::warn!(%error, "the high-water mark can't be written");
        }
    }

    /// Puts a durable commit into the state.
    fn apply(&mut self, changes: Checked, start: i64) -> Vec<Version> {
        let mut seq = start;
        let mut versions = Vec::with_capacity(changes.puts.len());
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
        versions
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
