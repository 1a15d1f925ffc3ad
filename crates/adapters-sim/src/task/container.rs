//! One simulated container: waiting, starting, running (again and again, where it has a restart policy), stopped.

use std::sync::Arc;
use std::time::Duration;

use kecs_domain::Timestamp;
use kecs_domain::model::HealthStatus;

use super::SimTask;
use crate::options::SimOptions;

/// How a container that was killed ends: 128 and SIGKILL's number.
pub(super) const KILLED: i32 = 137;

/// A container.
#[derive(Debug)]
pub(crate) struct SimContainer {
    pub(crate) state: State,
    /// When it started first: a restart in place is not told.
    pub(crate) started_at: Option<Timestamp>,
    /// When its present run began.
    pub(crate) run_began_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
    /// When it got SIGTERM.
    pub(crate) signalled_at: Option<Timestamp>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) reason: Option<Arc<str>>,
    pub(crate) health: HealthStatus,
    /// When its health changes next.
    pub(crate) health_at: Option<Timestamp>,
}

/// How far a container has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// For images, or for the containers that it depends on.
    Waiting,
    /// It runs from this time on.
    Starting(Timestamp),
    Running,
    Stopped,
}

/// How a run ends.
struct End {
    at: Timestamp,
    exit_code: i32,
    reason: Option<&'static str>,
}

impl SimContainer {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Waiting,
            started_at: None,
            run_began_at: Timestamp::MIN,
            finished_at: None,
            signalled_at: None,
            exit_code: None,
            reason: None,
            health: HealthStatus::Unknown,
            health_at: None,
        }
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.state == State::Stopped
    }
}

impl SimTask {
    /// Does what is due at `t` for the container at `index`. Whether there was anything.
    pub(super) fn step_container(&mut self, index: usize, t: Timestamp, options: &SimOptions) -> bool {
        match self.containers[index].state {
            State::Starting(at) if at <= t => {
                match self.script.containers[index].behaviour(self.lot).start_error.clone() {
                    Some(text) => {
                        self.fail_in(t, index, format!("CannotStartContainerError: {text}"), options)
                    }
                    None => self.begin_run(index, t),
                }
                true
            }
            State::Running => {
                if let Some(end) = self.end(index, options).filter(|end| end.at <= t) {
                    self.exit(index, t, end.exit_code, end.reason);
                    return true;
                }
                let due = self.containers[index].health_at.is_some_and(|at| at <= t);
                if due {
                    self.update_health(index, t);
                }
                due
            }
            State::Waiting | State::Starting(_) | State::Stopped => false,
        }
    }

    /// When something is due for the container at `index`.
    pub(super) fn container_due(&self, index: usize, options: &SimOptions) -> Option<Timestamp> {
        let container = &self.containers[index];
        match container.state {
            State::Starting(at) => Some(at),
            State::Running => {
                let end = self.end(index, options).map(|end| end.at);
                end.into_iter().chain(container.health_at).min()
            }
            State::Waiting | State::Stopped => None,
        }
    }

    /// The container at `index` runs, for the first time or again.
    pub(super) fn begin_run(&mut self, index: usize, t: Timestamp) {
        let container = &mut self.containers[index];
        container.state = State::Running;
        container.started_at = container.started_at.or(Some(t));
        container.run_began_at = t;
        self.news = true;
        self.update_health(index, t);
    }

    /// Sets the health of a running container to what it is at `t`, and when it changes next.
    pub(super) fn update_health(&mut self, index: usize, t: Timestamp) {
        let Some(plan) = self.script.containers[index].health(self.lot) else { return };
        let container = &mut self.containers[index];
        let ran = t.duration_since(container.run_began_at);
        let before = std::mem::replace(&mut container.health, plan.status_at(ran));
        self.news |= before != container.health;
        container.health_at =
            plan.next_change_after(ran).map(|after| container.run_began_at.saturating_add(after));
    }

    /// How the present run of the container at `index` ends, as things stand.
    fn end(&self, index: usize, options: &SimOptions) -> Option<End> {
        let container = &self.containers[index];
        let behaviour = self.script.containers[index].behaviour(self.lot);
        let after = |since: Timestamp, delay: Duration| since.saturating_add(delay);
        let run_for = behaviour.run_for.or(behaviour.exit_code.map(|_| Duration::ZERO));
        let own = run_for.map(|run_for| End {
            at: after(container.run_began_at, run_for),
            exit_code: behaviour.exit_code.unwrap_or(0),
            reason: None,
        });
        let memory = behaviour.oom_after.map(|oom_after| End {
            at: after(container.run_began_at, oom_after),
            exit_code: KILLED,
            reason: Some("OutOfMemoryError: Container killed due to memory usage"),
        });
        let signal = container.signalled_at.map(|signalled_at| {
            let timeout = self.script.containers[index].stop_timeout.unwrap_or(options.stop_timeout);
            if behaviour.ignore_sigterm || behaviour.stop_delay >= timeout {
                End { at: after(signalled_at, timeout), exit_code: KILLED, reason: None }
            } else {
                let at = after(signalled_at, behaviour.stop_delay);
                End { at, exit_code: behaviour.exit_on_sigterm, reason: None }
            }
        });
        // The first of equals stays: what it does of its own accord comes before what is done to it.
        [own, memory, signal].into_iter().flatten().min_by_key(|end| end.at)
    }

    /// The container at `index`, which runs, ends at `t`; its restart policy may start it again at once.
    pub(crate) fn exit(&mut self, index: usize, t: Timestamp, exit_code: i32, reason: Option<&str>) {
        let container = &mut self.containers[index];
        let ran = t.duration_since(container.run_began_at);
        let restart = self.script.containers[index].restart.as_ref();
        if !self.stopping && restart.is_some_and(|restart| restart.applies(ran, exit_code)) {
            self.begin_run(index, t);
            return;
        }
        container.state = State::Stopped;
        container.finished_at = Some(t);
        container.exit_code = Some(exit_code);
        container.reason = reason.map(Into::into);
        container.health_at = None;
        self.news = true;
    }
}
