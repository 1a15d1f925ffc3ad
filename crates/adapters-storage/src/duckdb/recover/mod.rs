//! The start: opening the files whatever state they are in, and rebuilding what is stored.
//!
//! Damage never stops a start and never goes unsaid. What can't be used is kept: files under a name with the time, rows
//! in the table `damaged`.

mod columns;
mod intern;
mod load;
mod quarantine;
mod salvage;
mod survey;
mod wal;

use std::fs;

use kecs_domain::Timestamp;

use super::database::{Access, Database, wal_bytes};
use super::error::OpenError;
use super::mark::Mark;
use super::options::{Files, Options};
use super::report::{DamagedRow, RecoveryReport, SetAside};
use super::schema::{FORMAT, TABLES, VIEWS};
use crate::state::State;

/// A store that is ready to go on.
pub(super) struct Recovered {
    pub(super) database: Database,
    pub(super) mark: Mark,
    pub(super) state: State,
    /// The number of the next row.
    pub(super) next_seq: i64,
    /// Rows that compaction may move out, by number.
    pub(super) dead: Vec<i64>,
    pub(super) report: RecoveryReport,
}

/// Passes until nothing is wrong any more. Each one takes what it finds out of the journal, so the second is clean
/// unless DuckDB does not do what it says.
const MOST_PASSES: usize = 8;

/// Opens the files of a directory whose lock is held.
pub(super) fn recover(files: &Files, options: &Options, now: Timestamp) -> Result<Recovered, OpenError> {
    let mut report = RecoveryReport::default();
    let (mark, acknowledged) = Mark::open(&files.mark).map_err(OpenError::io(&files.mark))?;
    let acknowledged = i64::try_from(acknowledged).unwrap_or(i64::MAX);
    let kept_wal = keep_wal(files)?;
    let mut database = open(files, options, now, &mut report)?;
    prepare(&database, files)?;

    let mut passes = 0;
    let (survey, state) = loop {
        passes += 1;
        match pass(&database, acknowledged, now) {
            Ok(Pass::Clean(clean)) => break *clean,
            Ok(Pass::Damaged(found)) if passes < MOST_PASSES => report.damaged.extend(found),
            Err(error) if passes < MOST_PASSES && is_damage(&error) => {
                let (aside, damaged) = salvage::salvage(files, options, database, &error, now)?;
                report.set_aside.push(aside);
                report.damaged.extend(damaged);
                database = open(files, options, now, &mut report)?;
                prepare(&database, files)?;
            }
            Ok(Pass::Damaged(_)) => {
                let source = duckdb::Error::ToSqlConversionFailure("its damage can't be taken out".into());
                return Err(OpenError::Database { path: files.database.clone(), source });
            }
            Err(source) => return Err(OpenError::Database { path: files.database.clone(), source }),
        }
    };
    settle_wal(kept_wal, files, now, &mut report)?;
    // Nothing of what was read is read again.
    if let Err(error) = database.forget_blocks(options) {
        tracing::warn!(%error, "DuckDB keeps what it has read in memory");
    }
    report.rows = survey.rows;
    report.entities = state.len();
    let behind: i64 = database
        .conn()
        .query_row(
            "SELECT greatest((SELECT coalesce(max(seq), 0) FROM history), (SELECT coalesce(max(seq), 0) FROM damaged),
                             (SELECT coalesce(max(last_seq), 0) FROM missing), (SELECT max(compacted_to) FROM format))",
            [],
            |row| row.get(0),
        )
        // A history that can't be read is no reason not to start; the numbers it had are below the mark.
        .unwrap_or(0);
    let next_seq = survey.last.max(acknowledged).max(behind) + 1;
    Ok(Recovered { database, mark, state, next_seq, dead: survey.dead, report })
}

enum Pass {
    Clean(Box<(survey::Survey, State)>),
    Damaged(Vec<DamagedRow>),
}

