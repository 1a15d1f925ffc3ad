//! From what Kubernetes shows to what the use cases want to know. Pure: no I/O, no clock.

mod container;
mod index;
mod node;
mod pod;

pub use index::{Index, PodEvent};
pub use node::{instance_id, instance_of};
pub use pod::observe_pod;
