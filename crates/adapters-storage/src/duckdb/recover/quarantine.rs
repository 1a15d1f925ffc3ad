//! Moving what can't be used out of the journal, where it is kept for whoever wants to look.
//!
//! A commit counts wholly or not at all, also when it is damaged: if one of its current rows is lost, its other rows are
//! set aside too, and their keys fall back to what they were before. Superseded rows say nothing about the present;
//! losing one takes nothing else with it.

use std::collections::BTreeMap;

use duckdb::params;
use duckdb::types::{TimeUnit, Value};
use kecs_domain::Timestamp;

use super::load::BadRow;
use super::survey::Survey;
use crate::duckdb::database::Database;
use crate::duckdb::report::DamagedRow;
use crate::duckdb::row::micros;

/// Takes the rows and runs of rows out. Returns what it did; nothing if nothing was wrong.
pub(super) fn quarantine(
    database: &Database,
    survey: &Survey,
    bad: &[BadRow],
    now: Timestamp,
) -> duckdb::Result<Vec<DamagedRow>> {
    let mut out: BTreeMap<i64, (Option<String>, String)> = BTreeMap::new();
    for seq in &survey.doubled {
        out.insert(*seq, (None, "more than one row has its number".to_owned()));
    }
    for row in bad {
        out.insert(row.seq, (Some(row.key.clone()), row.why.clone()));
    }
    if out.is_empty() && survey.missing.is_empty() {
        return Ok(Vec::new());
    }
    // What is lost of the present: rows that were the newest of their keys, and rows of which nothing is known.
    let lost = out.keys().filter(|seq| survey.live.binary_search(seq).is_ok()).map(|seq| (*seq, *seq));
    let lost: Vec<(i64, i64)> = lost.chain(survey.missing.iter().copied()).collect();
    let found_at = Value::Timestamp(TimeUnit::Microsecond, micros(now));

    database.transaction(|conn| {
        for (first, last) in lost {
            let mut siblings = conn.prepare(
                "SELECT seq, kind || ' ' || key FROM journal
                 WHERE commit_seq <= ? AND commit_seq + commit_rows > ? AND seq NOT BETWEEN ? AND ?",
            )?;
            let rows = siblings.query_map(params![last, first, first, last], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
            })?;
            for row in rows {
                let (seq, key) = row?;
                if survey.live.binary_search(&seq).is_ok() {
                    let why = format!("its commit is incomplete: row {first} is lost");
                    out.entry(seq).or_insert((Some(key), why));
                }
            }
        }
        for (first, last) in &survey.missing {
            conn.execute(
                "INSERT INTO missing VALUES (?, ?, 'not in the journal', ?)",
                params![first, last, found_at],
            )?;
        }
        for (seq, (_, why)) in &out {
            restore_older(conn, *seq)?;
            conn.execute(
                "INSERT INTO damaged SELECT *, ?, ? FROM journal WHERE seq = ?",
                params![why, found_at, seq],
            )?;
            conn.execute("DELETE FROM journal WHERE seq = ?", params![seq])?;
        }
        Ok(())
    })?;

    let runs = survey.missing.iter().map(|(first, last)| DamagedRow {
        seq: u64::try_from(*first).ok(),
        key: None,
        rows: u64::try_from(last - first + 1).unwrap_or(0),
        why: format!("rows {first} to {last} are not in the journal"),
    });
    let rows = out.into_iter().map(|(seq, (key, why))| DamagedRow {
        seq: u64::try_from(seq).ok(),
        key,
        rows: 1,
        why,
    });
    Ok(runs.chain(rows).collect())
}

/// Takes the row before row `seq` of the same key back from the history, unless the journal has one.
fn restore_older(conn: &duckdb::Connection, seq: i64) -> duckdb::Result<()> {
    conn.execute(
        "INSERT INTO journal
         SELECT h.* FROM history h SEMI JOIN (
             SELECT max(old.seq) AS seq
             FROM history old JOIN journal bad ON old.kind = bad.kind AND old.key = bad.key
             WHERE bad.seq = ? AND old.seq < ? AND NOT EXISTS (
                 SELECT 1 FROM journal other
                 WHERE other.kind = bad.kind AND other.key = bad.key AND other.seq <> bad.seq)
         ) newest ON h.seq = newest.seq",
        params![seq, seq],
    )?;
    conn.execute("DELETE FROM history WHERE seq IN (SELECT seq FROM journal) AND seq < ?", params![seq])?;
    Ok(())
}
