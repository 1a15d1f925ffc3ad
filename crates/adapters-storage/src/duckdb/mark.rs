//! The high-water mark: the last row that was acknowledged, beside the database.
//!
//! DuckDB takes a log that ends early for a crash in the middle of a commit, and carries on without what is missing. For
//! an unacknowledged commit that is right. The mark tells this from lost rows: it is written after each commit and
//! before its answer, without a sync, so it never runs ahead of what was durable, and a missing, old or torn mark only
//! tells less.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The file that holds the mark.
#[derive(Debug)]
pub(super) struct Mark {
    file: File,
}

/// `SEQ CRC`, of one length always, so that a write replaces all of it.
fn text(seq: u64) -> String {
    let digits = format!("{seq:020}");
    format!("{digits} {:08x}\n", crc32fast::hash(digits.as_bytes()))
}

impl Mark {
    /// Opens the file. Returns the mark that it holds; 0 if it holds none.
    pub(super) fn open(path: &Path) -> io::Result<(Self, u64)> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = vec![0; text(0).len()];
        let read = file.read_at(&mut bytes, 0)?;
        let found = std::str::from_utf8(&bytes[..read]).ok();
        let seq = found.and_then(|found| {
            let seq = found.split(' ').next()?.parse().ok()?;
            (text(seq) == found).then_some(seq)
        });
        if seq.is_none() && read > 0 {
            tracing::warn!(path = %path.display(), "the high-water mark can't be read: rows lost at the end can't be noticed");
        }
        Ok((Self { file }, seq.unwrap_or(0)))
    }

    /// Writes the mark.
    pub(super) fn set(&self, seq: u64) -> io::Result<()> {
        self.file.write_all_at(text(seq).as_bytes(), 0)
    }

    /// Makes the mark durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_back_and_a_broken_one_counts_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mark");
        let (mark, none) = Mark::open(&path).unwrap();
        assert_eq!(none, 0);
        mark.set(12_345).unwrap();
        assert_eq!(Mark::open(&path).unwrap().1, 12_345);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[19] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(Mark::open(&path).unwrap().1, 0);
        std::fs::write(&path, b"1").unwrap();
        assert_eq!(Mark::open(&path).unwrap().1, 0);
    }
}
