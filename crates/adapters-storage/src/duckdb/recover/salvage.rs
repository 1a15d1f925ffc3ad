//! A file with blocks that can't be read: everything else is copied into a new one.
//!
//! DuckDB checks each block that it reads and refuses a wrong one; that ends the query, not the database. So the rows
//! are copied run by run, and a run that fails is halved until what fails is small.

use std::fs;
use std::path::PathBuf;

use duckdb::Connection;
use kecs_domain::Timestamp;

use super::is_damage;
use crate::duckdb::database::{Access, Database, quoted};
use crate::duckdb::error::OpenError;
use crate::duckdb::options::{Files, Options};
use crate::duckdb::report::{DamagedRow, SetAside};
use crate::duckdb::schema::{CATALOG, FORMAT, TABLES};

/// Rows that are copied at once: as many as DuckDB has in a row group.
const RUN: i64 = 8192;
/// A failing run of this many rows is given up.
const SMALLEST: i64 = 16;

/// Rows of a table that could not be copied, by physical position.
type Lost = Vec<(i64, i64)>;

/// Copies what can be read into a new file, puts that in the old one's place, and the old one aside.
pub(super) fn salvage(
    files: &Files,
    options: &Options,
    broken: Database,
    refusal: &duckdb::Error,
    now: Timestamp,
) -> Result<(SetAside, Vec<DamagedRow>), OpenError> {
    let new = files.dir.join("journal.salvage.duckdb");
    for left in [new.clone(), with_wal(&new)] {
        let _ = fs::remove_file(left);
    }
    let database = || OpenError::database(&new);
    let made = Database::open(&new, Access::Write, options).map_err(database())?;
    made.conn().execute_batch(TABLES).map_err(database())?;
    drop(made);

    let conn = broken.conn();
    conn.execute_batch(&format!("ATTACH {} AS salvage", quoted(&new.display().to_string())))
        .map_err(database())?;
    let mut damaged = Vec::new();
    for table in ["format", "journal", "history", "damaged", "missing"] {
        for (first, last) in copy(conn, table).map_err(database())? {
            damaged.extend(name(conn, table, first, last));
        }
    }
    let format = format!(
        "INSERT INTO salvage.format SELECT {FORMAT}, (SELECT coalesce(min(seq), 1) - 1 FROM salvage.journal)
         WHERE NOT EXISTS (SELECT 1 FROM salvage.format)"
    );
    conn.execute_batch(&format).map_err(database())?;
    // Rows that are named here are reported now: the next pass must not miss them again.
    for row in &damaged {
        if let (Some(seq), Some(key)) = (row.seq, &row.key) {
            conn.execute(
                "INSERT INTO salvage.damaged (seq, key, why, found_at) VALUES (?, ?, ?, ?)",
                duckdb::params![
                    seq,
                    key,
                    row.why,
                    duckdb::types::Value::Timestamp(
                        duckdb::types::TimeUnit::Microsecond,
                        crate::duckdb::row::micros(now)
                    )
                ],
            )
            .map_err(database())?;
        }
    }
    conn.execute_batch("CHECKPOINT salvage; DETACH salvage;").map_err(database())?;
    drop(broken);

    let aside = Files::aside(&files.database, now);
    let io = || OpenError::io(&files.database);
    // The old file has two names for a moment, so that a crash in between leaves a whole database under the right
    // one, whichever of the two it is.
    if fs::hard_link(&files.database, &aside).is_err() {
        fs::copy(&files.database, &aside).map_err(io())?;
    }
    if files.wal.exists() {
        fs::copy(&files.wal, with_wal(&aside)).map_err(io())?;
    }
    fs::rename(&new, &files.database).map_err(io())?;
    if files.wal.exists() {
        fs::remove_file(&files.wal).map_err(OpenError::io(&files.wal))?;
    }
    super::wal::sync(&files.dir);
    let why =
        format!("DuckDB can't read all of it: {refusal}. What could be read was copied into a new file");
    Ok((SetAside { path: aside, why }, damaged))
}

fn with_wal(path: &std::path::Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".wal");
    name.into()
}

/// Copies a table run by run. Returns the runs that can't be copied.
///
/// # Errors
/// If something else than damage is in the way, such as a full disk: rows that could be read must not count as lost.
fn copy(conn: &Connection, table: &str) -> duckdb::Result<Lost> {
    let mut lost = Lost::new();
    let end: duckdb::Result<i64> =
        conn.query_row(&format!("SELECT coalesce(max(rowid), -1) + 1 FROM {CATALOG}.{table}"), [], |row| {
            row.get(0)
        });
    // Not even its size: then nothing of it can be read, and what it had is missed by number.
    let Ok(end) = end else { return Ok(lost) };
    let mut runs = Vec::new();
    for run in 0..(end + RUN - 1) / RUN {
        runs.push((run * RUN, ((run + 1) * RUN).min(end)));
    }
    runs.reverse();
    while let Some((first, end)) = runs.pop() {
        let sql = format!(
            "INSERT INTO salvage.{table} SELECT * FROM {CATALOG}.{table} WHERE rowid >= {first} AND rowid < {end}"
        );
        match conn.execute_batch(&sql) {
            Ok(()) => continue,
            Err(error) if !is_damage(&error) => return Err(error),
            Err(_) => {}
        }
        if end - first <= SMALLEST {
            lost.push((first, end));
        } else {
            let middle = first + (end - first) / 2;
            runs.push((middle, end));
            runs.push((first, middle));
        }
    }
    Ok(lost)
}

/// Says which rows were lost, if their numbers and keys can be read where their documents can't.
fn name(conn: &Connection, table: &str, first: i64, end: i64) -> Vec<DamagedRow> {
    let why = || format!("a block of table {table} can't be read");
    let sql = format!(
        "SELECT seq, kind || ' ' || key FROM {CATALOG}.{table} WHERE rowid >= {first} AND rowid < {end}"
    );
    let named = conn.prepare(&sql).and_then(|mut statement| {
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<String>>(1)?)))?;
        rows.collect::<duckdb::Result<Vec<_>>>()
    });
    match named {
        Ok(rows) => {
            let row = |(seq, key): (Option<i64>, _)| DamagedRow {
                seq: seq.and_then(|seq| u64::try_from(seq).ok()),
                key,
                rows: 1,
                why: why(),
            };
            rows.into_iter().map(row).collect()
        }
        Err(_) => {
            let rows = u64::try_from(end - first).unwrap_or(0);
            vec![DamagedRow { seq: None, key: None, rows, why: format!("{}: {rows} rows", why()) }]
        }
    }
}
