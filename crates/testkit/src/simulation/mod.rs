//! The deterministic simulation: the whole control plane minus HTTP, in one thread and in virtual time.
//!
//! The use cases, the reconcilers, the memory store and the simulated orchestrator are the real ones. Around them is a
//! world that follows from a seed: clients that call at random, a process that dies at any await and is started again
//! over what the store has kept, ports that are slow, away or in conflict, hints that get lost, nodes and containers
//! that break. After each commit and each step the promises are checked; in the end the faults stop, and everything has
//! to come to rest.
//!
//! A seed is a whole history: the same seed makes the same trace, byte for byte. What fails is made smaller
//! ([`shrink_seed`]) and pasted into a test.
//!
//! What it is not: a test of HTTP, of a durable store, or of Kubernetes. And nothing here sleeps, spawns a thread or
//! reads a clock.

mod breakage;
mod client;
mod deliver;
mod ends;
mod fault;
mod ledger;
mod plant;
mod port;
mod process;
mod queue;
mod random;
mod rest;
mod seed;
mod settled;
mod setup;
mod shared;
mod trace;
mod world;

pub use fault::{Fault, Faults};
pub use ledger::Violation;
pub use plant::Plant;
pub use seed::{Seed, shrink, shrink_seed};

use std::collections::BTreeMap;

use world::World;

/// What became of a history.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// A hash of the trace.
    pub trace_hash: u64,
    /// The trace, line by line, if it was asked for.
    pub trace: Vec<String>,
    /// Promises that were broken. The history ends with the step that broke the first.
    pub violations: Vec<Violation>,
    /// How many steps there were.
    pub steps: u32,
    /// How many commits there were.
    pub commits: u64,
    /// What happened, and how often.
    pub reached: BTreeMap<String, u64>,
}

/// Runs the history of `seed` with so many steps, in which everything may go wrong.
pub fn run(seed: u64, steps: u32) -> Outcome {
    run_seed(Seed::new(seed, steps), false)
}

/// Runs a history; `trace` keeps its trace as text.
pub fn run_seed(seed: Seed, trace: bool) -> Outcome {
    run_world(seed, trace, None)
}

/// Runs a history of a product with a planted bug.
pub fn run_planted(seed: Seed, plant: Plant) -> Outcome {
    run_world(seed, false, Some(plant))
}

fn run_world(seed: Seed, trace: bool, plant: Option<Plant>) -> Outcome {
    let mut world = World::new(&seed, trace, plant);
    let mut steps = 0;
    while steps < seed.steps && !world.is_broken() {
        steps += 1;
        world.step(steps);
    }
    if !world.is_broken() {
        world.rest();
    }
    let mut shared = world.shared.lock();
    Outcome {
        trace_hash: shared.trace.hash(),
        trace: shared.trace.take_lines(),
        violations: std::mem::take(&mut shared.ledger.violations),
        steps,
        commits: shared.ledger.commits,
        reached: std::mem::take(&mut shared.ledger.reached),
    }
}
