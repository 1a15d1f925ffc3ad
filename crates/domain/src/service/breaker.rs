//! The deployment circuit breaker, and the back-off for tasks that fail to start again and again.

use std::time::Duration;

use super::LaunchThrottle;
use crate::Timestamp;
use crate::model::{DeploymentCircuitBreaker, ThresholdType};

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

impl LaunchThrottle {
    /// Notes `failed` tasks that went from PENDING to STOPPED, of a service that wants `desired` tasks. Returns
    /// whether the service now has to wait.
    pub fn note_failures(&mut self, failed: u32, desired: i32, now: Timestamp) -> bool {
        self.failures = self.failures.saturating_add(failed);
        // A service that starts many tasks at once also fails many at once: one round of them is no sign yet.
        let free = FREE_FAILURES.max(u32::try_from(desired).unwrap_or(0).saturating_mul(2));
        if failed == 0 || self.failures <= free {
            return false;
        }
        let round = u32::try_from(desired.max(1)).unwrap_or(1);
        let doublings = (self.failures - free - 1).checked_div(round).unwrap_or(0).min(16);
        let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
        self.until = Some(now.saturating_add(wait));
        true
    }

    /// Forgets all failures: a task is RUNNING, or the task definition is another one.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// How long no task may be started, from `now`.
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        self.until.map(|until| until.duration_since(now)).filter(|wait| !wait.is_zero())
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
}