fn pass(database: &Database, acknowledged: i64, now: Timestamp) -> duckdb::Result<Pass> {
    let survey = survey::survey(database.conn(), acknowledged)?;
    let (state, bad) = load::load(database.conn(), &survey.live)?;
    let found = quarantine::quarantine(database, &survey, &bad, now)?;
    Ok(if found.is_empty() { Pass::Clean(Box::new((survey, state))) } else { Pass::Damaged(found) })
}

/// Opens the database; cuts a log or puts away a file that DuckDB refuses.
fn open(
    files: &Files,
    options: &Options,
    now: Timestamp,
    report: &mut RecoveryReport,
) -> Result<Database, OpenError> {
    let refusal = match Database::open(&files.database, Access::Write, options) {
        Ok(database) => return Ok(database),
        Err(error) => error,
    };
    if !is_damage(&refusal) {
        return Err(OpenError::database(&files.database)(refusal));
    }
    for path in files.passing_wals.iter().filter(|path| path.exists()) {
        let aside = Files::aside(path, now);
        fs::rename(path, &aside).map_err(OpenError::io(path))?;
        let why = format!(
            "DuckDB refused the database, of which it is a part: {refusal}. Nothing was lost with it"
        );
        report.set_aside.push(SetAside { path: aside, why });
        match Database::open(&files.database, Access::Write, options) {
            Ok(database) => return Ok(database),
            Err(error) if !is_damage(&error) => return Err(OpenError::database(&files.database)(error)),
            Err(_) => {}
        }
    }
    if wal_bytes(files) > 0
        && let Some(aside) = wal::cut(files, options, &refusal, now)?
    {
        report.set_aside.push(aside);
        match Database::open(&files.database, Access::Write, options) {
            Ok(database) => return Ok(database),
            Err(error) if !is_damage(&error) => return Err(OpenError::database(&files.database)(error)),
            Err(_) => {}
        }
    }
    for path in [&files.database, &files.wal] {
        if path.exists() {
            let aside = Files::aside(path, now);
            fs::rename(path, &aside).map_err(OpenError::io(path))?;
            let why =
                format!("DuckDB refused it: {refusal}. Nothing of it could be read; a new one was begun");
            report.set_aside.push(SetAside { path: aside, why });
        }
    }
    Database::open(&files.database, Access::Write, options).map_err(OpenError::database(&files.database))
}

/// Whether an error means that a file is damaged, and not that something else is in the way.
fn is_damage(error: &duckdb::Error) -> bool {
    let duckdb::Error::DuckDBFailure(_, Some(message)) = error else { return false };
    const OTHER_CAUSES: [&str; 9] = [
        "Could not set lock",
        "Cannot open file",
        "Permission denied",
        "No space left",
        "Out of Memory",
        "newer version",
        "Invalid Input Error",
        "Parser Error",
        "Could not write",
    ];
    !OTHER_CAUSES.iter().any(|cause| message.contains(cause))
}

fn prepare(database: &Database, files: &Files) -> Result<(), OpenError> {
    let error = || OpenError::database(&files.database);
    database.conn().execute_batch(TABLES).map_err(error())?;
    let found: Option<i64> =
        database.conn().query_row("SELECT max(format) FROM format", [], |row| row.get(0)).map_err(error())?;
    match found {
        Some(found) if found > FORMAT => {
            return Err(OpenError::Newer { path: files.database.clone(), found, known: FORMAT });
        }
        Some(_) => {}
        None => {
            database.conn().execute("INSERT INTO format VALUES (?, 0)", [FORMAT]).map_err(error())?;
        }
    }
    database.conn().execute_batch(VIEWS).map_err(error())
}

/// Copies the log before DuckDB touches it: what DuckDB takes for torn, it drops for good.
fn keep_wal(files: &Files) -> Result<Option<std::path::PathBuf>, OpenError> {
    let kept = files.wal.with_extension("wal.before");
    if wal_bytes(files) == 0 {
        let _ = fs::remove_file(&kept);
        return Ok(None);
    }
    fs::copy(&files.wal, &kept).map_err(OpenError::io(&kept))?;
    Ok(Some(kept))
}

