//! A PostgreSQL for the tests that need one: its programs, found or installed. The tests start the server.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use crate::process;

/// Where Debian keeps them, beside the PATH.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The variable that names a server which is there already.
const SERVER: &str = "KECS_TEST_POSTGRES_URL";

/// Sees to it that the tests find PostgreSQL. When there is none and it can't be installed, says why.
pub(super) fn provide() -> Option<String> {
    if env::var_os(SERVER).is_some() || programs().is_some() {
        return None;
    }
    match install() {
        Ok(()) if programs().is_some() => None,
        Ok(()) => Some("Debian's package postgresql brought no initdb and postgres".to_owned()),
        Err(reason) => Some(reason),
    }
}

/// The directory with `initdb` and `postgres`.
fn programs() -> Option<PathBuf> {
    let complete = |dir: &PathBuf| ["initdb", "postgres"].iter().all(|program| dir.join(program).is_file());
    let path = env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<PathBuf> =
        fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|entry| entry.path().join("bin")).collect();
    debian.sort();
    env::split_paths(&path).chain(debian).find(complete)
}

/// Installs Debian's package, where we may.
fn install() -> Result<(), String> {
    if !process::exists("apt-get") {
        return Err("PostgreSQL is not installed, and there is no apt-get".to_owned());
    }
    let root = process::capture(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !root {
        return Err("PostgreSQL is not installed (Debian's package: postgresql)".to_owned());
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(["-qq", "-o", "Dpkg::Use-Pty=0"])
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        process::capture(&mut command).map_err(|error| format!("PostgreSQL can't be installed: {error:#}"))
    };
    apt(&["update"])?;
    apt(&["install", "--yes", "--no-install-recommends", "postgresql"])?;
    Ok(())
}
