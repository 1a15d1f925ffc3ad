//! `kecs-simulate`: runs seeded histories of the whole control plane and says which of them break a promise.
//!
//! `cargo xtask simulate` builds and calls it. A history that fails is made smaller, shown with the end of its trace,
//! and written as the line that a regression test needs. It is deliberately no more than a loop around
//! [`kecs_testkit::simulation`].

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use kecs_testkit::simulation::{Fault, Faults, Outcome, Seed, run_seed, shrink_seed};

const USAGE: &str = "usage: kecs-simulate [--seed N] [--steps M] [--seeds K] [--jobs J] [--faults F] [--reached] [--trace]
                     [--keep-going]

  --seed N        the first seed (1)
  --steps M       the steps of each history before its faults stop (500)
  --seeds K       how many seeds, counting up from the first (1)
  --jobs J        how many histories are run at the same time (as many as there are cores)
  --faults F      what may go wrong: all, none, or all but or none but some, such as all,-Crash or none,LostWake (all)
  --reached       say what happened in all histories together, and how often
  --trace         print the trace of each history
  --keep-going    go on after a history that fails, and don't make it smaller";

/// How much of a failed history's trace is shown.
const SHOWN: usize = 60;

struct Options {
    first: u64,
    seeds: u64,
    steps: u32,
    jobs: usize,
    faults: Faults,
    reached: bool,
    trace: bool,
    keep_going: bool,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let jobs = thread::available_parallelism().map_or(1, usize::from);
        let faults = Faults::ALL;
        let mut options = Self {
            first: 1,
            seeds: 1,
            steps: 500,
            jobs,
            faults,
            reached: false,
            trace: false,
            keep_going: false,
        };
        while let Some(argument) = arguments.next() {
            let mut text = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            let mut number = || {
                let text = text()?;
                text.parse::<u64>().map_err(|_| format!("{argument} needs a number, not '{text}'"))
            };
            match argument.as_str() {
                "--seed" => options.first = number()?,
                "--seeds" => options.seeds = number()?,
                "--steps" => {
                    options.steps = u32::try_from(number()?).map_err(|_| "too many steps".to_owned())?
                }
                "--jobs" => options.jobs = usize::try_from(number()?.max(1)).unwrap_or(1),
                "--faults" => options.faults = faults_of(&text()?)?,
                "--reached" => options.reached = true,
                "--trace" => options.trace = true,
                "--keep-going" => options.keep_going = true,
                other => return Err(format!("'{other}' is not known\n{USAGE}")),
            }
        }
        Ok(options)
    }
}

/// Reads `all,-Crash` or `none,LostWake`.
fn faults_of(text: &str) -> Result<Faults, String> {
    text.split(',').try_fold(Faults::ALL, |faults, word| {
        let name = word.trim_start_matches('-');
        let named = Fault::ALL.iter().copied().find(|fault| format!("{fault:?}") == name);
        match (word, named) {
            ("all", _) => Ok(Faults::ALL),
            ("none", _) => Ok(Faults::NONE),
            (_, Some(fault)) if word.starts_with('-') => Ok(faults.without(fault)),
            (_, Some(fault)) => Ok(faults.with(fault)),
            (_, None) => Err(format!("'{name}' is no fault; there are {:?}", Fault::ALL)),
        }
    })
}

fn main() -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(wrong) => {
            writeln!(io::stderr(), "{wrong}")?;
            return Ok(ExitCode::from(2));
        }
    };
    #[allow(clippy::disallowed_methods, reason = "how long the real run took, for its reader")]
    let began = Instant::now();
    let next = AtomicU64::new(0);
    let commits = AtomicU64::new(0);
    let stopped = AtomicBool::new(false);
    let reached = Mutex::new(BTreeMap::<String, u64>::new());
    let failed = Mutex::new(Vec::new());
    let traced = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                while !stopped.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= options.seeds {
                        return;
                    }
                    let seed = Seed::new(options.first.wrapping_add(index), options.steps);
                    let seed = Seed { faults: options.faults, ..seed };
                    let outcome = run_seed(seed, options.trace);
                    commits.fetch_add(outcome.commits, Ordering::Relaxed);
                    for (what, times) in &outcome.reached {
                        *lock(&reached).entry(what.clone()).or_default() += times;
                    }
                    if !outcome.violations.is_empty() {
                        stopped.store(!options.keep_going, Ordering::Relaxed);
                        lock(&failed).push((seed, outcome.clone()));
                    }
                    if options.trace {
                        lock(&traced).push((seed, outcome));
                    }
                }
            });
        }
    });
    let took = began.elapsed().as_secs_f64();
    for (seed, outcome) in lock(&traced).iter() {
        writeln!(out, "--- seed {}, trace {:016x}", seed.seed, outcome.trace_hash)?;
        outcome.trace.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    if options.reached {
        lock(&reached).iter().try_for_each(|(what, times)| writeln!(out, "{times:>10} {what}"))?;
    }
    let ran = next.load(Ordering::Relaxed).min(options.seeds);
    let mut failed = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    failed.sort_by_key(|(seed, _)| seed.seed);
    let verdict = if failed.is_empty() {
        "every promise was kept".to_owned()
    } else {
        format!("{} failed", failed.len())
    };
    writeln!(
        out,
        "{ran} histories of {} steps, {} commits, in {took:.1} s ({:.1}/s): {verdict}",
        options.steps,
        commits.into_inner(),
        ran as f64 / took.max(0.001),
    )?;
    for (seed, outcome) in &failed {
        writeln!(out, "seed {} failed after {} steps: {}", seed.seed, outcome.steps, first(outcome))?;
    }
    if let Some((seed, outcome)) = failed.first().filter(|_| !options.keep_going) {
        explain(&mut out, *seed, outcome)?;
    }
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn first(outcome: &Outcome) -> String {
    outcome.violations.first().map(ToString::to_string).unwrap_or_default()
}

/// Makes a failed history smaller and shows it.
fn explain(out: &mut impl Write, seed: Seed, outcome: &Outcome) -> io::Result<()> {
    writeln!(out, "\nmaking seed {} smaller ...", seed.seed)?;
    out.flush()?;
    let small = shrink_seed(seed, outcome);
    let outcome = run_seed(small, true);
    let skipped = outcome.trace.len().saturating_sub(SHOWN);
    writeln!(out, "the last {SHOWN} of {} lines of its trace:", outcome.trace.len())?;
    outcome.trace.iter().skip(skipped).try_for_each(|line| writeln!(out, "    {line}"))?;
    outcome.violations.iter().take(5).try_for_each(|one| writeln!(out, "violation: {one}"))?;
    writeln!(out, "\nfor a regression test:\n    {small:?}")
}
