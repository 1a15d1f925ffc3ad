//! How many tasks a deployment must keep healthy, and how many there may be.

use super::Service;
use crate::model::SchedulingStrategy;

/// The bounds that `deploymentConfiguration` sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// At least this many tasks stay healthy by our own doing: `minimumHealthyPercent` of the desired count,
    /// rounded up.
    pub least_healthy: i64,
    /// At most this many tasks are RUNNING or on their way: `maximumPercent` of the desired count, rounded down.
    pub most: i64,
}

impl Limits {
    /// The bounds for `desired` tasks. (AWS documentation, DeploymentConfiguration)
    pub const fn new(desired: i32, minimum_healthy_percent: i32, maximum_percent: i32) -> Self {
        let desired = desired as i64;
        Self {
            least_healthy: (desired * minimum_healthy_percent as i64 + 99) / 100,
            most: desired * maximum_percent as i64 / 100,
        }
    }
}

/// `minimumHealthyPercent` and `maximumPercent` where they aren't given.
pub(super) const fn default_percents(strategy: SchedulingStrategy) -> (i32, i32) {
    match strategy {
        SchedulingStrategy::Replica => (100, 200),
        SchedulingStrategy::Daemon => (0, 100),
    }
}

impl Service {
    /// The bounds for `desired` tasks under the service's present configuration.
    pub fn limits(&self, desired: i32) -> Limits {
        let (minimum, maximum) = default_percents(self.scheduling_strategy());
        let configuration = self.spec.deployment_configuration.as_ref();
        Limits::new(
            desired,
            configuration.and_then(|c| c.minimum_healthy_percent).unwrap_or(minimum),
            configuration.and_then(|c| c.maximum_percent).unwrap_or(maximum),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimum_rounds_up_and_the_maximum_rounds_down() {
        for (desired, minimum, maximum, least_healthy, most) in [
            (3, 50, 150, 2, 4),
            (1, 50, 150, 1, 1),
            (4, 100, 200, 4, 8),
            (0, 100, 200, 0, 0),
            (7, 33, 133, 3, 9),
        ] {
            assert_eq!(Limits::new(desired, minimum, maximum), Limits { least_healthy, most });
        }
    }
}
