//! The journal after a load: how many rows a second went into it, compared with DuckDB's appender alone.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use duckdb::types::Value;
use duckdb::{AccessMode, Config, Connection, appender_params_from_iter};

use super::Setting;
use crate::figure::{Figure, Goal};

/// The rows of one transaction of the raw appender: where its rate levels off.
const BATCH: usize = 1000;

/// Compares the journal of a stopped kecs, written in `seconds`, with the raw appender on the same rows.
pub(super) fn compare(setting: &Setting, data_dir: &Path, seconds: f64) -> Result<Vec<Figure>> {
    let config = Config::default().access_mode(AccessMode::ReadOnly)?;
    let journal = Connection::open_with_flags(data_dir.join("journal.duckdb"), config)?;
    // Rows are numbered without a gap from 1, and what compaction has moved away was written too.
    let rows: u64 = journal.query_row("SELECT max(seq) FROM journal", [], |row| row.get(0))?;
    let table: String =
        journal.query_row("SELECT sql FROM duckdb_tables() WHERE table_name = 'journal'", [], |row| {
            row.get(0)
        })?;
    let sample = newest(&journal)?;
    let written = rows as f64 / seconds;
    let raw = raw_appender(&table, &sample, Duration::from_secs(setting.pick(10, 1)))?;
    let note =
        format!("{rows} rows; the appender alone {raw:.0} rows/s, {BATCH} of the same rows a transaction");
    Ok(vec![
        Figure::new("journalled rows", written, "/s", Goal::Told),
        Figure::new("journalled rows to the raw appender", written / raw, "", Goal::AtLeast(0.3)).note(note),
    ])
}

/// The newest rows, whole.
fn newest(journal: &Connection) -> Result<Vec<Vec<Value>>> {
    let mut statement = journal.prepare("SELECT * FROM journal ORDER BY seq DESC LIMIT ?")?;
    let mut rows = statement.query([BATCH as i64])?;
    let mut sample = Vec::new();
    while let Some(row) = rows.next()? {
        let columns = row.as_ref().column_count();
        sample.push((0..columns).map(|column| row.get(column)).collect::<Result<_, _>>()?);
    }
    Ok(sample)
}

/// Rows a second of the appender into the same table, on the same file system.
fn raw_appender(table: &str, rows: &[Vec<Value>], time: Duration) -> Result<f64> {
    let dir = tempfile::tempdir()?;
    let mut connection = Connection::open(dir.path().join("raw.duckdb")).context("can't make a database")?;
    connection.execute_batch(table)?;
    let start = Instant::now();
    let mut appended = 0;
    while start.elapsed() < time {
        let transaction = connection.transaction()?;
        let mut appender = transaction.appender("journal")?;
        for row in rows {
            appender.append_row(appender_params_from_iter(row))?;
            appended += 1;
        }
        appender.flush()?;
        drop(appender);
        transaction.commit()?;
    }
    Ok(f64::from(appended) / start.elapsed().as_secs_f64())
}
