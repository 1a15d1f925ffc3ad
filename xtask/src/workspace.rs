//! Where things are: the checkout, the target directory, and the commands that run in them.
//!
//! Not a place for what the commands do.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};

/// The checkout that this xtask belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    /// The directory of the workspace's Cargo.toml.
    pub(crate) root: PathBuf,
    /// Cargo's target directory, wherever `CARGO_TARGET_DIR` or a configuration puts it.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Finds both.
    ///
    /// # Errors
    /// When cargo can't read the workspace.
    pub(crate) fn find() -> Result<Self> {
        let manifest_dir =
            env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| OsString::from(env!("CARGO_MANIFEST_DIR")));
        let root = Path::new(&manifest_dir).parent().context("xtask lies in no directory")?.to_owned();
        let output = Command::new(cargo_program())
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .arg("--manifest-path")
            .arg(root.join("Cargo.toml"))
            .output()
            .context("cargo doesn't start")?;
        ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let target =
            metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
        Ok(Self { root, target: PathBuf::from(target) })
    }

    /// A cargo command in the root, with the target directory that this process found.
    ///
    /// `cargo run` tells its child about the package that it ran. A nested cargo must not see that: build scripts
    /// that look at those variables would run again, and everything above them would be built anew.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(cargo_program());
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            let ours = ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| text.starts_with(prefix));
            if ours || matches!(&*text, "CARGO_BIN_NAME" | "CARGO_CRATE_NAME" | "CARGO_PRIMARY_PACKAGE") {
                command.env_remove(name);
            }
        }
        command
    }

    /// A directory of ours under the target directory, made if it isn't there.
    ///
    /// # Errors
    /// When it can't be made.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf> {
        let dir = self.target.join("xtask").join(name);
        fs::create_dir_all(&dir).with_context(|| format!("can't make {}", dir.display()))?;
        Ok(dir)
    }
}

/// The cargo that runs us, else the one on the PATH.
fn cargo_program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"))
}
