//! `cargo xtask bench`: an optimised build, measured.
//!
//! What is measured, and how, is the crate `kecs-bench` under `tests/bench`.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::build;
use crate::process;
use crate::workspace::Workspace;

/// What to measure.
#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// Compile DuckDB from its sources instead of fetching its prebuilt library.
    #[arg(long)]
    bundled: bool,
    /// Handed to the harness: `--list`, `--only NAME`, `--quick`, `--json FILE`.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// The command itself.
pub(crate) fn command(workspace: &Workspace, options: &Options) -> Result<()> {
    let built = build::kecs(workspace, &build::Options { release: true, bundled: options.bundled })?;
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--package", "kecs-bench"]);
    built.linking.configure(&mut cargo, "kecs-bench");
    process::run(&mut cargo)?;
    let mut bench = Command::new(workspace.target.join("release/kecs-bench"));
    built.linking.expose(&mut bench);
    process::run(bench.arg("--kecs").arg(&built.kecs).args(&options.arguments))
}
