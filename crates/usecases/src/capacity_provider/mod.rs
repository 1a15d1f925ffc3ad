//! The operations on capacity providers, one per file, and the ways in which other operations look at providers.

mod create;
mod delete;
mod describe;
mod load;
mod update;
mod usage;

use crate::Ports;

pub(crate) use load::{find, load, stored};
pub(crate) use usage::is_used;

/// The operations on capacity providers.
#[derive(Clone, Copy)]
pub struct CapacityProviders<'a> {
    ports: &'a Ports,
}

impl<'a> CapacityProviders<'a> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports }
    }
}
