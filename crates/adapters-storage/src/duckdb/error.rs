//! Why a store can't be opened.

use std::io;
use std::path::PathBuf;

/// Why a [`super::DuckDbStore`] can't be opened. Damage is no such reason: it ends in a
/// [`super::RecoveryReport`].
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the directory.
    #[error(
        "the data directory {dir} is in use{by}: {lock} is locked. One process at a time can have it",
        dir = dir.display(),
        lock = lock.display(),
        by = holder.map(|pid| format!(" by process {pid}")).unwrap_or_default()
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// The file whose lock is held.
        lock: PathBuf,
        /// Who holds it, if that can be told.
        holder: Option<u32>,
    },
    /// The file was written by a newer version of this program.
    #[error("{path} has format {found}; this version reads {known}. Use the version that wrote it", path = path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that is known here.
        known: i64,
    },
    /// A file or the directory can't be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// DuckDB can't do what it must, and it isn't damage.
    #[error("DuckDB can't open {path}: {source}", path = path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// DuckDB's words.
        source: duckdb::Error,
    },
    /// No thread could be started.
    #[error("no thread for the journal: {0}")]
    Thread(io::Error),
}

impl OpenError {
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    pub(super) fn database(path: impl Into<PathBuf>) -> impl FnOnce(duckdb::Error) -> Self {
        let path = path.into();
        move |source| Self::Database { path, source }
    }
}
