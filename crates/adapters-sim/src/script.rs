//! A task definition as the simulation sees it: compiled once, shared by all tasks of the revision.

use std::ops::Range;
use std::time::Duration;

use kecs_domain::model::{
    self, ContainerCondition, ContainerDefinition, NetworkMode, PortMapping, TransportProtocol,
};

use crate::health::HealthPlan;
use crate::ids;
use crate::labels::{Behaviour, LabelError};

/// A task definition that can't be simulated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// A label is wrong.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// A container depends on one that isn't there. Registration refuses that too.
    #[error("Cannot depend on container + '{0}' because it does not exist")]
    UnknownDependency(String),
    /// Containers wait for each other. Registration refuses that too.
    #[error("Container dependsOn contains a cycle")]
    Cycle,
}

/// A compiled task definition.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) containers: Box<[ContainerScript]>,
    pub(crate) network: NetworkMode,
    /// The host ports of all containers, in order; empty where tasks have their own address.
    pub(crate) ports: Box<[PortScript]>,
}

/// A compiled container definition.
#[derive(Debug)]
pub(crate) struct ContainerScript {
    pub(crate) name: Box<str>,
    pub(crate) image_digest: Box<str>,
    /// What it waits for, as indexes into the containers.
    pub(crate) depends_on: Box<[(usize, ContainerCondition)]>,
    /// Who waits for it: these stop before it does.
    pub(crate) dependents: Box<[usize]>,
    /// How long the dependents give it to get as far as they need.
    pub(crate) start_timeout: Option<Duration>,
    pub(crate) stop_timeout: Option<Duration>,
    pub(crate) restart: Option<RestartScript>,
    /// Its part of the script's ports.
    pub(crate) ports: Range<usize>,
    behaviour: Behaviour,
    check: Option<model::HealthCheck>,
}

/// `restartPolicy` where it is enabled.
#[derive(Debug)]
pub(crate) struct RestartScript {
    ignored_exit_codes: Box<[i32]>,
    period: Duration,
}

impl RestartScript {
    /// Whether a container that ran for `ran` and ended with `exit_code` is started again.
    pub(crate) fn applies(&self, ran: Duration, exit_code: i32) -> bool {
        ran >= self.period && !self.ignored_exit_codes.contains(&exit_code)
    }
}

/// Where a port is on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HostPort {
    Fixed(u16),
    Dynamic,
}

/// A port mapping, or a range of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PortScript {
    pub(crate) container_port: u16,
    pub(crate) count: u16,
    /// Whether it was given as a range and is told as one.
    pub(crate) ranged: bool,
    pub(crate) host: HostPort,
    pub(crate) protocol: TransportProtocol,
}

impl PortScript {
    /// The ports that begin with `first`; fewer than `count` where the numbers end.
    pub(crate) fn range(&self, first: u16) -> Range<u16> {
        first..first.saturating_add(self.count)
    }

    fn new(mapping: &PortMapping, network: NetworkMode) -> Option<Self> {
        let port =
            |port: Option<i32>| port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0);
        let (first, count, ranged) = match &mapping.container_port_range {
            Some(range) => {
                let (first, last) = range.split_once('-')?;
                let (first, last): (u16, u16) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
                (first, last.checked_sub(first)?.checked_add(1)?, true)
            }
            None => (port(mapping.container_port)?, 1, false),
        };
        let host = match (network, port(mapping.host_port)) {
            (NetworkMode::Host, _) => HostPort::Fixed(first),
            (_, Some(fixed)) if !ranged => HostPort::Fixed(fixed),
            _ => HostPort::Dynamic,
        };
        let protocol = mapping.protocol.unwrap_or(TransportProtocol::Tcp);
        Some(Self { container_port: first, count, ranged, host, protocol })
    }
}

impl Script {
    /// Compiles a task definition.
    pub(crate) fn compile(definition: &model::TaskDefinition) -> Result<Self, ScriptError> {
        let script = Self::build(definition, |container| {
            let labels =
                container.docker_labels.iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
            let name = container.name.as_deref().unwrap_or_default();
            Behaviour::parse(name, container.health_check.is_some(), &labels.collect())
        })?;
        for container in definition.container_definitions.iter().flatten() {
            for dependency in container.depends_on.iter().flatten() {
                if script.index(&dependency.container_name).is_none() {
                    return Err(ScriptError::UnknownDependency(dependency.container_name.clone()));
                }
            }
        }
        if script.has_cycle() { Err(ScriptError::Cycle) } else { Ok(script) }
    }

