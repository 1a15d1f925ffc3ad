//! After a failure: opening the database again, and finding out what it has.

use std::time::Duration;

use kecs_usecases::ports::PortError;

use super::Writer;
use crate::duckdb::database::{Access, Database};

/// A database that can't be opened again is tried at most so often.
const REOPEN_EVERY: Duration = Duration::from_secs(1);

impl Writer {
    /// Opens the database again if a failure has lost it, and settles what was under way then.
    pub(super) fn reopen_if_lost(&mut self) -> Result<(), PortError> {
        if self.database.is_some() {
            return Ok(());
        }
        let now = self.clock.now();
        if self.last_reopen.is_some_and(|last| now.duration_since(last) < REOPEN_EVERY) {
            return Err(PortError::transient("the journal can't be written"));
        }
        self.last_reopen = Some(now);
        let opened = Database::open(&self.files.database, Access::Write, &self.options)
            .and_then(|database| database.last_seq().map(|last| (database, last)));
        let (database, last) = opened.map_err(|error| {
            tracing::error!(%error, "the journal can't be opened again");
            PortError::transient(format!("the journal can't be opened: {error}"))
        })?;
        let unsettled = std::mem::take(&mut self.unsettled);
        let made = last >= self.next_seq;
        tracing::info!(made, commits = unsettled.len(), "the journal was opened again");
        if made {
            // It was durable when the failure came: whoever was told to try again will find it done.
            for (changes, start) in unsettled {
                self.apply(changes, start);
            }
            self.next_seq = self.unsettled_end;
            self.acknowledge(self.next_seq);
        }
        self.database = Some(database);
        Ok(())
    }
}
