//! What the world and the ports have in common: the time, the dice, the trace, the ledger, and who is at work.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};

use kecs_domain::Timestamp;
use kecs_usecases::ports::{Clock, IdGenerator, PortError, Wake, WakeKey};
use parking_lot::{Mutex, MutexGuard};

use super::fault::{Fault, Rates};
use super::ledger::Ledger;
use super::plant::Plant;
use super::random::Random;
use super::trace::Trace;

/// When the virtual clock begins.
const BEGINNING: i64 = 1_700_000_000_000;

/// On whose behalf something happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A client's call of this operation.
    Api(&'static str),
    /// A reconciler.
    Reconcile(WakeKey),
    /// The intake of observations.
    Observe,
    /// The start of the process.
    Start,
    /// The slow timer.
    Resync,
    /// Retention.
    Sweep,
}

/// A piece of work that is under way.
#[derive(Clone, Debug)]
pub(crate) struct JobRef {
    /// Its number, never used twice.
    pub(crate) number: u64,
    /// Whose it is.
    pub(crate) origin: Arc<Origin>,
}

/// See the module.
pub(crate) struct Shared {
    now: AtomicI64,
    inner: Mutex<Inner>,
}

/// What is behind the lock. Nobody ever waits for it: there is one thread.
pub(crate) struct Inner {
    /// What happens at the ports.
    pub(crate) random: Random,
    ids: Random,
    pub(crate) rates: Rates,
    pub(crate) trace: Trace,
    pub(crate) ledger: Ledger,
    /// Who is being polled.
    pub(crate) job: JobRef,
    /// Whether the process has died in the last poll.
    pub(crate) died: bool,
    /// Hints that nobody has taken yet.
    pub(crate) wakes: Vec<WakeKey>,
    pub(crate) plant: Option<Plant>,
}

impl Shared {
    pub(crate) fn new(seed: u64, rates: Rates, trace: Trace, plant: Option<Plant>) -> Self {
        let inner = Inner {
            random: Random::new(seed, 2),
            ids: Random::new(seed, 3),
            rates,
            trace,
            ledger: Ledger::default(),
            job: JobRef { number: 0, origin: Arc::new(Origin::Start) },
            died: false,
            wakes: Vec::new(),
            plant,
        };
        Self { now: AtomicI64::new(BEGINNING), inner: Mutex::new(inner) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock()
    }

    /// Milliseconds since the epoch.
    pub(crate) fn millis(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Moves the clock; never back.
    pub(crate) fn set_millis(&self, millis: i64) {
        self.now.fetch_max(millis, Ordering::Relaxed);
    }

    /// Lets a call pass at `place`: at once, after a while, not at all, or never.
    pub(crate) async fn pass(&self, place: Place) -> Result<(), PortError> {
        let (delay, then) = self.lock().decide(place);
        Yields(delay).await;
        match then {
            Then::Go => Ok(()),
            Then::Fail(error) => Err(error),
            Then::Die => {
                self.lock().die(place);
                std::future::pending().await
            }
        }
    }
}

/// Where a call can be held up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before the store is asked this.
    Ask(&'static str),
    /// Before the store's answer arrives.
    Answer(&'static str),
    /// Before a commit is made.
    Commit,
    /// Before the answer to a commit arrives.
    Committed,
    /// Before the orchestrator does this.
    Order(&'static str),
    /// Before its answer arrives.
    Done(&'static str),
}

enum Then {
    Go,
    Fail(PortError),
    Die,
}

impl Inner {
    fn decide(&mut self, place: Place) -> (u32, Then) {
        let orchestrator = matches!(place, Place::Order(_) | Place::Done(_));
        let slow = if orchestrator { Fault::OrchestratorDelay } else { Fault::StoreDelay };
        let delay = if self.happens(slow) { self.random.below(6) as u32 + 1 } else { 0 };
        // A reader's answer can't be lost in other ways than its question.
        if !matches!(place, Place::Answer(_)) && self.happens(Fault::Crash) {
            return (delay, Then::Die);
        }
        let error = match place {
            Place::Ask(_) | Place::Commit if self.happens(Fault::StoreTransient) => {
                Some(PortError::transient("the store is away"))
            }
            Place::Commit if self.happens(Fault::StoreConflict) => {
                Some(PortError::conflict("somebody was faster"))
            }
            Place::Committed if self.happens(Fault::LostAnswer) => {
                Some(PortError::transient("the answer is lost"))
            }
            Place::Order(_) | Place::Done(_) if self.happens(Fault::OrchestratorTransient) => {
                Some(PortError::transient("the orchestrator is away"))
            }
            Place::Order("launch") if self.happens(Fault::LaunchRefused) => {
                Some(PortError::permanent("the orchestrator will never run this"))
            }
            _ => None,
        };
        let Some(error) = error else { return (delay, Then::Go) };
        self.ledger.reach(error.message.clone());
        let number = self.job.number;
        self.trace.line(format_args!("  #{number} {place:?}: {error}"));
        (delay, Then::Fail(error))
    }

    fn die(&mut self, place: Place) {
        self.died = true;
        self.ledger.reach(match place {
            Place::Ask(_) | Place::Answer(_) => "the process dies reading",
            Place::Commit => "the process dies before a commit",
            Place::Committed => "the process dies after a commit",
            Place::Order(_) => "the process dies before an order",
            Place::Done(_) => "the process dies after an order",
        });
        let number = self.job.number;
        self.trace.line(format_args!("  #{number} {place:?}: the process dies"));
    }

    /// Whether a fault of this class happens now.
    pub(crate) fn happens(&mut self, fault: Fault) -> bool {
        let chance = self.rates.of(fault);
        self.random.chance(chance)
    }
}

/// Lets others go first, so many times.
struct Yields(u32);

impl Future for Yields {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Clock for Shared {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis())
    }
}

impl IdGenerator for Shared {
    fn bits(&self) -> u128 {
        let mut inner = self.lock();
        let (high, low) = (inner.ids.next(), inner.ids.next());
        (u128::from(high) << 64) | u128::from(low)
    }
}

impl Wake for Shared {
    fn wake(&self, keys: Vec<WakeKey>) {
        self.lock().wakes.extend(keys);
    }
}
