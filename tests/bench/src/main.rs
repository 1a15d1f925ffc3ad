//! Measures a release build of `kecs` from outside, and compares the figures with their goals.
//!
//! It starts the binary, speaks HTTP to it and reads `/proc`: it knows none of the product's crates. What is
//! compared with something else is measured in the same run, in turns, so that a machine's mood cancels out.

#![allow(clippy::print_stdout, reason = "a command line")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

mod bare;
mod benches;
mod client;
mod figure;
mod load;
mod machine;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use std::{fs, io};

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, Subcommand};

use benches::{BENCHMARKS, Setting};
use figure::{Figure, table};

#[derive(Parser)]
#[command(about = "Measures kecs. Usually called by `cargo xtask bench`.")]
struct Cli {
    /// The binary to measure.
    #[arg(long)]
    kecs: Option<PathBuf>,
    /// Measure only this. Can be given more than once.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Shorter and smaller, to see whether the measuring works. The figures mean nothing.
    #[arg(long)]
    quick: bool,
    /// Name what can be measured and end.
    #[arg(long)]
    list: bool,
    /// Write the figures to this file too.
    #[arg(long)]
    json: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// The bare server that kecs is compared with: answers every request with the same bytes.
    #[command(hide = true)]
    Bare {
        /// The file with the bytes.
        body: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    if let Some(Command::Bare { body }) = cli.command {
        return bare::serve(fs::read(body)?);
    }
    if cli.list {
        for bench in BENCHMARKS {
            println!("{:<14} {}", bench.name, bench.about);
        }
        return Ok(());
    }
    for name in &cli.only {
        let known = BENCHMARKS.iter().any(|bench| bench.name == name);
        ensure!(known, "there is no benchmark {name:?}; --list names them");
    }
    let kecs = cli.kecs.context("--kecs names the binary to measure")?;
    ensure!(kecs.is_file(), "there is no {}", kecs.display());
    let setting = Setting { kecs, quick: cli.quick };
    let machine = machine::shape();
    println!("{machine}");
    let mut figures = Vec::new();
    for bench in BENCHMARKS {
        if cli.only.is_empty() || cli.only.iter().any(|name| name == bench.name) {
            println!("- {}: {}", bench.name, bench.about);
            let start = Instant::now();
            match (bench.run)(&setting) {
                Ok(found) => {
                    for figure in &found {
                        println!("    {figure}");
                    }
                    figures.extend(found);
                }
                Err(error) => {
                    println!("    failed: {error:#}");
                    figures.push(Figure::failed(bench.name, format!("{error:#}")));
                }
            }
            println!("    took {:.0} s", start.elapsed().as_secs_f64());
        }
    }
    println!("\n{machine}\n{}", table(&figures));
    if cli.quick {
        println!("These are --quick figures: they only show that the measuring works.");
    }
    if let Some(path) = cli.json {
        let file = fs::File::create(&path).with_context(|| format!("can't write {}", path.display()))?;
        serde_json::to_writer_pretty(io::BufWriter::new(file), &figures)?;
    }
    ensure!(figures.iter().all(|figure| !figure.has_failed()), "not everything could be measured");
    Ok(())
}
