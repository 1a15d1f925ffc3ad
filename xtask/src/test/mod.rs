//! `cargo xtask test`: everything that must hold before a change lands, step by step.
//!
//! The steps themselves are in [`steps`]; this runs them, counts, and sums up.

mod console;
mod counts;
mod postgres;
mod steps;

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use self::console::{Log, seconds};
use self::counts::Counts;
use self::steps::{STEPS, Step};
use crate::duckdb::Linking;
use crate::process;
use crate::workspace::Workspace;

/// What to test.
#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// Run only the tests whose name contains this, and none of the checks.
    filter: Option<String>,
    /// Run only this step. Can be given more than once.
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Leave this step out. Can be given more than once.
    #[arg(long, value_name = "STEP")]
    skip: Vec<String>,
    /// Name the steps and end.
    #[arg(long)]
    list: bool,
    /// Show all output as it comes.
    #[arg(long, short)]
    verbose: bool,
    /// Compile DuckDB from its sources instead of fetching its prebuilt library. Takes more than 20 minutes.
    #[arg(long)]
    bundled: bool,
}

/// What a step works with.
struct Run<'a> {
    workspace: &'a Workspace,
    linking: &'a Linking,
    filter: Option<&'a str>,
    /// Whether the step was asked for by its name.
    asked_for: bool,
    log: Log,
    counts: Counts,
    note: String,
}

impl Run<'_> {
    /// Runs a command into the log and counts the tests that it reports. False when it fails.
    fn passes(&mut self, command: &mut Command) -> Result<bool> {
        self.log.line(&format!("$ {}", process::shown(command)));
        let Self { log, counts, .. } = self;
        let status = process::lines(command, |line| {
            log.line(line);
            if let Some(found) = Counts::of_line(line) {
                *counts += found;
            }
        })?;
        if !status.success() {
            self.log.line(&format!("ended with {status}"));
        }
        Ok(status.success())
    }

    /// Notes that something is not tested here.
    fn skipped(&mut self, what: String) {
        self.log.line(&what);
        self.counts += Counts::SKIPPED;
        self.note = what;
    }

    /// Notes the violations that a guard found. False when there are any.
    fn no_violations(&mut self, violations: &[String]) -> bool {
        for violation in violations {
            self.log.line(violation);
        }
        violations.is_empty()
    }
}

/// One line of the summary.
struct Summary {
    step: &'static str,
    verdict: &'static str,
    counts: Counts,
    took: Duration,
    note: String,
}

/// The command itself.
pub(crate) fn command(workspace: &Workspace, options: &Options) -> Result<()> {
    let steps = chosen(options)?;
    if options.list {
        for step in STEPS {
            println!("{:<10} {}", step.name, step.about);
        }
        return Ok(());
    }
    let start = Instant::now();
    let linking = Linking::choose(workspace, options.bundled);
    let mut summaries = Vec::new();
    for step in steps {
        summaries.push(run_step(workspace, &linking, options, step)?);
    }
    let mut total = Counts::default();
    println!(
        "\n{:<10} {:<8} {:>12} {:>7} {:>7} {:>7}  note",
        "step", "verdict", "time", "passed", "failed", "skipped"
    );
    for Summary { step, verdict, counts, took, note } in &summaries {
        let Counts { passed, failed, skipped } = counts;
        println!(
            "{step:<10} {verdict:<8} {:>12} {passed:>7} {failed:>7} {skipped:>7}  {note}",
            seconds(*took)
        );
        total += *counts;
    }
    println!("\nIn {}. A check that isn't made of tests counts as one.", seconds(start.elapsed()));
    println!("{total}");
    if total.failed > 0 || total.none_ran() {
        bail!(if total.failed > 0 { "something failed" } else { "no test ran" });
    }
    Ok(())
}

/// The steps to run, in their order.
fn chosen(options: &Options) -> Result<Vec<&'static Step>> {
    for name in options.only.iter().chain(&options.skip) {
        if !STEPS.iter().any(|step| step.name == name) {
            let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
            bail!("there is no step {name:?}; there are {}", names.join(", "));
        }
    }
    let wanted = |step: &&Step| {
        (options.only.is_empty() || options.only.iter().any(|name| name == step.name))
            && !options.skip.iter().any(|name| name == step.name)
            && (options.filter.is_none() || step.takes_filter)
    };
    Ok(STEPS.iter().filter(wanted).collect())
}

fn run_step(
    workspace: &Workspace,
    linking: &Linking,
    options: &Options,
    step: &'static Step,
) -> Result<Summary> {
    println!("- {}: {}", step.name, step.about);
    let log = Log::open(&workspace.scratch("test-logs")?, step.name, options.verbose)?;
    let filter = options.filter.as_deref();
    let asked_for = options.only.iter().any(|name| name == step.name);
    let mut run =
        Run { workspace, linking, filter, asked_for, log, counts: Counts::default(), note: String::new() };
    let start = Instant::now();
    let mut passed = (step.run)(&mut run).unwrap_or_else(|error| {
        run.log.line(&format!("{error:#}"));
        false
    });
    let took = start.elapsed();
    run.log.close();
    if step.has_tests && filter.is_none() && run.counts == Counts::default() {
        passed = false;
    }
    match (passed, step.has_tests) {
        (true, false) => run.counts += Counts::PASSED,
        // A compile error or a crash is no failed test to a runner; it must be one in the sum.
        (false, _) if run.counts.failed == 0 => run.counts += Counts::FAILED,
        _ => {}
    }
    if !passed {
        run.log.print_tail();
    }
    let verdict = match passed {
        true if run.counts.none_ran() => "SKIPPED",
        true => "passed",
        false => "FAILED",
    };
    println!("  {verdict} in {}{}{}", seconds(took), if run.note.is_empty() { "" } else { ". " }, run.note);
    Ok(Summary { step: step.name, verdict, counts: run.counts, took, note: run.note })
}
