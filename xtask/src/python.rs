//! Virtual environments for the Python programs that the commands use. Nothing is ever installed globally.

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// Where pip put the packages: a virtual environment, or on systems without one a directory for `PYTHONPATH`.
#[derive(Debug, Clone)]
pub(crate) struct Python {
    interpreter: PathBuf,
    packages: Option<PathBuf>,
    bin: PathBuf,
}

impl Python {
    /// The environment `name` with these requirements files installed; made anew when one of them has changed.
    ///
    /// # Errors
    /// When there is no Python 3, or pip can't install something.
    pub(crate) fn with_requirements(workspace: &Workspace, name: &str, files: &[PathBuf]) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        let mut arguments = Vec::new();
        for file in files {
            fs::read(file).with_context(|| format!("can't read {}", file.display()))?.hash(&mut hasher);
            arguments.extend(["-r".to_owned(), file.display().to_string()]);
        }
        Self::make(&workspace.scratch("python")?.join(name), &format!("{:016x}", hasher.finish()), &arguments)
    }

    /// The environment `name` with one pinned package.
    ///
    /// # Errors
    /// As above.
    pub(crate) fn with_package(workspace: &Workspace, name: &str, package: &str) -> Result<Self> {
        Self::make(&workspace.scratch("python")?.join(name), package, &[package.to_owned()])
    }

    fn make(dir: &Path, stamp: &str, install: &[String]) -> Result<Self> {
        let stamp_file = dir.join("installed");
        let venv = Self { interpreter: dir.join("bin/python"), packages: None, bin: dir.join("bin") };
        let flat = dir.join("packages");
        let target = Self { interpreter: system()?, packages: Some(flat.clone()), bin: flat.join("bin") };
        if fs::read_to_string(&stamp_file).is_ok_and(|found| found == stamp) {
            return Ok(if venv.interpreter.exists() { venv } else { target });
        }
        if dir.exists() {
            fs::remove_dir_all(dir)?;
        }
        let made = process::capture(Command::new(&target.interpreter).args(["-m", "venv"]).arg(dir));
        let python = if made.is_ok() { venv } else { target };
        let mut pip = Command::new(&python.interpreter);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        if let Some(packages) = &python.packages {
            // Debian's python3 has no venv without a further package; its pip may be there all the same.
            pip.arg("--target").arg(packages);
        }
        process::capture(pip.args(install))?;
        fs::create_dir_all(dir)?;
        fs::write(stamp_file, stamp)?;
        Ok(python)
    }

    /// A command of this interpreter that sees the packages.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.interpreter);
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        if let Some(packages) = &self.packages {
            command.env("PYTHONPATH", packages);
        }
        command
    }

    /// The PATH with this environment's programs first, for suites that start `aws` themselves.
    pub(crate) fn path(&self) -> std::ffi::OsString {
        let rest = env::var_os("PATH").unwrap_or_default();
        let dirs = std::iter::once(self.bin.clone()).chain(env::split_paths(&rest));
        env::join_paths(dirs).unwrap_or(rest)
    }
}

/// Python 3 itself.
fn system() -> Result<PathBuf> {
    match ["python3", "python"].into_iter().find(|name| process::exists(name)) {
        Some(name) => Ok(PathBuf::from(name)),
        None => bail!("there is no python3 on the PATH"),
    }
}
