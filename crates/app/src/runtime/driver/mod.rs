//! Drives the reconcilers, which do nothing by themselves: workers that take woken keys, a timer, and an observer.

mod failures;
mod observer;
mod queue;
mod timer;
mod work;
mod worker;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kecs_adapters_http::{Gauges, MetricsText};
use kecs_usecases::ports::Orchestrator;
use tokio::task::JoinSet;

pub use queue::{QueueSize, WakeQueue};
pub use work::Work;

/// How long reconcilers may go on after the shutdown has begun. They may be cut off at any moment, but one that ends
/// leaves less to do for the next start.
const GRACE: Duration = Duration::from_secs(5);

/// The driver of the reconcilers.
pub struct Driver {
    work: Arc<dyn Work>,
    orchestrator: Arc<dyn Orchestrator>,
    queue: Arc<WakeQueue>,
    workers: usize,
    tally: Arc<worker::Tally>,
    observed: Arc<AtomicU64>,
}

impl Driver {
    /// A driver of `work` with so many workers for the keys of `queue`. Both `orchestrator` and `queue` must be
    /// those among the ports of `work`.
    pub fn new(
        work: Arc<dyn Work>,
        orchestrator: Arc<dyn Orchestrator>,
        queue: Arc<WakeQueue>,
        workers: usize,
    ) -> Self {
        Self { work, orchestrator, queue, workers, tally: Arc::default(), observed: Arc::default() }
    }

    /// The driver's numbers for the metrics.
    pub fn gauges(&self) -> Arc<dyn Gauges> {
        let (queue, tally, observed) =
            (Arc::clone(&self.queue), Arc::clone(&self.tally), Arc::clone(&self.observed));
        Arc::new(move |out: &mut MetricsText| {
            let size = queue.size();
            out.family(
                "kecs_reconcile_keys",
                "gauge",
                "Services and tasks that reconcilers look at, by state.",
            );
            for (state, count) in
                [("ready", size.ready), ("running", size.running), ("put_off", size.put_off)]
            {
                out.sample("kecs_reconcile_keys", &[("state", state)], count);
            }
            out.gauge(
                "kecs_reconcile_failing",
                "Services and tasks whose last reconciliation failed.",
                tally.failures.len(),
            );
            for (name, help, count) in [
                ("kecs_reconciles_total", "Reconciliations.", &tally.reconciled),
                ("kecs_reconcile_failures_total", "Reconciliations that failed.", &tally.failed),
                ("kecs_observations_total", "Observations of the orchestrator.", &*observed),
            ] {
                out.family(name, "counter", help);
                out.sample(name, &[], count.load(Ordering::Relaxed));
            }
        })
    }

    /// Drives until `shutdown` is ready. Dropping the future ends everything at once, which harms nothing.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let mut around = JoinSet::new();
        around.spawn(observer::run(
            Arc::clone(&self.work),
            Arc::clone(&self.orchestrator),
            Arc::clone(&self.observed),
        ));
        around.spawn(timer::resync(Arc::clone(&self.work)));
        around.spawn(timer::sweep(Arc::clone(&self.work)));
        let queue = Arc::clone(&self.queue);
        around.spawn(async move { queue.keep_time().await });

        let mut workers = JoinSet::new();
        for _ in 0..self.workers {
            workers.spawn(worker::run(
                Arc::clone(&self.work),
                Arc::clone(&self.queue),
                Arc::clone(&self.tally),
            ));
        }
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                // None of these end by themselves, but for a panic: a defect that must be seen.
                Some(end) = around.join_next() => {
                    if let Err(cause) = end {
                        tracing::error!(%cause, "a part of the driver ended; restart kecs");
                    }
                }
            }
        }
        self.queue.close();
        let finished = async { while workers.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, finished).await.is_err() {
            tracing::warn!(
                "reconcilers were still at work and are cut off; the next start takes their work up"
            );
        }
    }
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
