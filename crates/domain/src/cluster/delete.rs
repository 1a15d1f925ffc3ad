//! What keeps a cluster from being deleted.

use super::ClusterCounts;
use crate::error::{EcsError, ErrorCode};

impl ClusterCounts {
    /// Whether a cluster with this in it can be deleted. A DRAINING service only counts through its tasks.
    ///
    /// # Errors
    /// `ClusterContainsServicesException`, `ClusterContainsTasksException` (also for tasks that are stopping) or
    /// `ClusterContainsContainerInstancesException`, in this order.
    pub fn check_deletable(&self, has_instances: bool) -> Result<(), EcsError> {
        let (code, what) = if self.active_services.total() > 0 {
            (ErrorCode::ClusterContainsServices, "Services are active.")
        } else if self.unfinished_tasks > 0 {
            (ErrorCode::ClusterContainsTasks, "Tasks are active.")
        } else if has_instances {
            (ErrorCode::ClusterContainsContainerInstances, "Container Instances are active or draining.")
        } else {
            return Ok(());
        };
        Err(EcsError::new(code, format!("The Cluster cannot be deleted while {what}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::PerLaunchType;

    #[test]
    fn services_come_before_tasks_and_tasks_before_instances() {
        let one = PerLaunchType { fargate: 1, ..PerLaunchType::default() };
        let mut counts =
            ClusterCounts { active_services: one, unfinished_tasks: 1, ..ClusterCounts::default() };
        let refused = |counts: &ClusterCounts| {
            let error = counts.check_deletable(true).unwrap_err();
            (error.code, error.message)
        };
        assert_eq!(
            refused(&counts),
            (
                ErrorCode::ClusterContainsServices,
                "The Cluster cannot be deleted while Services are active.".to_owned()
            )
        );
        counts.active_services = PerLaunchType::default();
        assert_eq!(
            refused(&counts),
            (
                ErrorCode::ClusterContainsTasks,
                "The Cluster cannot be deleted while Tasks are active.".to_owned()
            )
        );
        counts.unfinished_tasks = 0;
        assert_eq!(
            refused(&counts),
            (
                ErrorCode::ClusterContainsContainerInstances,
                "The Cluster cannot be deleted while Container Instances are active or draining.".to_owned()
            )
        );
    }

    #[test]
    fn a_draining_service_without_tasks_is_no_hindrance() {
        let draining = PerLaunchType { fargate: 1, ..PerLaunchType::default() };
        let mut counts = ClusterCounts { draining_services: draining, ..ClusterCounts::default() };
        assert_eq!(counts.check_deletable(false), Ok(()));
        counts.unfinished_tasks = 1;
        assert_eq!(counts.check_deletable(false).unwrap_err().code, ErrorCode::ClusterContainsTasks);
    }
}
