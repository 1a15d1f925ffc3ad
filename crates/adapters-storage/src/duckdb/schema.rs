//! The tables and views of the journal.

/// The format that this version writes.
pub(super) const FORMAT: i64 = 1;

/// What DuckDB's file is called inside SQL.
pub(super) const CATALOG: &str = "store";

/// How the file is attached. Row groups of 8,192 rows instead of 122,880: a checkpoint writes the last row group
/// anew, and with documents of 1.5 kB the default would make that 180 MB each time.
pub(super) const ATTACH_OPTIONS: &str = "ROW_GROUP_SIZE 8192, STORAGE_VERSION 'v1.4.0'";

/// Tables. No keys and no indexes: the cost of an append must not grow with what is there.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS format (format BIGINT NOT NULL, compacted_to BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS journal (
    seq         BIGINT    NOT NULL,
    changed_at  TIMESTAMP NOT NULL,
    commit_seq  BIGINT    NOT NULL,
    commit_rows INTEGER   NOT NULL,
    kind        VARCHAR   NOT NULL,
    key         VARCHAR   NOT NULL,
    status      VARCHAR,
    deleted     BOOLEAN   NOT NULL,
    doc         VARCHAR   USING COMPRESSION zstd,
    crc         UINTEGER  NOT NULL
);
CREATE TABLE IF NOT EXISTS history (
    seq         BIGINT    NOT NULL,
    changed_at  TIMESTAMP NOT NULL,
    commit_seq  BIGINT    NOT NULL,
    commit_rows INTEGER   NOT NULL,
    kind        VARCHAR   NOT NULL,
    key         VARCHAR   NOT NULL,
    status      VARCHAR,
    deleted     BOOLEAN   NOT NULL,
    doc         VARCHAR   USING COMPRESSION zstd,
    crc         UINTEGER  NOT NULL
);
CREATE TABLE IF NOT EXISTS damaged (
    seq         BIGINT,
    changed_at  TIMESTAMP,
    commit_seq  BIGINT,
    commit_rows INTEGER,
    kind        VARCHAR,
    key         VARCHAR,
    status      VARCHAR,
    deleted     BOOLEAN,
    doc         VARCHAR,
    crc         UINTEGER,
    why         VARCHAR   NOT NULL,
    found_at    TIMESTAMP NOT NULL
);
CREATE TABLE IF NOT EXISTS missing (
    first_seq BIGINT    NOT NULL,
    last_seq  BIGINT    NOT NULL,
    why       VARCHAR   NOT NULL,
    found_at  TIMESTAMP NOT NULL
);
";

/// Views, made anew at each start so that they follow this version.
pub(super) const VIEWS: &str = "
CREATE OR REPLACE VIEW changes AS
WITH every AS (SELECT * FROM journal UNION ALL SELECT * FROM history)
SELECT
    seq, changed_at, commit_seq, kind, key,
    split_part(key, '/', 1) AS account,
    split_part(key, '/', 2) AS region,
    CASE WHEN kind NOT IN ('Family', 'TaskDefinition') THEN split_part(key, '/', 3) END AS cluster,
    CASE WHEN kind IN ('Family', 'TaskDefinition', 'Cluster') THEN split_part(key, '/', 3)
         ELSE array_to_string(string_split(key, '/')[4:], '/') END AS name,
    status, deleted, doc
FROM every;

CREATE OR REPLACE VIEW latest AS
SELECT * FROM changes
WHERE NOT deleted AND seq IN (SELECT max(seq) FROM journal GROUP BY kind, key);
";
