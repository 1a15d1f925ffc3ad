//! The operations on tags, one per file.

mod add;
mod list;
mod resource;
mod untag;

use crate::Ports;

/// The operations on tags.
#[derive(Clone, Copy)]
pub struct Tags<'a> {
    ports: &'a Ports,
}

impl<'a> Tags<'a> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports }
    }
}
