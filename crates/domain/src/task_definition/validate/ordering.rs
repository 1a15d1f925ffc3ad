//! `dependsOn`, and the timeouts that go with it.

use super::{Outcome, Subject, client, each, is_essential, name_of};
use crate::model::{ContainerCondition, ContainerDefinition};

/// The shortest timeout, in seconds. There is no longest one but Fargate's for stopping.
const SHORTEST: i32 = 2;

pub(super) fn check(subject: &Subject<'_>) -> Outcome {
    for container in subject.containers {
        for dependency in each(&container.depends_on) {
            let name = dependency.container_name.as_str();
            let Some(on) = subject.container(name) else {
                // The plus sign is ECS's own.
                return client(format!("Cannot depend on container + '{name}' because it does not exist"));
            };
            check_condition(dependency.condition, on)?;
        }
    }
    if has_cycle(subject) {
        return client("Container dependsOn contains a cycle");
    }
    for container in subject.containers {
        let name = name_of(container);
        for (what, timeout) in [("start", container.start_timeout), ("stop", container.stop_timeout)] {
            if timeout.is_some_and(|seconds| seconds < SHORTEST) {
                return client(format!(
                    "Granular {what} timeout on container '{name}' must be at least {SHORTEST} seconds."
                ));
            }
        }
    }
    Ok(())
}

fn check_condition(condition: ContainerCondition, on: &ContainerDefinition) -> Outcome {
    match condition {
        ContainerCondition::Start => Ok(()),
        // An essential container that ends takes the task with it, so nobody could wait for that.
        ContainerCondition::Complete | ContainerCondition::Success if is_essential(on) => client(
            "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
        ),
        ContainerCondition::Complete | ContainerCondition::Success => Ok(()),
        ContainerCondition::Healthy if on.health_check.is_none() => {
            client("A dependency container with HEALTHY condition must have health check configured")
        }
        ContainerCondition::Healthy => Ok(()),
    }
}

/// Whether some container waits, over however many others, for itself.
fn has_cycle(subject: &Subject<'_>) -> bool {
    // Takes away, again and again, the containers that wait for none of the rest. What is left waits in circles.
    let mut left: Vec<&ContainerDefinition> = subject.containers.iter().collect();
    loop {
        let waits = |container: &ContainerDefinition| {
            each(&container.depends_on).any(|on| left.iter().any(|other| name_of(other) == on.container_name))
        };
        let still: Vec<_> = left.iter().copied().filter(|container| waits(container)).collect();
        if still.len() == left.len() {
            return !left.is_empty();
        }
        left = still;
    }
}
