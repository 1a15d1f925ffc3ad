//! How the jobs of the process end, and what the world makes of it.

use std::fmt;

use kecs_usecases::Error;
use kecs_usecases::ports::PortErrorKind;

use super::client::call::{Answer, Outcome};
use super::deliver::{RESYNC, SWEEP};
use super::process::{Done, Job};
use super::queue::back_off;
use super::shared::Origin;
use super::world::World;

impl World {
    pub(super) fn end(&mut self, job: &Job, done: Done) {
        let (number, now) = (job.is.number, self.shared.millis());
        match done {
            Done::Api(result) => self.end_call(job, result),
            Done::Reconciled(result) => {
                let Origin::Reconcile(key) = &*job.is.origin else { return };
                self.log_result(number, key, result.as_ref().err());
                match result {
                    Ok(next) => self.process.queue.done(key.clone(), next.after, now),
                    Err(_) => self.process.queue.failed(key.clone(), now),
                }
            }
            Done::Observed(result) => {
                self.log_result(number, &"observations", result.as_ref().err());
                match (result, &mut self.process.intake) {
                    (Ok(()), Some(intake)) if intake.doubled => intake.doubled = false,
                    (Ok(()), intake) => *intake = None,
                    (Err(_), Some(intake)) => {
                        intake.failures += 1;
                        intake.not_before = now + back_off(intake.failures);
                    }
                    (Err(_), None) => {}
                }
            }
            Done::Started(result) => {
                self.log_result(number, &"start", result.as_ref().err());
                if result.is_ok() {
                    self.process.observe();
                    self.process.resync_at = now + RESYNC;
                    self.process.sweep_at = now + SWEEP;
                } else {
                    // A server that can't start ends, and is started again by whoever looks after it.
                    self.die();
                }
            }
            Done::Resynced(result) => self.log_result(number, &"resync", result.as_ref().err()),
            // What it wanted to remove was changed meanwhile: it comes again.
            Done::Swept(Err(Error::Port(error))) if error.is_conflict() => {
                self.log(format_args!("  #{number} sweep: {error}"));
            }
            Done::Swept(result) => self.log_result(number, &"sweep", result.as_ref().err()),
        }
    }

    fn end_call(&mut self, job: &Job, result: Result<Answer, Error>) {
        let Some(request) = &job.request else { return };
        let outcome = match result {
            Ok(answer) => Outcome::Acknowledged(answer),
            Err(Error::Ecs(error)) => Outcome::Refused(error.to_string()),
            Err(error @ Error::Port(_)) => {
                self.suspect(request.name(), &error);
                Outcome::Unknown(error.to_string())
            }
        };
        let number = job.is.number;
        self.log(format_args!("  #{number} {}: {outcome}", request.name()));
        let mut shared = self.shared.lock();
        let how = match outcome {
            Outcome::Acknowledged(_) => "acknowledged",
            Outcome::Refused(_) => "refused",
            Outcome::Unknown(_) => "unknown",
        };
        shared.ledger.reach(format!("{} {how}", request.name()));
        if let Err(wrong) = self.facts.end(number, request, &outcome, &shared.ledger) {
            shared.ledger.violate("an acknowledged change stays", format!("{request}: {wrong}"));
        }
    }

    fn log_result(&mut self, number: u64, what: &dyn fmt::Debug, error: Option<&Error>) {
        match error {
            None => self.log(format_args!("  #{number} {what:?}: done")),
            Some(error) => {
                self.log(format_args!("  #{number} {what:?}: {error}"));
                self.suspect("the reconcilers", error);
            }
        }
    }

    /// Errors that no fault accounts for.
    fn suspect(&self, who: &'static str, error: &Error) {
        let unexpected = match error {
            Error::Port(error) => !matches!(error.kind, PortErrorKind::Transient),
            Error::Ecs(_) => true,
        };
        if unexpected {
            self.violate("failures have a cause", format!("{who}: {error}"));
        }
    }
}
