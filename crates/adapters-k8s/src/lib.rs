//! The Kubernetes orchestrator: each task is one bare Pod, each cluster a Namespace.
//!
//! Three parts, kept apart: [`translate`] is pure and makes a Pod of a task; [`observe`] is pure and makes an
//! observation of a Pod; [`KubernetesOrchestrator`] does the I/O and knows nothing of ECS beyond its ports. ECS's
//! services are none of its business, nor is anything decided here: it says what is, and does what it is told.

mod cluster;
mod error;
mod exec;
mod identity;
mod names;
mod nodes;
pub mod observe;
mod orchestrator;
mod pauses;
pub mod translate;

pub use error::ConnectError;
pub use identity::{Identity, PREFIX};
pub use names::{namespace_name, pod_name};
pub use orchestrator::{KubernetesOptions, KubernetesOrchestrator};
