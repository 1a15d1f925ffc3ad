//! How the simulation is set up: its nodes, its addresses, and how long things take where no label says so.

use std::collections::BTreeSet;
use std::time::Duration;

use kecs_domain::model;

use crate::address::Cidr;

/// A simulated node: a container instance of every cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSpec {
    /// Its name; unique. The container instance's id follows from it.
    pub name: String,
    /// `ecs.availability-zone`. A single letter means that zone of the region of the cluster that asks.
    pub availability_zone: String,
    /// CPU units: 1024 are one vCPU.
    pub cpu: i64,
    /// MiB
    pub memory: i64,
    /// Attributes beside the built-in ones (`ecs.availability-zone`, `ecs.cpu-architecture`, `ecs.instance-type`,
    /// `ecs.os-type`); one of the same name replaces the built-in one.
    pub attributes: Vec<model::Attribute>,
}

impl NodeSpec {
    /// A node without attributes of its own.
    pub fn new(name: impl Into<String>, availability_zone: impl Into<String>, cpu: i64, memory: i64) -> Self {
        let (name, availability_zone) = (name.into(), availability_zone.into());
        Self { name, availability_zone, cpu, memory, attributes: Vec::new() }
    }
}

/// The set-up of a simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct SimOptions {
    /// The nodes. None at all is allowed: then only Fargate tasks find a place.
    pub nodes: Vec<NodeSpec>,
    /// Where the addresses of awsvpc tasks come from. Only tasks that live at the same time need different ones.
    pub cidr: Cidr,
    /// From the acceptance of a task until it has its place and its address.
    pub placement_delay: Duration,
    /// How long an image takes, unless a label says otherwise.
    pub pull_delay: Duration,
    /// From the moment that a container may start until it has, unless a label says otherwise.
    pub start_delay: Duration,
    /// From the end of a task's last container until its network is given back.
    pub release_delay: Duration,
    /// From SIGTERM to SIGKILL for a container without `stopTimeout`.
    pub stop_timeout: Duration,
}

/// Large enough that three default nodes hold 100,000 tasks of 256 CPU units and 512 MiB, and small enough for the
/// 32 bits of `integerValue`: 16,384 vCPU.
const DEFAULT_CPU: i64 = 16_384 * 1024;
/// 64 TiB
const DEFAULT_MEMORY: i64 = 64 * 1024 * 1024;
const ZONES: [&str; 3] = ["a", "b", "c"];

impl Default for SimOptions {
    /// Three nodes of 16,384 vCPU and 64 TiB in the zones a, b and c; addresses of 10.0.0.0/8; nothing takes
    /// time but the release of a network (10 ms); containers have ECS's 30 s to stop.
    fn default() -> Self {
        Self {
            nodes: Self::equal_nodes(3, DEFAULT_CPU, DEFAULT_MEMORY),
            cidr: Cidr::DEFAULT,
            placement_delay: Duration::ZERO,
            pull_delay: Duration::ZERO,
            start_delay: Duration::ZERO,
            release_delay: Duration::from_millis(10),
            stop_timeout: Duration::from_secs(30),
        }
    }
}

/// A set-up that can't be simulated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadOptions {
    /// Two nodes have one name.
    #[error("nodes: the name '{0}' is used twice")]
    DuplicateNode(String),
    /// A node without a name, a zone, CPU units or memory.
    #[error("nodes: '{name}' needs a {member}")]
    Node {
        /// The node.
        name: String,
        /// What is missing or not positive.
        member: &'static str,
    },
}

impl SimOptions {
    /// `count` equal nodes called `node-1`, `node-2`, ..., by turns in the zones a, b and c.
    pub fn equal_nodes(count: usize, cpu: i64, memory: i64) -> Vec<NodeSpec> {
        let zones = ZONES.iter().cycle();
        (1..=count)
            .zip(zones)
            .map(|(n, zone)| NodeSpec::new(format!("node-{n}"), *zone, cpu, memory))
            .collect()
    }

    /// Whether this can be simulated.
    ///
    /// # Errors
    /// [`BadOptions`] names the first thing that is wrong.
    pub fn check(&self) -> Result<(), BadOptions> {
        let mut names = BTreeSet::new();
        for node in &self.nodes {
            node.check()?;
            if !names.insert(&node.name) {
                return Err(BadOptions::DuplicateNode(node.name.clone()));
            }
        }
        Ok(())
    }
}

impl NodeSpec {
    /// Whether such a node can be.
    ///
    /// # Errors
    /// [`BadOptions::Node`] names what is missing.
    pub fn check(&self) -> Result<(), BadOptions> {
        let missing = [
            ("name", self.name.is_empty()),
            ("availability_zone", self.availability_zone.is_empty()),
            ("cpu above 0", self.cpu <= 0),
            ("memory above 0", self.memory <= 0),
        ];
        match missing.into_iter().find(|(_, missing)| *missing) {
            Some((member, _)) => Err(BadOptions::Node { name: self.name.clone(), member }),
            None => Ok(()),
        }
    }
}

/// The full name of a zone: a single letter stands for that zone of `region`.
pub(crate) fn zone_of(zone: &str, region: &str) -> String {
    if zone.len() == 1 { format!("{region}{zone}") } else { zone.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_holds_a_hundred_thousand_small_tasks_on_its_nodes() {
        let options = SimOptions::default();
        assert_eq!(options.check(), Ok(()));
        assert!(options.nodes.iter().map(|node| node.cpu).sum::<i64>() >= 100_000 * 256);
        assert!(options.nodes.iter().map(|node| node.memory).sum::<i64>() >= 100_000 * 512);
        assert!(options.nodes.iter().all(|node| i32::try_from(node.cpu.max(node.memory)).is_ok()));
    }

    #[test]
    fn nodes_go_round_the_zones() {
        let nodes = SimOptions::equal_nodes(4, 1, 1);
        let zones: Vec<_> = nodes.iter().map(|node| node.availability_zone.as_str()).collect();
        assert_eq!(zones, ["a", "b", "c", "a"]);
        assert_eq!(nodes[3].name, "node-4");
    }

    #[test]
    fn a_set_up_that_makes_no_sense_is_refused_by_name() {
        let with = |nodes| SimOptions { nodes, ..SimOptions::default() }.check();
        let node = |name: &str, cpu| NodeSpec::new(name, "a", cpu, 1);
        assert_eq!(with(vec![]), Ok(()));
        assert_eq!(with(vec![node("n", 1), node("n", 1)]), Err(BadOptions::DuplicateNode("n".into())));
        assert_eq!(
            with(vec![node("n", 0)]),
            Err(BadOptions::Node { name: "n".into(), member: "cpu above 0" })
        );
    }

    #[test]
    fn a_letter_is_a_zone_of_whichever_region_asks() {
        assert_eq!(zone_of("b", "eu-central-1"), "eu-central-1b");
        assert_eq!(zone_of("rack-7", "eu-central-1"), "rack-7");
    }
}
