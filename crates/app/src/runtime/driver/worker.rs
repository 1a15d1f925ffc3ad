//! A worker: takes keys from the queue and has them reconciled, one after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kecs_usecases::Error;
use kecs_usecases::ports::WakeKey;

use super::failures::{Failures, back_off, is_worth_a_retry};
use super::queue::WakeQueue;
use super::work::{Work, caught};

/// What the workers share.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) reconciled: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) failures: Failures,
}

/// Works until the queue is closed.
pub(super) async fn run(work: Arc<dyn Work>, queue: Arc<WakeQueue>, tally: Arc<Tally>) {
    while let Some(key) = queue.next().await {
        let outcome = caught(work.reconcile(&key)).await;
        tally.reconciled.fetch_add(1, Ordering::Relaxed);
        match outcome {
            Ok(again) => {
                if tally.failures.clear(&key) > 0 {
                    tracing::info!(?key, "reconciled again after failures");
                }
                queue.done(key, again);
            }
            Err(error) => failed(&queue, &tally, key, &error),
        }
    }
}

/// The first failure of a key is told, those after it only to who wants to know everything.
fn failed(queue: &WakeQueue, tally: &Tally, key: WakeKey, cause: &Error) {
    tally.failed.fetch_add(1, Ordering::Relaxed);
    let failures = tally.failures.add(&key);
    let retried = is_worth_a_retry(cause);
    match (failures, retried) {
        (1, true) => tracing::warn!(?key, %cause, "reconciling failed and is tried again"),
        (1, false) => tracing::error!(?key, %cause, "reconciling failed"),
        _ => tracing::debug!(?key, %cause, failures, "reconciling failed again"),
    }
    if retried {
        queue.failed(key, back_off(failures));
    } else {
        queue.done(key, None);
    }
}
