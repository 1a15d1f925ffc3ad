//! What is done now and then: everything unfinished is woken, as hints may get lost, and what is old is removed.

use std::sync::Arc;

use tokio::time::{Duration, Interval, MissedTickBehavior, interval};

use super::work::{Work, caught};

/// How often everything unfinished is woken.
const RESYNC: Duration = Duration::from_secs(30);
/// How often old things are removed.
const SWEEP: Duration = Duration::from_secs(60);
/// How many rounds of removal there are at a time. The rest can wait for the next time.
const ROUNDS: usize = 100;

/// Wakes everything unfinished, for ever.
pub(super) async fn resync(work: Arc<dyn Work>) {
    let mut ticks = every(RESYNC);
    // The first tick is at once, and a start wakes everything itself.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if let Err(cause) = caught(work.resync()).await {
            tracing::warn!(%cause, "unfinished work can't be looked up; it is tried again later");
        }
    }
}

/// Removes what is old enough, for ever.
pub(super) async fn sweep(work: Arc<dyn Work>) {
    let mut ticks = every(SWEEP);
    loop {
        ticks.tick().await;
        for _ in 0..ROUNDS {
            match caught(work.sweep()).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(cause) => {
                    tracing::warn!(%cause, "old things can't be removed; it is tried again later");
                    break;
                }
            }
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
