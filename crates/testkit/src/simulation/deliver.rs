//! What comes to the process from outside: hints, timers and observations, and the jobs that it makes of them.

use super::fault::Fault;
use super::plant::Plant;
use super::process::{Done, Intake};
use super::shared::Origin;
use super::world::World;

/// How often the slow timer comes, in milliseconds: as the server's.
pub(super) const RESYNC: i64 = 30_000;
/// How often old things are removed.
pub(super) const SWEEP: i64 = 60_000;

impl World {
    /// Hints, timers and observations arrive.
    pub(super) fn deliver(&mut self) {
        let now = self.shared.millis();
        self.take_wakes();
        self.process.queue.due(now);
        if self.process.is_up() {
            let busy = |origin| self.process.jobs.iter().any(|job| *job.is.origin == origin);
            let (resyncs, sweeps) = (busy(Origin::Resync), busy(Origin::Sweep));
            if now >= self.process.resync_at && !resyncs {
                self.process.resync_at = now + RESYNC;
                let ecs = self.process.ecs.clone();
                let future = Box::pin(async move { Done::Resynced(ecs.reconciler().resync().await) });
                self.begin(Origin::Resync, None, future);
            }
            if now >= self.process.sweep_at && !sweeps {
                self.process.sweep_at = now + SWEEP;
                let ecs = self.process.ecs.clone();
                let future = Box::pin(async move { Done::Swept(ecs.reconciler().sweep().await) });
                self.begin(Origin::Sweep, None, future);
            }
            if !self.happens(Fault::LateObservation) {
                self.take_observations();
            }
        }
        self.spawn();
    }

    pub(super) fn take_wakes(&mut self) {
        let wakes = std::mem::take(&mut self.shared.lock().wakes);
        for key in wakes {
            if self.happens(Fault::LostWake) {
                self.shared.lock().ledger.reach("a hint is lost");
                self.log(format_args!("  the hint {key:?} is lost"));
                continue;
            }
            if self.happens(Fault::DoubledWake) {
                self.shared.lock().wakes.push(key.clone());
            }
            self.process.queue.wake(key);
        }
    }

    fn take_observations(&mut self) {
        let now = self.shared.millis();
        if self.process.jobs.iter().any(|job| *job.is.origin == Origin::Observe) {
            return;
        }
        if self.process.intake.is_none() {
            let Ok(mut batch) = self.process.observed() else {
                self.violate("observations go on", "the orchestrator's stream has ended");
                return;
            };
            if self.shared.lock().plant == Some(Plant::LoseObservations) && self.random.percent(10) {
                batch.retain(|it| matches!(it, kecs_usecases::ports::Observation::Snapshot(_)));
            }
            if batch.is_empty() {
                return;
            }
            let doubled = self.happens(Fault::DoubledObservation);
            self.process.intake = Some(Intake { batch, failures: 0, not_before: now, doubled });
        }
        let Some(intake) = self.process.intake.as_ref().filter(|intake| intake.not_before <= now) else {
            return;
        };
        let (ecs, batch) = (self.process.ecs.clone(), intake.batch.clone());
        let future = Box::pin(async move { Done::Observed(ecs.reconciler().observed(&batch).await) });
        self.begin(Origin::Observe, None, future);
    }

    /// Gives keys to reconcilers that have nothing to do.
    pub(super) fn spawn(&mut self) {
        loop {
            let jobs = self.process.jobs.iter();
            let busy = jobs.filter(|job| matches!(*job.is.origin, Origin::Reconcile(_))).count();
            if busy >= self.workers || !self.process.is_up() {
                return;
            }
            let Some(key) = self.process.queue.take(&mut self.random) else { return };
            let (ecs, woken) = (self.process.ecs.clone(), key.clone());
            let future = Box::pin(async move { Done::Reconciled(ecs.reconciler().reconcile(&woken).await) });
            self.begin(Origin::Reconcile(key), None, future);
        }
    }
}
