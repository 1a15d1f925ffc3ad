//! `cargo xtask simulate`: seeded histories of the whole control plane, in an optimised build.
//!
//! The simulation itself is the binary `kecs-simulate`; this builds it and passes the arguments on, so that xtask
//! doesn't depend on what it checks.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::duckdb::Linking;
use crate::process;
use crate::workspace::Workspace;

/// Which histories.
#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many steps each history has.
    #[arg(long, default_value_t = 500)]
    pub(crate) steps: u32,
    /// How many seeds, counting up from the first.
    #[arg(long, default_value_t = 1)]
    pub(crate) seeds: u64,
    /// Print the trace of each step.
    #[arg(long)]
    pub(crate) trace: bool,
}

/// The command itself.
pub(crate) fn command(workspace: &Workspace, options: &Options) -> Result<()> {
    let linking = Linking::choose(workspace, false);
    process::run(&mut build(workspace, &linking))?;
    process::run(&mut run(workspace, &linking, options))
}

/// The command that builds the simulator. The profile is optimised, with debug assertions.
pub(crate) fn build(workspace: &Workspace, linking: &Linking) -> Command {
    let mut cargo = workspace.cargo();
    cargo.args([
        "build",
        "--quiet",
        "--package",
        "kecs-testkit",
        "--bin",
        "kecs-simulate",
        "--profile",
        "simulation",
    ]);
    linking.configure(&mut cargo, "kecs-adapters-storage");
    cargo
}

/// The command that runs it.
pub(crate) fn run(workspace: &Workspace, linking: &Linking, options: &Options) -> Command {
    let mut command = Command::new(workspace.target.join("simulation/kecs-simulate"));
    command.arg("--seed").arg(options.seed.to_string());
    command.arg("--steps").arg(options.steps.to_string());
    command.arg("--seeds").arg(options.seeds.to_string());
    if options.trace {
        command.arg("--trace");
    }
    linking.expose(&mut command);
    command
}
