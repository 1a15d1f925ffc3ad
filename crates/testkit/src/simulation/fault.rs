//! What may go wrong in a history, by class, and how often.

use std::fmt;

use super::random::Random;

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $fault:ident = $chance:literal,)*) => {
        /// A class of faults.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {
            $($(#[doc = $doc])+ $fault,)*
        }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$fault),*];

            /// How often it happens where it can, in 10,000.
            const fn chance(self) -> u64 {
                match self {
                    $(Self::$fault => $chance,)*
                }
            }
        }
    };
}

faults! {
    /// A call to the store takes its time, so that others come in between.
    StoreDelay = 3_000,
    /// A commit meets a conflict, though nobody was faster.
    StoreConflict = 200,
    /// A call to the store fails, and may work the next time. Nothing was changed.
    StoreTransient = 80,
    /// A commit is made, but its answer is lost.
    LostAnswer = 60,
    /// The process dies in the middle of a call, or between two.
    Crash = 15,
    /// A call to the orchestrator takes its time.
    OrchestratorDelay = 3_000,
    /// A call to the orchestrator fails, with or without having worked.
    OrchestratorTransient = 150,
    /// The orchestrator refuses a task for good.
    LaunchRefused = 50,
    /// A hint to the reconcilers is lost.
    LostWake = 150,
    /// A hint comes again later.
    DoubledWake = 300,
    /// What the orchestrator has to tell waits.
    LateObservation = 2_500,
    /// The same observations are taken in twice.
    DoubledObservation = 300,
    /// Observations are lost, and a snapshot makes up for them.
    ObservationGap = 150,
    /// A container crashes.
    TaskCrash = 250,
    /// Somebody deletes a task at the orchestrator.
    TaskDeleted = 120,
    /// A node is lost, drained, or comes back.
    NodeLoss = 120,
    /// Spot capacity is taken back.
    Spot = 100,
    /// Time leaps, as after a laptop's sleep.
    TimeJump = 40,
}

/// A set of classes of faults.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Faults(u32);

impl Faults {
    /// None.
    pub const NONE: Self = Self(0);
    /// All.
    pub const ALL: Self = Self((1 << Fault::ALL.len()) - 1);

    /// These and one more.
    #[must_use]
    pub const fn with(self, fault: Fault) -> Self {
        Self(self.0 | (1 << fault as u32))
    }

    /// These but one.
    #[must_use]
    pub const fn without(self, fault: Fault) -> Self {
        Self(self.0 & !(1 << fault as u32))
    }

    /// Whether `fault` is one of these.
    pub const fn contains(self, fault: Fault) -> bool {
        self.0 & (1 << fault as u32) != 0
    }
}

/// As an expression that can be pasted.
impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (there, missing): (Vec<Fault>, Vec<Fault>) =
            Fault::ALL.iter().copied().partition(|fault| self.contains(*fault));
        if missing.len() <= there.len() {
            f.write_str("Faults::ALL")?;
            missing.iter().try_for_each(|fault| write!(f, ".without(Fault::{fault:?})"))
        } else {
            f.write_str("Faults::NONE")?;
            there.iter().try_for_each(|fault| write!(f, ".with(Fault::{fault:?})"))
        }
    }
}

/// How often each class happens in one history. Every history draws its own: where everything goes wrong at once, some
/// things never get far enough to go wrong in their own way.
#[derive(Clone, Debug)]
pub(crate) struct Rates([u64; Fault::ALL.len()]);

impl Rates {
    /// Draws the rates of a history in which only `faults` happen.
    pub(crate) fn draw(random: &mut Random, faults: Faults) -> Self {
        let mut rates = [0; Fault::ALL.len()];
        for (rate, fault) in rates.iter_mut().zip(Fault::ALL) {
            // Drawn for all, so that one class less doesn't change the others.
            let share = random.weighted(&[(3, 0), (2, 25), (3, 100), (1, 300)]);
            if faults.contains(*fault) {
                *rate = fault.chance() * share / 100;
            }
        }
        Self(rates)
    }

    /// Nothing goes wrong.
    pub(crate) const fn none() -> Self {
        Self([0; Fault::ALL.len()])
    }

    /// How often `fault` happens, in 10,000.
    pub(crate) const fn of(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_shown_as_the_shorter_expression_that_makes_it() {
        let few = Faults::NONE.with(Fault::Crash);
        assert_eq!(format!("{few:?}"), "Faults::NONE.with(Fault::Crash)");
        let most = Faults::ALL.without(Fault::Spot).without(Fault::Crash);
        assert_eq!(format!("{most:?}"), "Faults::ALL.without(Fault::Crash).without(Fault::Spot)");
        assert!(!most.contains(Fault::Spot) && most.contains(Fault::LostWake));
    }

    #[test]
    fn what_is_excluded_never_happens() {
        let rates = Rates::draw(&mut Random::new(3, 1), Faults::ALL.without(Fault::Crash));
        assert_eq!(rates.of(Fault::Crash), 0);
        assert!(Fault::ALL.iter().any(|fault| rates.of(*fault) > 0));
    }
}
