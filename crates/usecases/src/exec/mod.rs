//! ECS Exec: a command inside of a container, promised by ExecuteCommand and run when its session is opened.

mod execute;
mod open;
mod sessions;

pub use open::NotStarted;
pub use sessions::{ExecSessions, Ticket};

use crate::context::Ports;

/// ECS Exec, over some ports.
#[derive(Clone, Copy)]
pub struct Execs<'a> {
    ports: &'a Ports,
}

impl<'a> Execs<'a> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports }
    }
}
