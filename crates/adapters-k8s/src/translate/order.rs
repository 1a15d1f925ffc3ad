//! `dependsOn` as Kubernetes orders containers: what others wait for becomes an init container.
//!
//! A container that others need to have COMPLETEd is an init container that runs to its end; one that others need
//! STARTed or HEALTHY is a native sidecar (an init container that keeps running). Init containers start one after
//! another, so they are sorted by what they depend on themselves.

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
    /// Nothing waits for it.
    Main,
}

impl Position {
    pub(super) fn is_init(self) -> bool {
        self != Self::Main
    }
}

/// The containers in their order of starting, each with its position.
pub(super) struct Order(Vec<(usize, Position)>);

impl Order {
    pub(super) fn of(containers: &[ContainerDefinition]) -> Self {
        let positions: Vec<Position> =
            containers.iter().map(|container| position(containers, container)).collect();
        let mut order = Vec::with_capacity(containers.len());
        let mut left: Vec<usize> = (0..containers.len()).collect();
        // Registration refuses cycles; should one get here, the rest keeps its order.
        while !left.is_empty() {
            let ready = left.iter().position(|index| {
                containers[*index].depends_on.iter().flatten().all(|dependency| {
                    !left
                        .iter()
                        .any(|other| containers[*other].name.as_deref() == Some(&*dependency.container_name))
                })
            });
            let index = left.remove(ready.unwrap_or(0));
            order.push((index, positions[index]));
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

fn position(containers: &[ContainerDefinition], container: &ContainerDefinition) -> Position {
    let conditions = containers
        .iter()
        .flat_map(|other| other.depends_on.iter().flatten())
        .filter(|dependency| Some(&dependency.container_name) == container.name.as_ref())
        .map(|dependency| dependency.condition);
    let mut position = Position::Main;
    for condition in conditions {
        position = match (position, condition) {
            (Position::Init, _) | (_, ContainerCondition::Complete | ContainerCondition::Success) => {
                Position::Init
            }
            (Position::Sidecar { healthy: true }, _) | (_, ContainerCondition::Healthy) => {
                Position::Sidecar { healthy: true }
            }
            (_, ContainerCondition::Start) => Position::Sidecar { healthy: false },
        };
    }
    position
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

    #[test]
    fn what_others_wait_for_starts_first() {
        let all = [
            container("app", &[("db", ContainerCondition::Healthy), ("log", ContainerCondition::Start)]),
            container("db", &[("schema", ContainerCondition::Success)]),
            container("schema", &[]),
            container("log", &[]),
        ];
        let order: Vec<_> = Order::of(&all)
            .iter()
            .map(|(index, position)| (all[index].name.clone().unwrap(), position))
            .collect();
        assert_eq!(
            order,
            [
                ("schema".to_owned(), Position::Init),
                ("db".to_owned(), Position::Sidecar { healthy: true }),
                ("log".to_owned(), Position::Sidecar { healthy: false }),
                ("app".to_owned(), Position::Main),
            ]
        );
    }

    #[test]
    fn without_dependencies_the_order_stays() {
        let all = [container("b", &[]), container("a", &[])];
        let order: Vec<_> = Order::of(&all).iter().collect();
        assert_eq!(order, [(0, Position::Main), (1, Position::Main)]);
    }
}
