//! A history's name, and making it smaller when it fails.

use super::fault::{Fault, Faults};
use super::{Outcome, run_seed};

/// Which history: everything in it follows from this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed {
    /// The dice.
    pub seed: u64,
    /// How many steps there are before the faults stop.
    pub steps: u32,
    /// What may go wrong.
    pub faults: Faults,
}

impl Seed {
    /// A history in which everything may go wrong.
    pub const fn new(seed: u64, steps: u32) -> Self {
        Self { seed, steps, faults: Faults::ALL }
    }
}

/// A shorter history with fewer faults that breaks the same promise as `seed`, as far as one is found. `run` runs a
/// history.
pub fn shrink(seed: Seed, outcome: &Outcome, run: &dyn Fn(Seed) -> Outcome) -> Seed {
    let Some(promise) = outcome.violations.first().map(|violation| violation.promise) else { return seed };
    let breaks = |candidate: Seed| {
        let outcome = run(candidate);
        outcome.violations.first().filter(|violation| violation.promise == promise).map(|_| outcome.steps)
    };
    // A step that is never reached isn't needed.
    let mut best = Seed { steps: outcome.steps.min(seed.steps), ..seed };
    if breaks(best).is_none() {
        best = seed;
    }
    loop {
        let before = best;
        for fault in Fault::ALL {
            if !best.faults.contains(*fault) {
                continue;
            }
            let candidate = Seed { faults: best.faults.without(*fault), ..best };
            if let Some(steps) = breaks(candidate) {
                best = Seed { steps: steps.min(best.steps), ..candidate };
            }
        }
        for eighths in [1, 2, 4, 6, 7] {
            let steps = best.steps / 8 * eighths;
            let candidate = Seed { steps, ..best };
            if steps < best.steps && breaks(candidate).is_some() {
                best = candidate;
                break;
            }
        }
        if best == before {
            return best;
        }
    }
}

/// [`shrink`] for the product as it is.
pub fn shrink_seed(seed: Seed, outcome: &Outcome) -> Seed {
    shrink(seed, outcome, &|candidate| run_seed(candidate, false))
}
