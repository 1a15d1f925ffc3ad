//! Logs of containers. No operation of the ECS API: on AWS they go where `logConfiguration` says.

mod keep;
mod read;

pub(crate) use keep::keep;
pub use read::LogRequest;

use crate::context::Ports;

/// Logs of containers, over some ports.
#[derive(Clone, Copy)]
pub struct ContainerLogs<'a> {
    ports: &'a Ports,
}

impl<'a> ContainerLogs<'a> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports }
    }
}
