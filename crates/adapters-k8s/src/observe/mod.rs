//! From what Kubernetes shows to what the use cases want to know. Pure: no I/O, no clock.

mod check;
mod container;
mod fact;
mod index;
mod load;
mod node;
mod pod;

pub use index::{Index, PodEvent, PodLocation, Surroundings};
pub use load::Load;
pub use node::{instance_id, instance_of, with_load};
pub use pod::observe_pod;
