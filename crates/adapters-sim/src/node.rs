//! Nodes: what they have, what is taken, and which host ports are free.

use std::collections::BTreeSet;

use kecs_domain::model::{Attribute, TransportProtocol, VersionInfo};
use kecs_domain::name::HexId;
use kecs_domain::placement::Misfit;
use kecs_usecases::ports::{Instance, InstanceStatus, Resources};

use crate::ids;
use crate::options::{NodeSpec, zone_of};
use crate::script::{HostPort, PortScript};

/// What the agent and Docker keep for themselves on every instance (ECS's PORTS of a fresh instance).
const RESERVED: [u16; 5] = [22, 2375, 2376, 51678, 51679];
/// Linux's ephemeral ports: where ECS takes dynamic host ports from.
const DYNAMIC: std::ops::RangeInclusive<u16> = 32768..=60999;

/// What a task takes of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Demand {
    /// CPU units.
    pub(crate) cpu: i64,
    /// MiB
    pub(crate) memory: i64,
}

/// A node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) spec: NodeSpec,
    pub(crate) id: HexId,
    pub(crate) draining: bool,
    pub(crate) connected: bool,
    used: Demand,
    /// Taken host ports.
    ports: BTreeSet<(u16, TransportProtocol)>,
    /// Where the search for the next dynamic port begins, so that a port that was just given back rests.
    next_dynamic: u16,
}

impl Node {
    pub(crate) fn new(spec: NodeSpec) -> Self {
        Self {
            id: ids::node(&spec.name),
            spec,
            draining: false,
            connected: true,
            used: Demand::default(),
            ports: BTreeSet::new(),
            next_dynamic: *DYNAMIC.start(),
        }
    }

    /// What is left.
    pub(crate) fn free(&self) -> Demand {
        Demand { cpu: self.spec.cpu - self.used.cpu, memory: self.spec.memory - self.used.memory }
    }

    /// Whether `demand` and the fixed ones of `ports` are free here.
    pub(crate) fn fits(&self, demand: Demand, ports: &[PortScript]) -> Result<(), Misfit> {
        let free = self.free();
        if demand.cpu > free.cpu {
            return Err(Misfit::Cpu);
        }
        if demand.memory > free.memory {
            return Err(Misfit::Memory);
        }
        let taken = |port: u16, protocol| RESERVED.contains(&port) || self.ports.contains(&(port, protocol));
        let conflict = ports.iter().any(|script| match script.host {
            HostPort::Fixed(first) => script.range(first).any(|port| taken(port, script.protocol)),
            HostPort::Dynamic => false,
        });
        if conflict { Err(Misfit::Ports) } else { Ok(()) }
    }

    /// Takes `demand` and `ports`, which fit; the first host port of each of `ports`. None when there are no
    /// dynamic ports left; nothing is taken then.
    pub(crate) fn take(&mut self, demand: Demand, ports: &[PortScript]) -> Option<Box<[u16]>> {
        let taken = self.ports_for(ports)?;
        self.claim(demand, ports, &taken);
        Some(taken)
    }

    /// Host ports for `ports`, not yet taken; None when there are no dynamic ones left.
    pub(crate) fn ports_for(&mut self, ports: &[PortScript]) -> Option<Box<[u16]>> {
        let mut chosen: Vec<u16> = Vec::with_capacity(ports.len());
        for (index, script) in ports.iter().enumerate() {
            let first = match script.host {
                HostPort::Fixed(first) => first,
                HostPort::Dynamic => self.dynamic(script, ports[..index].iter().zip(&chosen))?,
            };
            chosen.push(first);
        }
        Some(chosen.into())
    }

    /// Takes all this, whether it fits or not: after a restart a task has what it had.
    pub(crate) fn claim(&mut self, demand: Demand, ports: &[PortScript], host_ports: &[u16]) {
        for (script, first) in ports.iter().zip(host_ports) {
            self.ports.extend(script.range(*first).map(|port| (port, script.protocol)));
        }
        self.used.cpu += demand.cpu;
        self.used.memory += demand.memory;
    }

