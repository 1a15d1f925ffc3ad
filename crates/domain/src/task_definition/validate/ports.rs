//! Port mappings.

use std::collections::BTreeSet;

use super::{Outcome, Subject, client, each, name_of};
use crate::model::{NetworkMode, PortMapping, TransportProtocol};

/// The most port ranges of a container. (API model)
const MOST_RANGES: usize = 100;

/// Container ports that a mapping takes.
struct Taken {
    container: usize,
    protocol: TransportProtocol,
    first: i32,
    last: i32,
    is_range: bool,
}

impl Taken {
    fn overlaps(&self, other: &Self) -> bool {
        self.protocol == other.protocol && self.first <= other.last && other.first <= self.last
    }
}

pub(super) fn check(subject: &Subject<'_>) -> Outcome {
    let mut taken: Vec<Taken> = Vec::new();
    let mut names = BTreeSet::new();
    let mut host_ports = BTreeSet::new();
    for (index, container) in subject.containers.iter().enumerate() {
        let name = name_of(container);
        let mappings = each(&container.port_mappings);
        if mappings.len() > 0 && subject.network == NetworkMode::None {
            return client("Port mappings are not supported when networkMode=none.");
        }
        if mappings.clone().filter(|mapping| mapping.container_port_range.is_some()).count() > MOST_RANGES {
            return client(format!("Container '{name}' has more than {MOST_RANGES} port ranges."));
        }
        for mapping in mappings {
            let takes = check_mapping(subject, mapping, index, name)?;
            // Where containers share a network, a port is there once for all of them.
            let shared = subject.network != NetworkMode::Bridge;
            let clashes = |other: &Taken| {
                takes.overlaps(other)
                    && (shared || (other.container == index && (takes.is_range || other.is_range)))
            };
            if taken.iter().any(clashes) {
                return client("container port is used multiple times in task");
            }
            let host = mapping.host_port.filter(|port| *port > 0 && !shared);
            if host.is_some_and(|port| !host_ports.insert((port, takes.protocol))) {
                return client("host port is used multiple times in task");
            }
            if let Some(port_name) = &mapping.name {
                check_name(port_name, name)?;
                if !names.insert(port_name.as_str()) {
                    return client("port mapping name is already used");
                }
            }
            taken.push(takes);
        }
    }
    Ok(())
}

fn check_mapping(
    subject: &Subject<'_>,
    mapping: &PortMapping,
    index: usize,
    container: &str,
) -> Result<Taken, crate::EcsError> {
    let refused = |message: String| Err(crate::EcsError::client(message));
    let protocol = mapping.protocol.unwrap_or(TransportProtocol::Tcp);
    let taken = |first, last, is_range| Taken { container: index, protocol, first, last, is_range };
    if let Some(range) = &mapping.container_port_range {
        if mapping.container_port.is_some() || mapping.host_port.is_some() {
            return refused("cannot specify both single port and port range".to_owned());
        }
        if subject.network == NetworkMode::Host {
            return refused("containerPortRange is not supported when networkMode=host.".to_owned());
        }
        return match parse_range(range) {
            Some((first, last)) => Ok(taken(first, last, true)),
            None => refused(format!("Invalid 'containerPortRange' setting for container '{container}'.")),
        };
    }
    let Some(port) = mapping.container_port.filter(|port| (1..=65535).contains(port)) else {
        return refused(format!("Invalid 'containerPort' setting for container '{container}'."));
    };
    if mapping.host_port.is_some_and(|host| !(0..=65535).contains(&host)) {
        return refused(format!("Invalid 'hostPort' setting for container '{container}'."));
    }
    let mode = subject.network;
    let fixed = matches!(mode, NetworkMode::Awsvpc | NetworkMode::Host);
    if fixed && mapping.host_port.is_some_and(|host| host != port) {
        return refused(format!(
            "When networkMode={mode}, the host ports and container ports in port mappings must match."
        ));
    }
    Ok(taken(port, port, false))
}

/// `FIRST-LAST`, the first below the last.
fn parse_range(text: &str) -> Option<(i32, i32)> {
    let (first, last) = text.split_once('-')?;
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0).map(i32::from);
    let (first, last) = (port(first)?, port(last)?);
    (first < last).then_some((first, last))
}

/// At most 64 lowercase letters, digits, underscores and hyphens, no hyphen first. (API model)
fn check_name(port_name: &str, container: &str) -> Outcome {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    let right =
        (1..=64).contains(&port_name.len()) && !port_name.starts_with('-') && port_name.bytes().all(legal);
    if right {
        return Ok(());
    }
    client(format!("Invalid port mapping name '{port_name}' for container '{container}'."))
}
