//! What a start found.

use std::path::PathBuf;
use std::time::Duration;

/// What a start found in a data directory. Whatever it says was also logged as an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Rows of the journal that were read.
    pub rows: u64,
    /// Entities that the store has now.
    pub entities: usize,
    /// Rows that could not be used. They are kept in the table `damaged`, as far as they could be read.
    pub damaged: Vec<DamagedRow>,
    /// Files that could not be used as they were, where they are now.
    pub set_aside: Vec<SetAside>,
}

/// A row that could not be used, or a run of rows that are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedRow {
    /// Its number; of a run, the first one. None if that can't be read either.
    pub seq: Option<u64>,
    /// Whose row it is, such as `Task 123456789012/eu-central-1/main/...`, if that can be read.
    pub key: Option<String>,
    /// How many rows it stands for: 1, or the length of a run.
    pub rows: u64,
    /// What is wrong with it.
    pub why: String,
}

/// A file that was moved or copied out of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is now.
    pub path: PathBuf,
    /// What was wrong with it.
    pub why: String,
}

impl RecoveryReport {
    /// Whether nothing was lost or damaged.
    pub fn is_clean(&self) -> bool {
        self.damaged.is_empty() && self.set_aside.is_empty()
    }

    /// Logs what an operator has to know.
    pub(super) fn log(&self, took: Duration) {
        /// Rows beyond this are in the table `damaged`; a log is no place for thousands.
        const MOST: usize = 20;
        for aside in &self.set_aside {
            tracing::error!(path = %aside.path.display(), why = aside.why, "a file of the journal was set aside");
        }
        for row in self.damaged.iter().take(MOST) {
            tracing::error!(seq = row.seq, key = row.key, why = row.why, "the journal is damaged");
        }
        if self.damaged.len() > MOST {
            tracing::error!(rows = self.damaged.len(), "the journal is damaged: see the table `damaged`");
        }
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(rows = self.rows, entities = self.entities, millis, "the journal was read");
    }
}
