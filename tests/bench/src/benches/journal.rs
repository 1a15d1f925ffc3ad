//! The journal after a load: how many rows a second went into it, compared with DuckDB's appender alone.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use duckdb::{AccessMode, Config, Connection, params};

use super::Setting;
use crate::figure::{Figure, Goal};

/// The rows of one transaction of the raw appender: where its rate levels off.
const BATCH: usize = 1000;

/// Compares the journal of a stopped kecs, written in `seconds`, with the raw appender on the same rows.
pub(super) fn compare(setting: &Setting, data_dir: &Path, seconds: f64) -> Result<Vec<Figure>> {
    let config = Config::default().access_mode(AccessMode::ReadOnly)?;
    let journal = Connection::open_with_flags(data_dir.join("kecs.duckdb"), config)?;
    let rows: u64 = journal.query_row("SELECT count(*) FROM journal", [], |row| row.get(0))?;
    let mut statement = journal.prepare("SELECT kind, key, doc FROM journal ORDER BY seq DESC LIMIT ?")?;
    let sample = statement
        .query_map([BATCH as i64], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<Vec<(String, String, Option<String>)>, _>>()?;
    let written = rows as f64 / seconds;
    let raw = raw_appender(&sample, Duration::from_secs(setting.pick(10, 1)))?;
    let note =
        format!("{rows} rows; the appender alone {raw:.0} rows/s on {BATCH} of the same rows a transaction");
    Ok(vec![
        Figure::new("journalled rows", written, "/s", Goal::Told),
        Figure::new("journalled rows to the raw appender", written / raw, "", Goal::AtLeast(0.3)).note(note),
    ])
}

/// Rows a second of the appender on a table like the journal, on the same file system.
fn raw_appender(rows: &[(String, String, Option<String>)], time: Duration) -> Result<f64> {
    let dir = tempfile::tempdir()?;
    let mut connection = Connection::open(dir.path().join("raw.duckdb")).context("can't make a database")?;
    connection.execute_batch("CREATE TABLE journal (seq UBIGINT, kind VARCHAR, key VARCHAR, doc VARCHAR)")?;
    let start = Instant::now();
    let mut seq: u64 = 0;
    while start.elapsed() < time {
        let transaction = connection.transaction()?;
        let mut appender = transaction.appender("journal")?;
        for (kind, key, doc) in rows {
            appender.append_row(params![seq, kind, key, doc])?;
            seq += 1;
        }
        appender.flush()?;
        drop(appender);
        transaction.commit()?;
    }
    Ok(seq as f64 / start.elapsed().as_secs_f64())
}
