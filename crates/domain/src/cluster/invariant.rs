//! What must be true of the counts of a cluster: they are those of its tasks and services.
//!
//! For tests, simulations and contract suites.

use super::ClusterCounts;
use crate::service::{Service, ServiceStatus};
use crate::task::{Task, TaskStatus};

/// The counts of a cluster that has these tasks and services, counted one by one.
pub fn counts<'a>(
    tasks: impl IntoIterator<Item = &'a Task>,
    services: impl IntoIterator<Item = &'a Service>,
) -> ClusterCounts {
    let mut counts = ClusterCounts::default();
    for task in tasks {
        let launch_type = task.doc.launch_type;
        match task.status {
            TaskStatus::Running => *counts.running_tasks.of(launch_type) += 1,
            status if status.is_pending() => *counts.pending_tasks.of(launch_type) += 1,
            _ => {}
        }
        if task.status != TaskStatus::Stopped {
            counts.unfinished_tasks += 1;
        }
    }
    for service in services {
        match service.status {
            ServiceStatus::Active => *counts.active_services.of(service.launch_type()) += 1,
            ServiceStatus::Draining => *counts.draining_services.of(service.launch_type()) += 1,
            ServiceStatus::Inactive => {}
        }
    }
    counts
}
