//! The first pass over the journal: which rows are the newest of their keys, and which are missing.
//!
//! It reads no documents, so it is quick, and it needs memory only for the keys.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use duckdb::Connection;
use duckdb::arrow::array::Array;
use duckdb::arrow::datatypes::{Int32Type, Int64Type};

use super::columns::{flags, numbers, stream, texts};

/// What the first pass found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// How many rows there are.
    pub(super) rows: u64,
    /// Rows that say what is stored, by number.
    pub(super) live: Vec<i64>,
    /// Rows that a later one supersedes, and deletes, by number.
    pub(super) dead: Vec<i64>,
    /// Runs of rows that should be there, by first and last number.
    pub(super) missing: Vec<(i64, i64)>,
    /// Numbers that more than one row has.
    pub(super) doubled: Vec<i64>,
    /// The largest number.
    pub(super) last: i64,
}

/// Reads every row but for its document.
pub(super) fn survey(conn: &Connection, acknowledged: i64) -> duckdb::Result<Survey> {
    let mut found = Survey::default();
    let mut newest: HashMap<Box<str>, (i64, bool)> = HashMap::new();
    let mut seqs: Vec<i64> = Vec::new();
    let mut end = 0;
    let mut name = String::new();
    stream(conn, "SELECT seq, commit_seq, commit_rows, kind, key, deleted FROM journal", |piece| {
        let (seq, commit_seq) = (numbers::<Int64Type>(&piece, 0)?, numbers::<Int64Type>(&piece, 1)?);
        let commit_rows = numbers::<Int32Type>(&piece, 2)?;
        let (kind, key, deleted) = (texts(&piece, 3)?, texts(&piece, 4)?, flags(&piece, 5)?);
        for at in 0..piece.len() {
            let this = (seq.value(at), deleted.value(at));
            seqs.push(this.0);
            end = end.max(commit_seq.value(at).saturating_add(i64::from(commit_rows.value(at))) - 1);
            name.clear();
            name.push_str(kind.value(at));
            name.push(' ');
            name.push_str(key.value(at));
            if let Some(last) = newest.get_mut(name.as_str()) {
                found.dead.push(last.0.min(this.0));
                *last = (*last).max(this);
            } else if let Entry::Vacant(vacant) = newest.entry(name.as_str().into()) {
                vacant.insert(this);
            }
        }
        Ok(())
    })?;
    for (seq, deleted) in newest.into_values() {
        if deleted {
            found.dead.push(seq)
        } else {
            found.live.push(seq)
        };
    }
    found.rows = seqs.len() as u64;
    found.live.sort_unstable();
    found.dead.sort_unstable();
    seqs.sort_unstable();
    found.doubled.extend(seqs.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]));
    found.doubled.dedup();
    found.last = seqs.last().copied().unwrap_or(0);
    // A number that a damaged row claims to come later is no reason to miss millions of rows: the damage is
    // found by the checksum, and this pass is made again without that row.
    let end = end.min(found.last.saturating_add(1_000_000)).max(acknowledged);
    found.missing = gaps(conn, &seqs, end)?;
    Ok(found)
}

/// Numbers up to `end` that no row has, and for which there is no reason.
fn gaps(conn: &Connection, seqs: &[i64], end: i64) -> duckdb::Result<Vec<(i64, i64)>> {
    // Rows up to there may have been moved out by compaction.
    let compacted: i64 =
        conn.query_row("SELECT coalesce(max(compacted_to), 0) FROM format", [], |row| row.get(0))?;
    let mut statement = conn.prepare(
        "SELECT first_seq, last_seq FROM missing UNION ALL SELECT seq, seq FROM damaged WHERE seq IS NOT NULL",
    )?;
    let known = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
    let mut there = known.collect::<duckdb::Result<Vec<_>>>()?;
    there.extend(seqs.iter().map(|seq| (*seq, *seq)));
    there.sort_unstable();
    let mut gaps = Vec::new();
    let mut next = compacted + 1;
    for (first, last) in there {
        if first > next {
            gaps.push((next, first - 1));
        }
        next = next.max(last.saturating_add(1));
    }
    if end >= next {
        gaps.push((next, end));
    }
    Ok(gaps)
}
