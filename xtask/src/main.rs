//! `cargo xtask`: the commands that people type.
//!
//! One module per command. It names none of the product's crates: it builds and runs them.

#![allow(clippy::print_stdout, reason = "a command line")]
#![allow(clippy::disallowed_methods, reason = "it is not part of the product: it may read the clock")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod build;
mod codegen;
mod demo;
mod duckdb;
mod layers;
mod process;
mod python;
mod simulate;
mod test;
mod tidy;
mod workspace;

use workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the kecs binary, ready to run from anywhere.
    Build(build::Options),
    /// Show kecs at its main job: real requests of the aws CLI and boto3 against a durable store.
    Demo(demo::Options),
    /// Run every check and test.
    Test(test::Options),
    /// Measure the release build and compare the figures with their goals.
    Bench(bench::Options),
    /// Run seeded histories of the whole control plane under a virtual clock.
    Simulate(simulate::Options),
    /// Check which crate knows which.
    Layers,
    /// Generate the API's types, its OpenAPI document and the coverage table from the official model.
    Codegen {
        /// Change nothing; fail if something would be changed.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let workspace = Workspace::find()?;
    match command {
        Command::Build(options) => build::command(&workspace, &options),
        Command::Demo(options) => demo::command(&workspace, &options),
        Command::Test(options) => test::command(&workspace, &options),
        Command::Bench(options) => bench::command(&workspace, &options),
        Command::Simulate(options) => simulate::command(&workspace, &options),
        Command::Layers => layers::command(&workspace),
        Command::Codegen { check } => {
            for line in codegen::run(&workspace.root, check)? {
                println!("{line}");
            }
            Ok(())
        }
    }
}
