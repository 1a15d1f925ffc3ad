//! A PostgreSQL for the tests that need one: its programs, found or installed. The tests start the server.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use crate::process;

/// Where Debian keeps them, beside the PATH.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Points the tests at PostgreSQL's programs. When there are none and they can't be installed, says why.
pub(super) fn provide(tests: &mut Command) -> Option<String> {
    let found = programs()
        .map_or_else(|| install().and_then(|()| programs().ok_or("the package brought none".to_owned())), Ok);
    match found {
        Ok(dir) => {
            tests.env("KECS_TEST_POSTGRES_BIN", dir);
            None
        }
        Err(reason) => {
            tests.env("KECS_TEST_POSTGRES", "skip");
            Some(reason)
        }
    }
}

/// The directory with `initdb` and `postgres`.
fn programs() -> Option<PathBuf> {
    let complete = |dir: &PathBuf| ["initdb", "postgres"].iter().all(|program| dir.join(program).is_file());
    let path = env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<PathBuf> =
        fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|entry| entry.path().join("bin")).collect();
    debian.sort();
    env::split_paths(&path).find(complete).or_else(|| debian.into_iter().rev().find(complete))
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
