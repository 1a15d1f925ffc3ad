//! What the services of the tests are created with.

use kecs_domain::model::DeploymentCircuitBreaker;

/// What a service is created with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) desired: i32,
    /// `minimumHealthyPercent` and `maximumPercent`
    pub(crate) percents: (i32, i32),
    pub(crate) breaker: Option<DeploymentCircuitBreaker>,
    /// Whether the container has a health check.
    pub(crate) checked: bool,
    pub(crate) grace: i32,
    /// DAEMON on this many instances, instead of REPLICA.
    pub(crate) daemon_on: Option<usize>,
}

impl Settings {
    pub(crate) fn replica(desired: i32, minimum: i32, maximum: i32) -> Self {
        let percents = (minimum, maximum);
        Self { desired, percents, breaker: None, checked: false, grace: 0, daemon_on: None }
    }

    pub(crate) fn checked(self) -> Self {
        Self { checked: true, ..self }
    }

    /// With the circuit breaker at its default threshold.
    pub(crate) fn breaker(self, rollback: bool) -> Self {
        let breaker = DeploymentCircuitBreaker {
            enable: true,
            rollback,
            reset_on_healthy_task: Some(true),
            threshold_configuration: None,
        };
        Self { breaker: Some(breaker), ..self }
    }
}
