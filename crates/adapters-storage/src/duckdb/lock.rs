//! One process at a time: a lock file that names its holder.
//!
//! DuckDB locks its file too, but only against other processes, and only while nobody in this process opens and closes
//! the file (such are POSIX locks). This lock also holds within a process, and is there before DuckDB touches
//! anything. It goes with the process, however that ends; the file stays.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};

use super::error::OpenError;
use super::options::Files;

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct DirLock {
    _file: File,
}

impl DirLock {
    pub(super) fn take(files: &Files) -> Result<Self, OpenError> {
        let io = || OpenError::io(&files.lock);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&files.lock);
        let mut file = open.map_err(io())?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(io()(error)),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Whoever holds it may be writing its number just now; then it isn't told.
                let holder = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(OpenError::InUse { dir: files.dir.clone(), lock: files.lock.clone(), holder });
            }
        }
        let pid = format!("{}\n", std::process::id());
        let write = |file: &mut File| {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(pid.as_bytes())?;
            file.set_len(pid.len() as u64)
        };
        write(&mut file).map_err(io())?;
        Ok(Self { _file: file })
    }
}