    /// Gives back what a task took.
    pub(crate) fn give_back(&mut self, demand: Demand, ports: &[PortScript], host_ports: &[u16]) {
        self.free_ports(ports, host_ports);
        self.used.cpu -= demand.cpu;
        self.used.memory -= demand.memory;
    }

    fn free_ports(&mut self, ports: &[PortScript], host_ports: &[u16]) {
        for (script, first) in ports.iter().zip(host_ports) {
            for port in script.range(*first) {
                self.ports.remove(&(port, script.protocol));
            }
        }
    }

    /// The first of as many free dynamic ports in a row as `script` wants, beside those just `chosen`.
    fn dynamic<'a>(
        &mut self,
        script: &PortScript,
        chosen: impl Iterator<Item = (&'a PortScript, &'a u16)> + Clone,
    ) -> Option<u16> {
        let is_free = |port: u16| {
            let mut chosen = chosen.clone().filter(|(other, _)| other.protocol == script.protocol);
            DYNAMIC.contains(&port)
                && !RESERVED.contains(&port)
                && !self.ports.contains(&(port, script.protocol))
                && !chosen.any(|(other, first)| other.range(*first).contains(&port))
        };
        let fits = |first: &u16| {
            let mut range = script.range(*first);
            range.len() == usize::from(script.count) && range.all(is_free)
        };
        let start = self.next_dynamic;
        let first = (start..=*DYNAMIC.end()).chain(*DYNAMIC.start()..start).find(fits)?;
        let next = first.saturating_add(script.count);
        self.next_dynamic = if DYNAMIC.contains(&next) { next } else { *DYNAMIC.start() };
        Some(first)
    }

    /// Its zone, for a cluster in `region`.
    pub(crate) fn zone(&self, region: &str) -> String {
        zone_of(&self.spec.availability_zone, region)
    }

    /// The node as a container instance of a cluster in `region`.
    pub(crate) fn instance(&self, region: &str) -> Instance {
        let free = self.free();
        let taken: BTreeSet<u16> =
            RESERVED.into_iter().chain(self.ports.iter().map(|(port, _)| *port)).collect();
        let zone = self.zone(region);
        Instance {
            id: self.id,
            host: self.spec.name.clone(),
            status: if self.draining { InstanceStatus::Draining } else { InstanceStatus::Active },
            connected: self.connected,
            registered: Resources { cpu: self.spec.cpu, memory: self.spec.memory, ports: RESERVED.to_vec() },
            remaining: Resources { cpu: free.cpu, memory: free.memory, ports: taken.into_iter().collect() },
            attributes: self.attributes(&zone),
            availability_zone: zone,
            versions: VersionInfo {
                agent_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
                docker_version: Some("simulated".to_owned()),
                ..VersionInfo::default()
            },
            // A simulated node is there as long as the simulation is, which knows when that began.
            registered_at: None,
        }
    }

    fn attributes(&self, zone: &str) -> Vec<Attribute> {
        let built_in = [
            ("ecs.availability-zone", zone),
            ("ecs.cpu-architecture", "x86_64"),
            ("ecs.instance-type", "simulated"),
            ("ecs.os-type", "linux"),
        ];
        let own = &self.spec.attributes;
        let attribute = |(name, value): (&str, &str)| Attribute {
            name: name.into(),
            value: Some(value.into()),
            target_type: None,
            target_id: None,
        };
        let built_in =
            built_in.into_iter().filter(|(name, _)| own.iter().all(|own| own.name != *name)).map(attribute);
        built_in.chain(own.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> Node {
        Node::new(NodeSpec::new("n", "a", 1024, 2048))
    }

    fn port(host: HostPort, count: u16) -> PortScript {
        PortScript { container_port: 80, count, ranged: count > 1, host, protocol: TransportProtocol::Tcp }
    }

    const SMALL: Demand = Demand { cpu: 256, memory: 512 };

    #[test]
    fn a_node_holds_what_it_has_and_no_more() {
        let mut node = node();
        for _ in 0..4 {
            assert_eq!(node.fits(SMALL, &[]), Ok(()));
            node.take(SMALL, &[]).unwrap();
        }
        assert_eq!(node.fits(SMALL, &[]), Err(Misfit::Cpu));
        assert_eq!(node.fits(Demand { cpu: 0, memory: 1 }, &[]), Err(Misfit::Memory));
        node.give_back(SMALL, &[], &[]);
        assert_eq!(node.free(), SMALL);
    }

    #[test]
    fn a_fixed_port_is_held_by_one_task_at_a_time_per_protocol() {
        let mut node = node();
        let tcp = [port(HostPort::Fixed(8080), 1)];
        let udp = [PortScript { protocol: TransportProtocol::Udp, ..tcp[0] }];
        assert_eq!(node.take(SMALL, &tcp).unwrap().as_ref(), [8080]);
        assert_eq!(node.fits(SMALL, &tcp), Err(Misfit::Ports));
        assert_eq!(node.fits(SMALL, &udp), Ok(()));
        assert!(node.instance("r").remaining.ports.contains(&8080));
        node.give_back(SMALL, &tcp, &[8080]);
        assert_eq!(node.fits(SMALL, &tcp), Ok(()));
    }

    #[test]
    fn the_agents_own_ports_are_never_free() {
        let node = node();
        assert_eq!(node.fits(SMALL, &[port(HostPort::Fixed(22), 1)]), Err(Misfit::Ports));
        assert_eq!(node.instance("r").registered.ports, RESERVED);
    }

    #[test]
    fn dynamic_ports_begin_at_32768_and_a_freed_one_rests() {
        let mut node = node();
        let dynamic = [port(HostPort::Dynamic, 1)];
        let first = node.take(SMALL, &dynamic).unwrap();
        assert_eq!(first.as_ref(), [32768]);
        node.give_back(SMALL, &dynamic, &first);
        assert_eq!(node.take(SMALL, &dynamic).unwrap().as_ref(), [32769]);
    }

    #[test]
    fn dynamic_ports_run_out_without_a_trace() {
        let mut node = Node::new(NodeSpec::new("n", "a", i64::MAX, i64::MAX));
        let all = DYNAMIC.len() - RESERVED.iter().filter(|port| DYNAMIC.contains(port)).count();
        for _ in 0..all {
            assert!(node.take(SMALL, &[port(HostPort::Dynamic, 1)]).is_some());
        }
        let two = [port(HostPort::Fixed(80), 1), port(HostPort::Dynamic, 1)];
        assert_eq!(node.take(SMALL, &two), None);
        assert_eq!(node.fits(SMALL, &two[..1]), Ok(()));
    }

    #[test]
    fn one_task_never_gets_a_dynamic_port_twice() {
        let mut node = Node::new(NodeSpec::new("n", "a", i64::MAX, i64::MAX));
        let dynamic = port(HostPort::Dynamic, 1);
        while node.ports.len() < DYNAMIC.len() - 2 - 1 {
            node.take(SMALL, &[dynamic]).unwrap();
        }
        assert_eq!(node.take(SMALL, &[dynamic, dynamic]), None, "there is one left");
        assert!(node.take(SMALL, &[dynamic]).is_some());
    }

    #[test]
    fn a_range_gets_as_many_ports_in_a_row() {
        let mut node = node();
        node.take(SMALL, &[port(HostPort::Fixed(32770), 1)]).unwrap();
        let range = port(HostPort::Dynamic, 10);
        assert_eq!(node.take(SMALL, &[range]).unwrap().as_ref(), [32771]);
    }

    #[test]
    fn an_attribute_of_the_node_replaces_the_built_in_one() {
        let mut spec = NodeSpec::new("n", "b", 1, 1);
        let own = Attribute {
            name: "ecs.instance-type".into(),
            value: Some("m5.large".into()),
            target_type: None,
            target_id: None,
        };
        spec.attributes.push(own.clone());
        let instance = Node::new(spec).instance("eu-central-1");
        assert_eq!(instance.availability_zone, "eu-central-1b");
        assert_eq!(
            instance.attributes.iter().filter(|it| it.name == "ecs.instance-type").collect::<Vec<_>>(),
            [&own]
        );
        assert!(instance.attributes.iter().any(|it| it.name == "ecs.os-type"));
    }
}
