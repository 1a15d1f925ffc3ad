//! How a task ends: asked to, unable to start, or because what it ran on is gone.

use kecs_domain::Timestamp;
use kecs_domain::task::TaskFailure;

use super::{Phase, SimTask, State};
use crate::options::SimOptions;

impl SimTask {
    /// Begins to stop. What isn't started never will be; containers that run get SIGTERM in the reverse order of
    /// `dependsOn`.
    pub(crate) fn begin_stop(&mut self, t: Timestamp, options: &SimOptions) {
        if self.stopping || self.phase == Phase::Released {
            return;
        }
        self.stopping = true;
        self.phase = Phase::Up;
        for container in &mut self.containers {
            if container.state != State::Running {
                self.news |= container.state != State::Stopped;
                container.state = State::Stopped;
            }
        }
        self.failure.take_if(|failure| matches!(**failure, TaskFailure::Unplaceable { .. }));
        if !self.placed {
            // It holds nothing.
            self.release_at = Some(t);
        }
        self.settle(t, options);
    }

    /// Sends SIGTERM to every container that no other one needs any more. Whether it sent any.
    pub(super) fn send_signals(&mut self, t: Timestamp) -> bool {
        let mut sent = false;
        for index in 0..self.containers.len() {
            let container = &self.containers[index];
            let mut dependents = self.script.containers[index].dependents.iter();
            let needed = dependents.any(|dependent| !self.containers[*dependent].has_stopped());
            if container.state == State::Running && container.signalled_at.is_none() && !needed {
                self.containers[index].signalled_at = Some(t);
                sent = true;
            }
        }
        sent
    }

    /// The container at `index` is the reason why the task can't start.
    pub(super) fn fail_in(&mut self, t: Timestamp, index: usize, reason: String, options: &SimOptions) {
        let container = &mut self.containers[index];
        container.state = State::Stopped;
        container.reason = Some(reason.as_str().into());
        self.fail(t, reason, options);
    }

    /// The task can't start.
    pub(super) fn fail(&mut self, t: Timestamp, reason: String, options: &SimOptions) {
        self.end_because(t, TaskFailure::FailedToStart { reason }, options);
    }

    /// Ends in an orderly way, because of `failure` unless something else came first.
    pub(crate) fn end_because(&mut self, t: Timestamp, failure: TaskFailure, options: &SimOptions) {
        if self.phase == Phase::Released {
            return;
        }
        self.note(failure);
        self.begin_stop(t, options);
    }

    /// Notes what ends the task. The first cause stays.
    fn note(&mut self, failure: TaskFailure) {
        if matches!(self.failure.as_deref(), None | Some(TaskFailure::Unplaceable { .. })) {
            self.failure = Some(Box::new(failure));
            self.news = true;
        }
    }

    /// Ends at once: what it ran on is gone. How its containers ended, nobody knows.
    pub(crate) fn lose(&mut self, t: Timestamp, reason: String) {
        if self.phase == Phase::Released {
            return;
        }
        self.note(TaskFailure::Lost { reason });
        self.news = true;
        self.stopping = true;
        self.phase = Phase::Up;
        for container in &mut self.containers {
            if container.state == State::Running {
                container.finished_at = Some(t);
            }
            container.state = State::Stopped;
            container.health_at = None;
        }
        self.release_at = Some(t);
    }
}