    /// Compiles a task definition whose tasks exist already: what can't be understood is left out, because a task
    /// that runs must be taken up.
    pub(crate) fn compile_leniently(definition: &model::TaskDefinition) -> Self {
        Self::compile(definition).unwrap_or_else(|error| {
            tracing::warn!(family = definition.family, %error, "a task definition is simulated without its script");
            let Ok(mut script) = Self::build(definition, |_| Ok::<_, std::convert::Infallible>(Behaviour::DEFAULT));
            for container in &mut script.containers {
                (container.depends_on, container.dependents) = Default::default();
            }
            script
        })
    }

    fn build<E>(
        definition: &model::TaskDefinition,
        behaviour: impl Fn(&ContainerDefinition) -> Result<Behaviour, E>,
    ) -> Result<Self, E> {
        // What ECS takes where the member is left out, on Linux.
        let network = definition.network_mode.unwrap_or(NetworkMode::Bridge);
        let definitions = definition.container_definitions.as_deref().unwrap_or_default();
        let mut ports = Vec::new();
        let mut containers = Vec::with_capacity(definitions.len());
        for container in definitions {
            let first = ports.len();
            if matches!(network, NetworkMode::Bridge | NetworkMode::Host) {
                let mappings = container.port_mappings.iter().flatten();
                ports.extend(mappings.filter_map(|mapping| PortScript::new(mapping, network)));
            }
            containers.push(ContainerScript::new(
                definitions,
                container,
                behaviour(container)?,
                first..ports.len(),
            ));
        }
        Ok(Self { containers: containers.into(), network, ports: ports.into() })
    }

    /// The position of the container called `name`.
    pub(crate) fn index(&self, name: &str) -> Option<usize> {
        self.containers.iter().position(|container| &*container.name == name)
    }

    /// Whether some container waits for itself, by however many others.
    fn has_cycle(&self) -> bool {
        let mut ready = vec![false; self.containers.len()];
        // Each round finds at least one more container whose dependencies are all ready, or there is a cycle.
        for _ in 0..ready.len() {
            for (index, container) in self.containers.iter().enumerate() {
                ready[index] = container.depends_on.iter().all(|(dependency, _)| ready[*dependency]);
            }
        }
        ready.contains(&false)
    }
}

impl ContainerScript {
    fn new(
        all: &[ContainerDefinition],
        definition: &ContainerDefinition,
        behaviour: Behaviour,
        ports: Range<usize>,
    ) -> Self {
        let index = |name: &str| all.iter().position(|other| other.name.as_deref() == Some(name));
        let depends_on = definition.depends_on.iter().flatten();
        let waits_for_us = |other: &ContainerDefinition| {
            other.depends_on.iter().flatten().any(|it| Some(&it.container_name) == definition.name.as_ref())
        };
        let seconds =
            |value: i32| u64::try_from(value).ok().filter(|value| *value > 0).map(Duration::from_secs);
        let restart = definition.restart_policy.as_ref().filter(|policy| policy.enabled);
        Self {
            name: definition.name.as_deref().unwrap_or_default().into(),
            image_digest: ids::image_digest(definition.image.as_deref().unwrap_or_default()).into(),
            depends_on: depends_on
                .filter_map(|it| Some((index(&it.container_name)?, it.condition)))
                .collect(),
            dependents: (0..all.len()).filter(|other| waits_for_us(&all[*other])).collect(),
            start_timeout: definition.start_timeout.and_then(seconds),
            stop_timeout: definition.stop_timeout.and_then(seconds),
            restart: restart.map(|policy| RestartScript {
                ignored_exit_codes: policy.ignored_exit_codes.as_deref().unwrap_or_default().into(),
                // ECS's default; and never zero, or a container that exits at once would restart for ever.
                period: policy.restart_attempt_period.and_then(seconds).unwrap_or(Duration::from_secs(300)),
            }),
            ports,
            behaviour,
            check: definition.health_check.clone(),
        }
    }

    /// What it does in a task that drew `lot`, of 0 to 99.
    pub(crate) fn behaviour(&self, lot: u8) -> &Behaviour {
        if lot < self.behaviour.share { &self.behaviour } else { &Behaviour::DEFAULT }
    }

