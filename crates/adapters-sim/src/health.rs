//! When a scripted health check changes its verdict.
//!
//! Checks are not simulated one by one: 10,000 healthy containers must cost nothing while nothing happens. The
//! verdict is a function of the time since the container's start, so only its changes need a timer. The rules are
//! Docker's: the first check comes one interval after the start and the next ones an interval after the last one
//! ended; a failure within the start period does not count unless a check has passed before; a pass makes HEALTHY
//! at once, `retries` counted failures in a row make UNHEALTHY; before any of that it is UNKNOWN.

use std::time::Duration;

use kecs_domain::model::{HealthCheck, HealthStatus};

use crate::labels::Health;

/// A health check with what it will find. Times are milliseconds since the container's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HealthPlan {
    health: Health,
    interval: u64,
    timeout: u64,
    retries: u64,
    start_period: u64,
}

impl HealthPlan {
    /// The plan of `check`, with ECS's defaults: every 30 s, 5 s to answer, 3 retries, no start period.
    pub(crate) fn new(check: &HealthCheck, health: Health, interval: Option<Duration>) -> Self {
        let seconds = |value: Option<i32>, default: u64| {
            value.and_then(|value| u64::try_from(value).ok()).unwrap_or(default).saturating_mul(1000)
        };
        let interval = interval.map_or(seconds(check.interval, 30), millis);
        Self {
            health,
            interval: interval.max(1),
            timeout: seconds(check.timeout, 5),
            retries: check.retries.and_then(|retries| u64::try_from(retries).ok()).unwrap_or(3).max(1),
            start_period: seconds(check.start_period, 0),
        }
    }

    /// The verdict so long after the start.
    pub(crate) fn status_at(&self, elapsed: Duration) -> HealthStatus {
        let elapsed = millis(elapsed);
        match self.flap(elapsed) {
            Some((status, _)) => status,
            None => {
                let passed = self.changes().into_iter().flatten().take_while(|(at, _)| *at <= elapsed);
                passed.last().map_or(HealthStatus::Unknown, |(_, status)| status)
            }
        }
    }

    /// When, after the start, the verdict changes next after `elapsed`; None if it stays for good.
    pub(crate) fn next_change_after(&self, elapsed: Duration) -> Option<Duration> {
        let elapsed = millis(elapsed);
        let next = match self.flap(elapsed) {
            Some((_, next)) => Some(next),
            None => self.changes().into_iter().flatten().map(|(at, _)| at).find(|at| *at > elapsed),
        };
        next.map(Duration::from_millis)
    }

    /// The changes of a check that doesn't flap, in order.
    fn changes(&self) -> [Option<(u64, HealthStatus)>; 2] {
        let good = |probe| Some((self.ends(probe), HealthStatus::Healthy));
        let bad = |probe| Some((self.ends(probe), HealthStatus::Unhealthy));
        let streak = self.retries - 1;
        let given_up = self.first_at(self.start_period).saturating_add(streak);
        match self.health {
            Health::Passing | Health::Flapping => [good(1), None],
            Health::Failing | Health::Hanging => [bad(given_up), None],
            Health::FailingAfter(after) => match self.first_at(millis(after)) {
                1 => [bad(given_up), None],
                failing => [good(1), bad(failing.saturating_add(streak))],
            },
            Health::PassingAfter(after) => {
                let passing = self.first_at(millis(after));
                if given_up < passing { [bad(given_up), good(passing)] } else { [good(passing), None] }
            }
        }
    }

    /// For a check that flaps: the verdict at `elapsed` and when it changes next. One pass, then `retries`
    /// failures, again and again.
    fn flap(&self, elapsed: u64) -> Option<(HealthStatus, u64)> {
        if self.health != Health::Flapping {
            return None;
        }
        let round = self.retries + 1;
        let done = elapsed / self.interval;
        let (status, next) = match (done, done % round) {
            (0, _) => (HealthStatus::Unknown, 1),
            (_, 0) => (HealthStatus::Unhealthy, done + 1),
            (_, within) => (HealthStatus::Healthy, done - within + round),
        };
        Some((status, self.ends(next)))
    }

    /// What a single check takes.
    fn takes(&self) -> u64 {
        if self.health == Health::Hanging { self.timeout } else { 0 }
    }

    /// When check number `probe` (from 1) has its result.
    fn ends(&self, probe: u64) -> u64 {
        probe.saturating_mul(self.interval.saturating_add(self.takes()))
    }

