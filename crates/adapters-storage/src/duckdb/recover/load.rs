//! The second pass over the journal: every row is verified, and the newest of each key becomes an entity.
//!
//! One thread reads, others verify and parse; pieces wait in a short queue, so that memory does not grow with the
//! journal.

use std::sync::mpsc::{Receiver, sync_channel};

use duckdb::Connection;
use duckdb::arrow::array::{Array, StructArray};
use duckdb::arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType, UInt32Type};
use kecs_usecases::ports::Version;
use kecs_usecases::ports::store::Entity;
use parking_lot::Mutex;

use super::columns::{flags, numbers, stream, text_at, texts};
use super::intern::Interner;
use crate::duckdb::row::{Header, key_text};
use crate::state::{State, slim};

/// A row that can't be used.
#[derive(Debug)]
pub(super) struct BadRow {
    pub(super) seq: i64,
    pub(super) key: String,
    pub(super) why: String,
}

/// Reads everything. `live` are the numbers of the rows that say what is stored, sorted.
pub(super) fn load(conn: &Connection, live: &[i64]) -> duckdb::Result<(State, Vec<BadRow>)> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let shared = Mutex::new((State::default(), Interner::default()));
    let bad = Mutex::new(Vec::new());
    let (send, receive) = sync_channel::<StructArray>(workers + 1);
    let receive = Mutex::new(receive);
    let work = || parse_pieces(&receive, live, &shared, &bad);
    let read = std::thread::scope(|scope| {
        // The parsers end when this is dropped, at the end of the reading.
        let send = send;
        // If no thread can be had, this one does the work of the others piece by piece.
        let others =
            (0..workers).filter(|_| std::thread::Builder::new().spawn_scoped(scope, work).is_ok()).count();
        stream(
            conn,
            "SELECT seq, changed_at, commit_seq, commit_rows, kind, key, status, deleted, doc, crc FROM journal",
            |piece| {
                if others == 0 {
                    return parse_piece(&piece, live, &shared, &bad);
                }
                send.send(piece)
                    .map_err(|_| duckdb::Error::ToSqlConversionFailure("the parsers have ended".into()))
            },
        )
    });
    read?;
    Ok((shared.into_inner().0, bad.into_inner()))
}

fn parse_pieces(
    receive: &Mutex<Receiver<StructArray>>,
    live: &[i64],
    shared: &Mutex<(State, Interner)>,
    bad: &Mutex<Vec<BadRow>>,
) {
    loop {
        let piece = receive.lock().recv();
        let Ok(piece) = piece else { return };
        if let Err(error) = parse_piece(&piece, live, shared, bad) {
            // Only if DuckDB's columns aren't what was asked for: nothing of the piece is known.
            let why = error.to_string();
            bad.lock().push(BadRow { seq: 0, key: String::new(), why });
        }
    }
}

fn parse_piece(
    piece: &StructArray,
    live: &[i64],
    shared: &Mutex<(State, Interner)>,
    bad: &Mutex<Vec<BadRow>>,
) -> duckdb::Result<()> {
    let (seq, changed_at) = (numbers::<Int64Type>(piece, 0)?, numbers::<TimestampMicrosecondType>(piece, 1)?);
    let (commit_seq, commit_rows) = (numbers::<Int64Type>(piece, 2)?, numbers::<Int32Type>(piece, 3)?);
    let (kind, key, status) = (texts(piece, 4)?, texts(piece, 5)?, texts(piece, 6)?);
    let (deleted, doc, crc) = (flags(piece, 7)?, texts(piece, 8)?, numbers::<UInt32Type>(piece, 9)?);
    let mut entities = Vec::new();
    for at in 0..piece.len() {
        let row = Header {
            seq: seq.value(at),
            changed_at_micros: changed_at.value(at),
            commit_seq: commit_seq.value(at),
            commit_rows: commit_rows.value(at),
            kind: kind.value(at),
            key: key.value(at),
            status: text_at(status, at),
        };
        let doc = text_at(doc, at);
        let result = if row.checksum(doc) != crc.value(at) || doc.is_none() != deleted.value(at) {
            Err("its checksum does not match".to_owned())
        } else if let Some(doc) = doc
            && live.binary_search(&row.seq).is_ok()
        {
            entity(&row, doc).map(Some)
        } else {
            Ok(None)
        };
        match result {
            Ok(Some(entity)) => entities.push((entity, Version(u64::try_from(row.seq).unwrap_or(0)))),
            Ok(None) => {}
            Err(why) => {
                bad.lock().push(BadRow { seq: row.seq, key: format!("{} {}", row.kind, row.key), why });
            }
        }
    }
    let mut shared = shared.lock();
    let (state, interner) = &mut *shared;
    for (mut entity, version) in entities {
        interner.share(&mut entity);
        state.put(entity, version);
    }
    Ok(())
}

fn entity(row: &Header<'_>, doc: &str) -> Result<Entity, String> {
    let entity =
        Entity::from_json(row.kind, doc).map_err(|error| format!("its document can't be read: {error}"))?;
    let key = key_text(&entity.key());
    if key == row.key { Ok(slim(&entity)) } else { Err(format!("its document is of {key}")) }
}