/// Throws the copy of the log away, or keeps it if something was lost and no other copy is kept.
fn settle_wal(
    kept: Option<std::path::PathBuf>,
    files: &Files,
    now: Timestamp,
    report: &mut RecoveryReport,
) -> Result<(), OpenError> {
    let Some(kept) = kept else { return Ok(()) };
    let wal_is_aside = report.set_aside.iter().any(|aside| aside.path.to_string_lossy().contains(".wal."));
    if report.damaged.is_empty() || wal_is_aside {
        return fs::remove_file(&kept).map_err(OpenError::io(&kept));
    }
    let aside = Files::aside(&files.wal, now);
    fs::rename(&kept, &aside).map_err(OpenError::io(&kept))?;
    let why = "rows are damaged or missing: this is the write-ahead log as it was before the start";
    report.set_aside.push(SetAside { path: aside, why: why.to_owned() });
    Ok(())
}

#[cfg(test)]
mod tests {
    use kecs_usecases::ports::store::EntityKey;

    use super::*;
    use crate::duckdb::row::{Draft, key_text};

    fn recovered(dir: &std::path::Path) -> Recovered {
        let options = Options::default();
        recover(&Files::new(dir.to_owned()), &options, Timestamp::from_millis(1)).unwrap()
    }

    fn draft(key: &EntityKey, doc: &str) -> Draft {
        Draft { kind: "Cluster", key: key_text(key), status: None, doc: Some(doc.to_owned()) }
    }

    #[test]
    fn a_document_that_says_something_else_than_its_row_is_reported_once_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let scope = kecs_domain::Scope::new("123456789012", "eu-central-1");
        let key = |name| {
            let name = kecs_domain::name::ClusterName::parse(name).unwrap();
            kecs_domain::arn::ClusterKey::new(scope.clone(), name)
        };
        let cluster = |name| kecs_domain::cluster::Cluster {
            key: key(name),
            status: kecs_domain::cluster::ClusterStatus::Active,
            settings: kecs_domain::cluster::ClusterSpec::default(),
            tags: Vec::new(),
        };
        let good = serde_json::to_string(&cluster("a")).unwrap();
        let drafts = [
            draft(&EntityKey::Cluster(key("a")), &good),
            draft(&EntityKey::Cluster(key("b")), &good),
            draft(&EntityKey::Cluster(key("c")), "{}"),
            Draft { kind: "Unknown", key: "x".into(), status: None, doc: Some("{}".into()) },
        ];
        let first = recovered(dir.path());
        first.database.append(1, Timestamp::from_millis(1), drafts.chunks(1)).unwrap();
        drop(first);

        let second = recovered(dir.path());
        assert_eq!(second.state.len(), 1);
        let why: Vec<_> = second.report.damaged.iter().map(|row| (row.seq, row.why.as_str())).collect();
        assert_eq!(why[0], (Some(2), "its document is of 123456789012/eu-central-1/a"));
        assert!(why[1].1.contains("can't be read: missing field"), "{why:?}");
        assert!(why[2].1.contains("unknown kind"), "{why:?}");
        let kept: i64 =
            second.database.conn().query_row("SELECT count(doc) FROM damaged", [], |row| row.get(0)).unwrap();
        assert_eq!((kept, second.next_seq), (3, 5));
        drop(second);
        assert!(recovered(dir.path()).report.is_clean());
    }

    #[test]
    fn what_is_in_the_way_is_no_damage() {
        let error =
            |text: &str| duckdb::Error::DuckDBFailure(duckdb::ffi::Error::new(1), Some(text.to_owned()));
        for text in ["IO Error: Could not set lock on file", "IO Error: No space left on device"] {
            assert!(!is_damage(&error(text)), "{text}");
        }
        for text in ["IO Error: Corrupt database file: computed checksum", "Serialization Error: x"] {
            assert!(is_damage(&error(text)), "{text}");
        }
    }
}
