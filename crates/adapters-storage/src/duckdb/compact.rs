//! Compaction: superseded rows leave the journal for the history, and the oldest history is forgotten.
//!
//! It works in slices between commits, each one small transaction, so that no commit waits long. A slice goes upwards by
//! number; a delete is a superseded row too and leaves after every older row of its key, so that at no time an older row
//! could be taken for the newest one. Interrupted anywhere, it goes on after the next start with what is left.

use duckdb::params;

use super::database::Database;
use super::schema::CATALOG;

/// The most rows that one slice moves. About 20 ms of work.
const SLICE_ROWS: usize = 2048;
/// The most numbers that one slice spans: it scans all rows of its span.
const SLICE_SPAN: i64 = 32_768;
/// History is cut back when it is over its bound by this part of it, so that it isn't done for each slice.
const HISTORY_SLACK: u64 = 8;

/// What can be compacted, and what is being compacted.
#[derive(Debug, Default)]
pub(super) struct Compaction {
    /// Superseded since the last round began, in no order.
    dead: Vec<i64>,
    /// What is left of this round, largest first.
    round: Vec<i64>,
    /// Rows in the history.
    history: u64,
}

impl Compaction {
    pub(super) fn new(dead: Vec<i64>, history: u64) -> Self {
        Self { dead, round: Vec::new(), history }
    }

    /// Notes that row `seq` says nothing about the present any more.
    pub(super) fn superseded(&mut self, seq: i64) {
        self.dead.push(seq);
    }

    /// Superseded rows that are still in the journal.
    pub(super) fn waiting(&self) -> usize {
        self.dead.len() + self.round.len()
    }

    /// Whether a round is under way.
    pub(super) fn is_running(&self) -> bool {
        !self.round.is_empty()
    }

    /// Begins a round with everything that is superseded by now. `last` is the number of the newest row, which
    /// always stays: the numbers go on from it.
    pub(super) fn begin(&mut self, last: i64) {
        self.round.append(&mut self.dead);
        self.round.sort_unstable_by(|a, b| b.cmp(a));
        if self.round.first() == Some(&last) {
            self.dead.push(self.round.remove(0));
        }
    }

    /// Moves the next slice. Nothing has changed if it fails.
    pub(super) fn slice(&mut self, database: &Database, history_rows: u64) -> duckdb::Result<()> {
        let Some(first) = self.round.last().copied() else { return Ok(()) };
        let fits =
            self.round.iter().rev().take(SLICE_ROWS).take_while(|seq| **seq - first < SLICE_SPAN).count();
        let rows = &self.round[self.round.len() - fits..];
        let last = rows[0];
        let keeps = history_rows > 0;
        database.transaction(|conn| {
            conn.execute_batch("CREATE OR REPLACE TEMP TABLE moving (seq BIGINT NOT NULL)")?;
            let mut appender = conn.appender_to_catalog_and_db("moving", "temp", "main")?;
            for seq in rows {
                appender.append_row([seq])?;
            }
            appender.flush()?;
            drop(appender);
            if keeps {
                conn.execute(
                    "INSERT INTO history SELECT * FROM journal
                     WHERE seq BETWEEN ? AND ? AND seq IN (SELECT seq FROM temp.moving)",
                    params![first, last],
                )?;
            }
            conn.execute(
                "DELETE FROM journal WHERE seq BETWEEN ? AND ? AND seq IN (SELECT seq FROM temp.moving)",
                params![first, last],
            )?;
            conn.execute("UPDATE format SET compacted_to = greatest(compacted_to, ?)", params![last])?;
            Ok(())
        })?;
        self.round.truncate(self.round.len() - fits);
        if keeps {
            self.history += fits as u64;
        }
        if self.history > history_rows.saturating_add(history_rows / HISTORY_SLACK) {
            self.forget(database, history_rows)?;
        }
        Ok(())
    }

    /// Cuts the history back to its newest `history_rows` rows.
    fn forget(&mut self, database: &Database, history_rows: u64) -> duckdb::Result<()> {
        let conn = database.conn();
        let surplus = i64::try_from(self.history - history_rows).unwrap_or(i64::MAX);
        let bound: Option<i64> = conn.query_row(
            // Without the documents: a sort of numbers.
            &format!("SELECT max(seq) FROM (SELECT seq FROM {CATALOG}.history ORDER BY seq LIMIT {surplus})"),
            [],
            |row| row.get(0),
        )?;
        if let Some(bound) = bound {
            conn.execute("DELETE FROM history WHERE seq <= ?", params![bound])?;
        }
        self.history = history(database)?;
        Ok(())
    }
}

/// How many rows the history has.
pub(super) fn history(database: &Database) -> duckdb::Result<u64> {
    database.conn().query_row("SELECT count(*) FROM history", [], |row| row.get(0))
}
