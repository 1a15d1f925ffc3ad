//! Takes what the orchestrator observes to the use cases. What is waiting is taken together, so that many changes cost
//! one commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::StreamExt;
use kecs_usecases::Error;
use kecs_usecases::ports::{Observation, Orchestrator};
use tokio::time::{Duration, sleep};

use super::failures::{back_off, is_worth_a_retry};
use super::work::{Work, caught};

/// How many observations are taken together at most.
const BATCH: usize = 1000;
/// The pause before an orchestrator is observed anew whose observations have ended.
const PAUSE: Duration = Duration::from_secs(1);

/// Observes for ever.
pub(super) async fn run(work: Arc<dyn Work>, orchestrator: Arc<dyn Orchestrator>, taken: Arc<AtomicU64>) {
    loop {
        let mut batches = orchestrator.observe().ready_chunks(BATCH);
        while let Some(batch) = batches.next().await {
            taken.fetch_add(batch.len() as u64, Ordering::Relaxed);
            store(&*work, &batch).await;
        }
        tracing::error!("the orchestrator's observations have ended; they are begun anew");
        sleep(PAUSE).await;
    }
}

/// Stores a batch, however long the store is away: an observation that is lost may be a task's end.
async fn store(work: &dyn Work, batch: &[Observation]) {
    match persist(work, batch).await {
        Ok(()) => {}
        // One of them can't be stored. It must not take the others with it.
        Err(_) if batch.len() > 1 => {
            for observation in batch {
                if let Err(error) = persist(work, std::slice::from_ref(observation)).await {
                    tracing::error!(cause = %error, "an observation is dropped");
                }
            }
        }
        Err(error) => tracing::error!(cause = %error, "an observation is dropped"),
    }
}

/// Tries until it is done, or can't be.
async fn persist(work: &dyn Work, batch: &[Observation]) -> Result<(), Error> {
    let mut failures = 0;
    loop {
        match caught(work.observed(batch)).await {
            Ok(()) => return Ok(()),
            Err(error) if is_worth_a_retry(&error) => {
                failures += 1;
                if failures == 1 {
                    tracing::warn!(cause = %error, "observations can't be stored yet");
                }
                sleep(back_off(failures)).await;
            }
            Err(error) => return Err(error),
        }
    }
}
