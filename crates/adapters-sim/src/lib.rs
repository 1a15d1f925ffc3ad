//! The simulated orchestrator: tasks that live their whole life without a cluster.
//!
//! [`Engine`] is the simulation itself: a pure state machine that is told the time, so that a virtual clock drives
//! it as well as a real one. [`SimulatedOrchestrator`] puts it behind the port. What containers do is written in
//! their `dockerLabels` (see [`labels`] and `docs/simulation-labels.md`). It is deliberately no model of an
//! image or a command: without labels a container runs until it is stopped.
//!
//! Nothing is stored here. After a restart the use cases say which tasks should exist, and these are taken up where
//! they were.

mod address;
mod engine;
mod fault;
mod health;
mod ids;
pub mod labels;
mod logs;
mod node;
mod options;
mod orchestrator;
mod outbox;
mod script;
mod shell;
mod task;

pub use address::{BadCidr, Cidr};
pub use engine::{Engine, Load};
pub use fault::FaultError;
pub use options::{BadOptions, NodeSpec, SimOptions};
pub use orchestrator::SimulatedOrchestrator;
pub use script::ScriptError;
