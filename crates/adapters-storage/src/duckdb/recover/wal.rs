//! A write-ahead log that DuckDB refuses: keeping as much of its beginning as can be replayed.
//!
//! DuckDB takes a log that ends in the middle of a commit, but not one with a wrong checksum in it, and then opens
//! nothing at all. Everything before the damage is good, so the log is cut there. The whole log is kept aside.

use std::fs;
use std::path::Path;

use kecs_domain::Timestamp;

use crate::duckdb::database::{Access, Database};
use crate::duckdb::error::OpenError;
use crate::duckdb::options::{Files, Options};
use crate::duckdb::report::SetAside;

/// Cuts the log to the longest beginning with which the database opens. None if it does not open without a log
/// either: then the log isn't what is wrong.
pub(super) fn cut(
    files: &Files,
    options: &Options,
    refusal: &duckdb::Error,
    now: Timestamp,
) -> Result<Option<SetAside>, OpenError> {
    let io = |path: &Path| OpenError::io(path.to_owned());
    let wal = fs::read(&files.wal).map_err(io(&files.wal))?;
    let opens = |length: usize| -> Result<bool, OpenError> {
        if length == 0 {
            remove(&files.wal)?;
        } else {
            fs::write(&files.wal, &wal[..length]).map_err(io(&files.wal))?;
        }
        Ok(Database::open(&files.database, Access::Read, options).is_ok())
    };

    let aside = Files::aside(&files.wal, now);
    fs::rename(&files.wal, &aside).map_err(io(&files.wal))?;
    if !opens(0)? {
        fs::rename(&aside, &files.wal).map_err(io(&files.wal))?;
        return Ok(None);
    }
    // `good` opens, `refused` does not, and whatever is between is tried by halves. DuckDB often says where the
    // wrong entry begins; then everything before it is what can be kept.
    let (mut good, mut refused) = (0, wal.len());
    if let Some(position) = position(refusal).filter(|position| *position < wal.len())
        && opens(position)?
    {
        (good, refused) = (position, position + 1);
    }
    while refused - good > 1 {
        let middle = good + (refused - good) / 2;
        if opens(middle)? {
            good = middle
        } else {
            refused = middle
        };
    }
    opens(good)?;
    sync(&files.wal);
    sync(&files.dir);
    let why = format!(
        "DuckDB refused the write-ahead log: {refusal}. The first {good} of its {} bytes were kept; commits after that are lost",
        wal.len()
    );
    Ok(Some(SetAside { path: aside, why }))
}

/// Where DuckDB says that the wrong entry begins.
fn position(refusal: &duckdb::Error) -> Option<usize> {
    let text = refusal.to_string();
    let (_, rest) = text.split_once("at byte position ")?;
    rest.split(' ').next()?.parse().ok()
}

fn remove(path: &Path) -> Result<(), OpenError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(OpenError::io(path)(error)),
        _ => Ok(()),
    }
}

/// Makes what was written durable, if it's there. A failure costs no more than the same work at the next start.
pub(super) fn sync(path: &Path) {
    if let Ok(file) = fs::File::open(path) {
        let _ = file.sync_all();
    }
}
