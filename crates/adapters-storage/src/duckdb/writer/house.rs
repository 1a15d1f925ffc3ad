//! Between transactions: checkpoints and compaction.

use super::Writer;
use crate::duckdb::compact::Compaction;
use crate::duckdb::database::wal_bytes;
use crate::duckdb::options::Options;

impl Writer {
    /// Does what is due between two transactions: little at a time.
    pub(super) fn keep_house(&mut self) {
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
    pub(super) fn checkpoint(&mut self) -> bool {
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
