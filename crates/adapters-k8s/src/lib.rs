//! The Kubernetes orchestrator: each task is one bare Pod, each cluster a Namespace.
//!
//! Three parts, kept apart: [`translate`] is pure and makes a Pod of a task; [`observe`] is pure and makes an
//! observation of a Pod; [`KubernetesOrchestrator`] does the I/O and knows nothing of ECS beyond its ports. ECS's
//! services are none of its business, nor is anything decided here: it says what is, and does what it is told.

mod calls;
mod cluster;
pub mod convert;
mod error;
mod exec;
mod gate;
mod identity;
mod lasting;
mod launch;
mod logs;
mod names;
mod nodes;
pub mod observe;
mod options;
mod orchestrator;
mod pauses;
mod target;
pub mod translate;
mod uninstall;

pub use error::ConnectError;
pub use gate::Opening;
pub use identity::{Identity, PREFIX};
pub use names::{dns_label, namespace_name, pod_name};
pub use options::KubernetesOptions;
pub use orchestrator::KubernetesOrchestrator;
pub use target::{Target, target};
pub use translate::StorageClasses;
pub use uninstall::{Belongings, Left, Uninstaller};
