//! `dependsOn` as Kubernetes orders containers.
//!
//! A container that others need to have ended with SUCCESS is an init container that runs to its end; one that others
//! need STARTed or HEALTHY is a native sidecar (an init container that keeps running). Init containers start one after
//! another, so they are sorted by what they depend on themselves.
//!
//! COMPLETE has no such counterpart: an init container that ends with a code other than 0 fails the whole Pod, and for
//! ECS any code will do. So the container waited for is a main one, and who waits for it, also by way of others, waits
//! behind a gate (see [`crate::gate`]).

use kecs_domain::model::{ContainerCondition, ContainerDefinition};

/// Where in the Pod a container goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// Runs to its end before what comes after.
    Init,
    /// Keeps running; what comes after waits until it has started, or is healthy.
    Sidecar {
        /// Whether it must be healthy first.
        healthy: bool,
    },
    /// Begins when the init containers are through.
    Main,
    /// Begins when its gate is opened.
    Gated,
}

impl Position {
    pub(super) fn is_init(self) -> bool {
        matches!(self, Self::Init | Self::Sidecar { .. })
    }
}

/// The containers in their order of starting, each with its position.
pub(super) struct Order(Vec<(usize, Position)>);

impl Order {
    pub(super) fn of(containers: &[ContainerDefinition]) -> Self {
        let sorted = sort(containers);
        let mut order: Vec<(usize, Position)> = Vec::with_capacity(containers.len());
        for index in sorted {
            let position = position(containers, &containers[index], &order);
            order.push((index, position));
        }
        // Kubernetes wants at least one main container. Without one, all of them are waited for by each other.
        if order.iter().all(|(_, position)| position.is_init())
            && let Some(last) = order.last_mut()
        {
            last.1 = Position::Main;
        }
        Self(order)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, Position)> + '_ {
        self.0.iter().copied()
    }
}

/// The containers, each after what it depends on. What doesn't depend on each other keeps its order.
fn sort(containers: &[ContainerDefinition]) -> Vec<usize> {
    let mut order = Vec::with_capacity(containers.len());
    let mut left: Vec<usize> = (0..containers.len()).collect();
    // Registration refuses cycles; should one get here, the rest keeps its order.
    while !left.is_empty() {
        let is_left = |name: &str| left.iter().any(|other| containers[*other].name.as_deref() == Some(name));
        let ready = left.iter().position(|index| {
            let mut needed = containers[*index].depends_on.iter().flatten();
            !needed.any(|dependency| is_left(&dependency.container_name))
        });
        order.push(left.remove(ready.unwrap_or(0)));
    }
    order
}

/// The position of a container, given those of all that it depends on.
fn position(
    containers: &[ContainerDefinition],
    container: &ContainerDefinition,
    before: &[(usize, Position)],
) -> Position {
    let needs_a_main_one = container.depends_on.iter().flatten().any(|dependency| {
        before.iter().any(|(index, position)| {
            !position.is_init() && containers[*index].name.as_ref() == Some(&dependency.container_name)
        })
    });
    if needs_a_main_one {
        return Position::Gated;
    }
    let waited_for = |wanted: ContainerCondition| {
        containers.iter().flat_map(|other| other.depends_on.iter().flatten()).any(|dependency| {
            dependency.condition == wanted && Some(&dependency.container_name) == container.name.as_ref()
        })
    };
    if waited_for(ContainerCondition::Success) {
        // If it fails, the task does, whoever else waits for its mere end.
        Position::Init
    } else if waited_for(ContainerCondition::Complete) {
        Position::Main
    } else if waited_for(ContainerCondition::Healthy) {
        Position::Sidecar { healthy: true }
    } else if waited_for(ContainerCondition::Start) {
        Position::Sidecar { healthy: false }
    } else {
        Position::Main
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kecs_domain::model::ContainerDependency;

    fn container(name: &str, needs: &[(&str, ContainerCondition)]) -> ContainerDefinition {
        ContainerDefinition {
            name: Some(name.to_owned()),
            depends_on: Some(
                needs
                    .iter()
                    .map(|(name, condition)| ContainerDependency {
                        container_name: (*name).to_owned(),
                        condition: *condition,
                    })
                    .collect(),
            ),
            ..Default::default()
        }
    }

    fn order(all: &[ContainerDefinition]) -> Vec<(String, Position)> {
        Order::of(all).iter().map(|(index, position)| (all[index].name.clone().unwrap(), position)).collect()
    }

    fn expected(order: &[(&str, Position)]) -> Vec<(String, Position)> {
        order.iter().map(|(name, position)| ((*name).to_owned(), *position)).collect()
    }

    #[test]
    fn what_others_wait_for_starts_first() {
        let all = [
            container("app", &[("db", ContainerCondition::Healthy), ("log", ContainerCondition::Start)]),
            container("db", &[("schema", ContainerCondition::Success)]),
            container("schema", &[]),
            container("log", &[]),
        ];
        let is = [
            ("schema", Position::Init),
            ("db", Position::Sidecar { healthy: true }),
            ("log", Position::Sidecar { healthy: false }),
            ("app", Position::Main),
        ];
        assert_eq!(order(&all), expected(&is));
    }

    #[test]
    fn who_waits_for_a_mere_end_waits_behind_a_gate_and_so_do_those_after_it() {
        let all = [
            container("web", &[("app", ContainerCondition::Start)]),
            container("app", &[("fetch", ContainerCondition::Complete), ("log", ContainerCondition::Start)]),
            container("fetch", &[]),
            container("log", &[]),
            container("alone", &[]),
        ];
        let is = [
            ("fetch", Position::Main),
            ("log", Position::Sidecar { healthy: false }),
            ("app", Position::Gated),
            ("web", Position::Gated),
            ("alone", Position::Main),
        ];
        assert_eq!(order(&all), expected(&is));
    }

    #[test]
    fn an_end_that_must_be_a_success_is_an_init_container_for_all() {
        let all = [
            container("init", &[]),
            container("a", &[("init", ContainerCondition::Complete)]),
            container("b", &[("init", ContainerCondition::Success)]),
        ];
        let is = [("init", Position::Init), ("a", Position::Main), ("b", Position::Main)];
        assert_eq!(order(&all), expected(&is));
    }

    #[test]
    fn without_dependencies_the_order_stays() {
        let all = [container("b", &[]), container("a", &[])];
        assert_eq!(order(&all), expected(&[("b", Position::Main), ("a", Position::Main)]));
    }
}
