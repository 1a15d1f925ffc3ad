//! The connection to DuckDB: opened for this file alone, with bounded memory and no extras.

use std::path::Path;

use duckdb::{Config, Connection};
use kecs_domain::Timestamp;

use super::options::{Files, Options};
use super::row::{Draft, Header, micros};
use super::schema::{ATTACH_OPTIONS, CATALOG};

/// An open database. Belongs to one thread at a time.
#[derive(Debug)]
pub(super) struct Database {
    conn: Connection,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// For the journal's work.
    Write,
    /// To try whether it can be opened: changes nothing.
    Read,
}

/// `'...'` in SQL.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Database {
    /// Opens (or makes) the file, and replays its write-ahead log.
    pub(super) fn open(file: &Path, access: Access, options: &Options) -> duckdb::Result<Self> {
        let memory = memory_mib(options);
        let config = Config::default()
            // One thread: the journal is one writer, and each further thread has its own buffers.
            .threads(1)?
            .max_memory(&format!("{memory}MiB"))?
            // Nothing is ever downloaded or loaded.
            .with("autoinstall_known_extensions", "false")?
            .with("autoload_known_extensions", "false")?;
        let conn = Connection::open_in_memory_with_flags(config)?;
        let read_only = if access == Access::Read { ", READ_ONLY" } else { "" };
        conn.execute_batch(&format!(
            "ATTACH {} AS {CATALOG} ({ATTACH_OPTIONS}{read_only}); USE {CATALOG};
             -- Checkpoints are made between commits, not within one.
             SET checkpoint_threshold = '1TB';
             SET preserve_insertion_order = true;",
            quoted(&file.display().to_string()),
        ))?;
        if access == Access::Write {
            // Spills of large queries go beside the file, and never grow without bound.
            let spill = file.with_extension("spill");
            conn.execute_batch(&format!(
                "SET temp_directory = {}; SET max_temp_directory_size = '1GiB';",
                quoted(&spill.display().to_string())
            ))?;
        }
        Ok(Self { conn })
    }

    /// Gives back the memory of blocks that were read.
    pub(super) fn forget_blocks(&self, options: &Options) -> duckdb::Result<()> {
        let memory = memory_mib(options);
        self.conn.execute_batch(&format!("SET memory_limit = '8MiB'; SET memory_limit = '{memory}MiB';"))
    }

    pub(super) fn conn(&self) -> &Connection {
        &self.conn
    }

    /// Makes all of `work` in one transaction, or none of it.
    pub(super) fn transaction<T>(
        &self,
        work: impl FnOnce(&Connection) -> duckdb::Result<T>,
    ) -> duckdb::Result<T> {
        self.conn.execute_batch("BEGIN")?;
        match work(&self.conn) {
            Ok(result) => {
                self.conn.execute_batch("COMMIT")?;
                Ok(result)
            }
            Err(error) => {
                // The first error is what counts.
                let _ = self.conn.execute_batch("ROLLBACK");
                Err(error)
            }
        }
    }

    /// Appends commits that follow each other, in one transaction. DuckDB syncs its log before this returns.
    pub(super) fn append<'a>(
        &self,
        first_seq: i64,
        now: Timestamp,
        commits: impl Iterator<Item = &'a [Draft]>,
    ) -> duckdb::Result<()> {
        let changed_at_micros = micros(now);
        let changed_at =
            duckdb::types::Value::Timestamp(duckdb::types::TimeUnit::Microsecond, changed_at_micros);
        self.transaction(|conn| {
            let mut appender = conn.appender_to_catalog_and_db("journal", CATALOG, "main")?;
            let mut seq = first_seq;
            for rows in commits {
                let commit_seq = seq;
                // A commit has fewer rows than that: it came in memory.
                let commit_rows = i32::try_from(rows.len()).unwrap_or(i32::MAX);
                for row in rows {
                    let Draft { kind, key, status, doc } = row;
                    let header = Header {
                        seq,
                        changed_at_micros,
                        commit_seq,
                        commit_rows,
                        kind,
                        key,
                        status: *status,
                    };
                    let crc = header.checksum(doc.as_deref());
                    appender.append_row(duckdb::params![
                        seq,
                        changed_at,
                        commit_seq,
                        commit_rows,
                        kind,
                        key,
                        status,
                        doc.is_none(),
                        doc,
                        crc
                    ])?;
                    seq += 1;
                }
            }
            appender.flush()
        })
    }

    /// Moves the write-ahead log into the file.
    pub(super) fn checkpoint(&self) -> duckdb::Result<()> {
        self.conn.execute_batch(&format!("CHECKPOINT {CATALOG}"))
    }

    /// The largest number in the journal; 0 when it is empty.
    pub(super) fn last_seq(&self) -> duckdb::Result<i64> {
        self.conn.query_row("SELECT coalesce(max(seq), 0) FROM journal", [], |row| row.get(0))
    }
}

/// The most memory for DuckDB's buffers. Below this its checkpoints don't work.
fn memory_mib(options: &Options) -> u32 {
    options.memory_limit_mib.max(32)
}

/// The size of the write-ahead log.
pub(super) fn wal_bytes(files: &Files) -> u64 {
    std::fs::metadata(&files.wal).map_or(0, |wal| wal.len())
}