    /// What its health check finds, if it has one.
    pub(crate) fn health(&self, lot: u8) -> Option<HealthPlan> {
        let behaviour = self.behaviour(lot);
        // The pace of the checks is the same for all tasks, whatever they find.
        let interval = self.behaviour.health_interval;
        self.check.as_ref().map(|check| HealthPlan::new(check, behaviour.health, interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(json: &str) -> model::TaskDefinition {
        serde_json::from_str(json).unwrap()
    }

    fn ports(network: &str, mapping: &str) -> Vec<PortScript> {
        let json = format!(
            r#"{{"networkMode": "{network}", "containerDefinitions": [{{"name": "web", "portMappings": [{mapping}]}}]}}"#
        );
        Script::compile(&definition(&json)).unwrap().ports.into()
    }

    #[test]
    fn dependencies_are_known_from_both_ends() {
        let script = Script::compile(&definition(
            r#"{"containerDefinitions": [
                {"name": "web", "dependsOn": [{"containerName": "db", "condition": "HEALTHY"}]},
                {"name": "db"}
            ]}"#,
        ))
        .unwrap();
        assert_eq!(*script.containers[0].depends_on, [(1, ContainerCondition::Healthy)]);
        assert_eq!(*script.containers[1].dependents, [0]);
    }

    #[test]
    fn a_dependency_that_can_never_be_met_is_refused_but_taken_up_after_a_restart() {
        let cycle = definition(
            r#"{"containerDefinitions": [
                {"name": "a", "dependsOn": [{"containerName": "b", "condition": "START"}]},
                {"name": "b", "dependsOn": [{"containerName": "c", "condition": "START"}]},
                {"name": "c", "dependsOn": [{"containerName": "a", "condition": "START"}]}
            ]}"#,
        );
        assert_eq!(Script::compile(&cycle).unwrap_err(), ScriptError::Cycle);
        let unknown = definition(
            r#"{"containerDefinitions": [{"name": "a", "dependsOn": [{"containerName": "x", "condition": "START"}]}]}"#,
        );
        assert_eq!(Script::compile(&unknown).unwrap_err(), ScriptError::UnknownDependency("x".into()));
        let lenient = Script::compile_leniently(&cycle);
        assert!(lenient.containers.iter().all(|it| it.depends_on.is_empty() && it.dependents.is_empty()));
    }

    #[test]
    fn host_ports_follow_the_network_mode() {
        let mapping = r#"{"containerPort": 80, "hostPort": 8080}"#;
        assert_eq!(ports("bridge", mapping)[0].host, HostPort::Fixed(8080));
        assert_eq!(ports("host", r#"{"containerPort": 80}"#)[0].host, HostPort::Fixed(80));
        assert_eq!(ports("bridge", r#"{"containerPort": 80, "hostPort": 0}"#)[0].host, HostPort::Dynamic);
        assert_eq!(ports("awsvpc", mapping), []);
        assert_eq!(ports("none", mapping), []);
        let range = ports("bridge", r#"{"containerPortRange": "8000-8009", "protocol": "udp"}"#)[0];
        assert_eq!((range.container_port, range.count, range.ranged), (8000, 10, true));
        assert_eq!((range.host, range.protocol), (HostPort::Dynamic, TransportProtocol::Udp));
    }

    #[test]
    fn a_container_restarts_only_after_its_period_and_not_with_an_ignored_code() {
        let script = Script::compile(&definition(
            r#"{"containerDefinitions": [
                {"name": "a", "restartPolicy": {"enabled": true, "ignoredExitCodes": [0], "restartAttemptPeriod": 60}},
                {"name": "b", "restartPolicy": {"enabled": false}}
            ]}"#,
        ))
        .unwrap();
        let restart = script.containers[0].restart.as_ref().unwrap();
        let (long, short) = (Duration::from_secs(60), Duration::from_secs(59));
        assert_eq!(
            [restart.applies(long, 1), restart.applies(short, 1), restart.applies(long, 0)],
            [true, false, false]
        );
        assert!(script.containers[1].restart.is_none());
    }

    #[test]
    fn labels_hold_for_the_share_of_the_tasks_that_they_name() {
        let script = Script::compile(&definition(
            r#"{"containerDefinitions": [
                {"name": "a", "dockerLabels": {"kecs.dev/sim.share": "30", "kecs.dev/sim.exit-code": "1"}}
            ]}"#,
        ))
        .unwrap();
        let codes = [29, 30].map(|lot| script.containers[0].behaviour(lot).exit_code);
        assert_eq!(codes, [Some(1), None]);
    }
}
