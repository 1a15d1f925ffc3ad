//! Health checks and restart policies of containers.

use std::ops::RangeInclusive;

use super::{Outcome, Subject, client, each, name_of};
use crate::model::{ContainerRestartPolicy, HealthCheck};

/// Seconds. (API model)
const INTERVAL: RangeInclusive<i32> = 5..=300;
/// Seconds. (API model)
const TIMEOUT: RangeInclusive<i32> = 2..=60;
/// (API model)
const RETRIES: RangeInclusive<i32> = 1..=10;
/// Seconds. (API model)
const START_PERIOD: RangeInclusive<i32> = 0..=300;
/// Seconds. (API model)
const RESTART_ATTEMPT: RangeInclusive<i32> = 60..=1800;
/// (API model)
const MOST_EXIT_CODES: usize = 50;

pub(super) fn check(subject: &Subject<'_>) -> Outcome {
    for container in subject.containers {
        let name = name_of(container);
        if let Some(health) = &container.health_check {
            check_health(health, name)?;
        }
        if let Some(policy) = &container.restart_policy {
            check_restarts(policy, name)?;
        }
    }
    Ok(())
}

fn check_health(health: &HealthCheck, container: &str) -> Outcome {
    if health.command.is_empty() {
        return client(format!("The health check of container '{container}' must have a command."));
    }
    for (member, value, range) in [
        ("interval", health.interval, INTERVAL),
        ("timeout", health.timeout, TIMEOUT),
        ("retries", health.retries, RETRIES),
        ("startPeriod", health.start_period, START_PERIOD),
    ] {
        within(&format!("healthCheck.{member}"), value, &range, container)?;
    }
    Ok(())
}

fn check_restarts(policy: &ContainerRestartPolicy, container: &str) -> Outcome {
    if each(&policy.ignored_exit_codes).len() > MOST_EXIT_CODES {
        return client(format!("ignoredExitCodes can have at most {MOST_EXIT_CODES} items"));
    }
    within("restartAttemptPeriod", policy.restart_attempt_period, &RESTART_ATTEMPT, container)
}

fn within(member: &str, value: Option<i32>, range: &RangeInclusive<i32>, container: &str) -> Outcome {
    if value.is_none_or(|value| range.contains(&value)) {
        return Ok(());
    }
    client(format!(
        "the '{member}' setting for container '{container}' must be between {} and {}",
        range.start(),
        range.end()
    ))
}
