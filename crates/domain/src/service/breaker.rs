//! The deployment circuit breaker, and the back-off for tasks that fail to start again and again.

use std::time::Duration;

use super::LaunchThrottle;
use crate::Timestamp;
use crate::model::{DeploymentCircuitBreaker, TaskStopCode, ThresholdType};
use crate::task::Task;

/// Bounds of the BOUNDED_PERCENT threshold. (AWS documentation, How the deployment circuit breaker detects failures)
const BOUNDS: (i64, i64) = (3, 200);

/// The number of failures at which a deployment of `desired` tasks has failed.
pub fn threshold(breaker: &DeploymentCircuitBreaker, desired: i32) -> i32 {
    let (kind, value) = breaker
        .threshold_configuration
        .as_ref()
        .map_or((ThresholdType::BoundedPercent, 50), |c| (c.r#type, c.value));
    let share = (i64::from(desired) * i64::from(value) + 99) / 100;
    let failures = match kind {
        ThresholdType::Count => i64::from(value),
        ThresholdType::BoundedPercent => share.clamp(BOUNDS.0, BOUNDS.1),
        ThresholdType::UnboundedPercent => share.max(1),
    };
    i32::try_from(failures).unwrap_or(i32::MAX)
}

/// Failed launches in a row that are borne before any waiting.
const FREE_FAILURES: u32 = 10;
/// The first wait; each further failure doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// The longest wait. (AWS documentation, Service throttle logic)
const LONGEST_WAIT: Duration = Duration::from_secs(27 * 60);

/// A task that exits this soon after it was RUNNING does nothing of use.
const AT_ONCE: Duration = Duration::from_secs(10);
/// The first wait for such tasks. ECS doesn't count them as failed to start and says nothing, but neither does it start
/// the next one within the same moment, as is possible here.
const FIRST_PACE: Duration = Duration::from_secs(1);
/// The longest wait for them.
const LONGEST_PACE: Duration = Duration::from_secs(30);
/// After this long without one, they are forgotten.
const PACE_ENDS: Duration = Duration::from_secs(120);

/// How often something is borne for nothing: a service that starts many tasks at once also fails many at once, and one
/// round of them is no sign yet.
fn free(desired: i32) -> u32 {
    FREE_FAILURES.max(u32::try_from(desired).unwrap_or(0).saturating_mul(2))
}

/// The wait after `beyond` of them, from 0, that doubles with each round of `desired`.
fn grown(first: Duration, longest: Duration, beyond: u32, desired: i32) -> Duration {
    let round = u32::try_from(desired.max(1)).unwrap_or(1);
    let doublings = beyond.checked_div(round).unwrap_or(0).min(16);
    first.saturating_mul(1 << doublings).min(longest)
}

/// Whether a task that came to an end by itself after it was RUNNING did so at once.
pub(crate) fn exited_at_once(task: &Task, now: Timestamp) -> bool {
    task.doc.stop_code == Some(TaskStopCode::EssentialContainerExited)
        && task.doc.started_at.is_some_and(|at| now.duration_since(at) < AT_ONCE)
}

impl LaunchThrottle {
    /// Notes `failed` tasks that went from PENDING to STOPPED, of a service that wants `desired` tasks. Returns
    /// whether the service now has to wait.
    pub fn note_failures(&mut self, failed: u32, desired: i32, now: Timestamp) -> bool {
        self.failures = self.failures.saturating_add(failed);
        let free = free(desired);
        if failed == 0 || self.failures <= free {
            return false;
        }
        let wait = grown(FIRST_WAIT, LONGEST_WAIT, self.failures - free - 1, desired);
        self.until = Some(now.saturating_add(wait));
        true
    }

    /// Notes `exits` tasks that were RUNNING and exited at once, of a service that wants `desired` tasks.
    pub fn note_exits(&mut self, exits: u32, desired: i32, now: Timestamp) {
        if exits == 0 {
            return;
        }
        if self.exited_at.is_none_or(|last| now.duration_since(last) > PACE_ENDS) {
            self.exits = 0;
        }
        self.exits = self.exits.saturating_add(exits);
        self.exited_at = Some(now);
        let free = free(desired);
        if self.exits > free {
            let wait = grown(FIRST_PACE, LONGEST_PACE, self.exits - free - 1, desired);
            self.paced_until = Some(now.saturating_add(wait));
        }
    }

    /// Forgets failed launches: a task is RUNNING.
    pub fn reset(&mut self) {
        (self.failures, self.until) = (0, None);
    }

    /// Forgets everything: the task definition is another one.
    pub fn renew(&mut self) {
        *self = Self::default();
    }

    /// Whether tasks wait because others failed to start: what a service says in an event.
    pub fn is_throttled(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until > now)
    }

    /// How long no task may be started, from `now`.
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        let until = self.until.max(self.paced_until)?;
        Some(until.duration_since(now)).filter(|wait| !wait.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ThresholdConfiguration;

    fn breaker(r#type: ThresholdType, value: i32) -> DeploymentCircuitBreaker {
        DeploymentCircuitBreaker {
            enable: true,
            rollback: false,
            reset_on_healthy_task: None,
            threshold_configuration: Some(ThresholdConfiguration { r#type, value }),
        }
    }

    #[test]
    fn the_threshold_is_a_count_or_a_share_with_or_without_bounds() {
        for (kind, value, desired, expected) in [
            (ThresholdType::BoundedPercent, 50, 1, 3),
            (ThresholdType::BoundedPercent, 50, 25, 13),
            (ThresholdType::BoundedPercent, 50, 10_000, 200),
            (ThresholdType::UnboundedPercent, 50, 1, 1),
            (ThresholdType::UnboundedPercent, 50, 10_000, 5_000),
            (ThresholdType::Count, 7, 10_000, 7),
        ] {
            assert_eq!(threshold(&breaker(kind, value), desired), expected, "{kind} {value} of {desired}");
        }
    }

    #[test]
    fn waiting_grows_up_to_27_minutes_and_ends_with_a_running_task() {
        let mut throttle = LaunchThrottle::default();
        let now = Timestamp::from_millis(0);
        assert!(!throttle.note_failures(10, 1, now));
        assert_eq!(throttle.wait(now), None);
        assert!(throttle.note_failures(1, 1, now));
        assert_eq!(throttle.wait(now), Some(Duration::from_secs(10)));
        assert!(throttle.note_failures(1, 1, now));
        assert_eq!(throttle.wait(now), Some(Duration::from_secs(20)));
        assert!(throttle.note_failures(50, 1, now));
        assert_eq!(throttle.wait(now), Some(Duration::from_secs(27 * 60)));
        throttle.reset();
        assert_eq!(throttle.wait(now), None);
    }

    #[test]
    fn tasks_that_exit_at_once_are_paced_until_none_has_for_a_while() {
        let mut throttle = LaunchThrottle::default();
        let mut now = Timestamp::from_millis(0);
        throttle.note_exits(10, 1, now);
        assert_eq!(throttle.wait(now), None);
        for expected in [1, 2, 4, 8, 16, 30, 30] {
            throttle.note_exits(1, 1, now);
            assert_eq!(throttle.wait(now), Some(Duration::from_secs(expected)));
            assert!(!throttle.is_throttled(now), "that is no failure to start");
            throttle.reset();
            assert_eq!(throttle.wait(now), Some(Duration::from_secs(expected)), "each of them was RUNNING");
            now = now.saturating_add(Duration::from_secs(expected));
            assert_eq!(throttle.wait(now), None);
        }
        now = now.saturating_add(Duration::from_secs(121));
        throttle.note_exits(1, 1, now);
        assert_eq!(throttle.wait(now), None);
    }
}
