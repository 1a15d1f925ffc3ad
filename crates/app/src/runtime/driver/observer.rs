//! Takes what the orchestrator observes to the use cases. What is waiting is taken together, so that many changes cost
//! one commit, but no more than a commit's worth: a snapshot of 100,000 tasks comes in pieces for a reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use kecs_usecases::Error;
use kecs_usecases::ports::{Observation, Orchestrator};
use tokio::time::{Duration, sleep};

use super::failures::{back_off, is_worth_a_retry};
use super::work::{Work, caught};

/// So many tasks, or observations without any, are enough to be taken together.
const BATCH: usize = 1000;
/// The pause before an orchestrator is observed anew whose observations have ended.
const PAUSE: Duration = Duration::from_secs(1);

/// Observes for ever.
pub(super) async fn run(work: Arc<dyn Work>, orchestrator: Arc<dyn Orchestrator>, taken: Arc<AtomicU64>) {
    loop {
        let mut observations = orchestrator.observe().fuse().boxed();
        while let Some(first) = observations.next().await {
            let batch = batch(first, &mut observations);
            taken.fetch_add(batch.len() as u64, Ordering::Relaxed);
            store(&*work, &batch).await;
        }
        tracing::error!("the orchestrator's observations have ended; they are begun anew");
        sleep(PAUSE).await;
    }
}

/// The first observation, and those that are there already. The end of the stream is found at the next look.
fn batch(first: Observation, observations: &mut BoxStream<'static, Observation>) -> Vec<Observation> {
    let weight = |one: &Observation| match one {
        Observation::Changed(tasks) => tasks.len().max(1),
        Observation::Snapshot(_) | Observation::Instances => 1,
    };
    let (mut weighs, mut batch) = (weight(&first), vec![first]);
    while weighs < BATCH {
        let Some(Some(next)) = observations.next().now_or_never() else { break };
        weighs += weight(&next);
        batch.push(next);
    }
    batch
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
