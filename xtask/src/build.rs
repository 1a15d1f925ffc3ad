//! `cargo xtask build`: a `kecs` that runs from wherever it is called.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::duckdb::Linking;
use crate::process;
use crate::workspace::Workspace;

/// How to build.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct Options {
    /// With optimisations, for use.
    #[arg(long)]
    pub(crate) release: bool,
    /// Compile DuckDB from its sources instead of fetching its prebuilt library. Takes more than 20 minutes.
    #[arg(long)]
    pub(crate) bundled: bool,
}

/// A built binary and how it is linked.
pub(crate) struct Built {
    /// The `kecs` binary.
    pub(crate) kecs: PathBuf,
    /// Where it has its DuckDB from.
    pub(crate) linking: Linking,
}

/// The command itself.
pub(crate) fn command(workspace: &Workspace, options: &Options) -> Result<()> {
    let built = kecs(workspace, options)?;
    println!("Built {}", built.kecs.display());
    println!("Try it: {} demo", built.kecs.display());
    Ok(())
}

/// Builds the `kecs` binary.
///
/// # Errors
/// When cargo fails, or the library can't be put beside the binary.
pub(crate) fn kecs(workspace: &Workspace, options: &Options) -> Result<Built> {
    let linking = Linking::choose(workspace, options.bundled);
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--package", "kecs-app", "--bin", "kecs"]);
    linking.configure(&mut cargo, "kecs-app");
    if options.release {
        cargo.arg("--release");
    }
    process::run(&mut cargo)?;
    let profile = if options.release { "release" } else { "debug" };
    let kecs = workspace.target.join(profile).join("kecs");
    linking
        .place_beside(&kecs)
        .with_context(|| format!("{} is built, but not ready to run", kecs.display()))?;
    Ok(Built { kecs, linking })
}