    /// The number of the first check that begins at `time` or later.
    fn first_at(&self, time: u64) -> u64 {
        let takes = self.takes();
        time.saturating_add(takes).div_ceil(self.interval.saturating_add(takes)).max(1)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every 5 s, 2 s to answer, 3 retries.
    fn plan(health: Health, start_period: i32) -> HealthPlan {
        let check = HealthCheck {
            command: vec!["CMD".into(), "true".into()],
            interval: Some(5),
            timeout: Some(2),
            retries: Some(3),
            start_period: Some(start_period),
        };
        HealthPlan::new(&check, health, None)
    }

    /// The changes within the first minute, in seconds.
    fn changes(plan: HealthPlan) -> Vec<(u64, &'static str)> {
        let mut changes = Vec::new();
        let mut elapsed = Duration::ZERO;
        assert_eq!(plan.status_at(elapsed), HealthStatus::Unknown);
        while let Some(next) = plan.next_change_after(elapsed).filter(|next| next.as_secs() <= 60) {
            let before = plan.status_at(next - Duration::from_millis(1));
            assert_eq!(before, plan.status_at(elapsed), "the verdict holds until {next:?}");
            changes.push((next.as_secs(), plan.status_at(next).as_str()));
            elapsed = next;
        }
        changes
    }

    fn after(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_check_that_passes_makes_healthy_one_interval_after_the_start() {
        assert_eq!(changes(plan(Health::Passing, 0)), [(5, "HEALTHY")]);
        assert_eq!(changes(plan(Health::Passing, 60)), [(5, "HEALTHY")]);
    }

    #[test]
    fn it_takes_as_many_failures_as_retries_to_be_unhealthy() {
        assert_eq!(changes(plan(Health::Failing, 0)), [(15, "UNHEALTHY")]);
    }

    #[test]
    fn failures_within_the_start_period_do_not_count() {
        assert_eq!(changes(plan(Health::Failing, 10)), [(20, "UNHEALTHY")]);
        assert_eq!(changes(plan(Health::Failing, 11)), [(25, "UNHEALTHY")]);
    }

    #[test]
    fn a_check_that_hangs_takes_its_timeout_each_time() {
        assert_eq!(changes(plan(Health::Hanging, 0)), [(21, "UNHEALTHY")]);
        assert_eq!(changes(plan(Health::Hanging, 6)), [(28, "UNHEALTHY")]);
    }

    #[test]
    fn an_application_that_goes_bad_is_healthy_until_enough_checks_failed() {
        assert_eq!(changes(plan(Health::FailingAfter(after(12)), 0)), [(5, "HEALTHY"), (25, "UNHEALTHY")]);
        let within_start_period = plan(Health::FailingAfter(after(12)), 60);
        assert_eq!(
            changes(within_start_period),
            [(5, "HEALTHY"), (25, "UNHEALTHY")],
            "a pass ends the start period"
        );
        assert_eq!(changes(plan(Health::FailingAfter(after(5)), 0)), [(15, "UNHEALTHY")]);
    }

    #[test]
    fn an_application_that_starts_slowly_is_healthy_in_the_end() {
        assert_eq!(changes(plan(Health::PassingAfter(after(12)), 0)), [(15, "HEALTHY")]);
        assert_eq!(changes(plan(Health::PassingAfter(after(22)), 0)), [(15, "UNHEALTHY"), (25, "HEALTHY")]);
        assert_eq!(changes(plan(Health::PassingAfter(after(22)), 20)), [(25, "HEALTHY")]);
    }

    #[test]
    fn a_flapping_check_goes_good_and_bad_by_turns() {
        let expected = [
            (5, "HEALTHY"),
            (20, "UNHEALTHY"),
            (25, "HEALTHY"),
            (40, "UNHEALTHY"),
            (45, "HEALTHY"),
            (60, "UNHEALTHY"),
        ];
        assert_eq!(changes(plan(Health::Flapping, 0)), expected);
    }

    #[test]
    fn without_numbers_the_check_has_ecs_defaults() {
        let plan = HealthPlan::new(&HealthCheck::default(), Health::Failing, None);
        assert_eq!(plan.next_change_after(Duration::ZERO), Some(after(90)));
        let quick =
            HealthPlan::new(&HealthCheck::default(), Health::Failing, Some(Duration::from_millis(10)));
        assert_eq!(quick.next_change_after(Duration::ZERO), Some(Duration::from_millis(30)));
    }
}
