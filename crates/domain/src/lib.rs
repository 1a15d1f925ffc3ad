//! ECS itself: its vocabulary and its rules.
//!
//! The shapes of the API are generated from the official model ([`model`]); the entities (`Cluster`,
//! `TaskDefinition`, `Task`, `Service`) are written by hand around them. Everything here is pure: no I/O, no
//! clock, no randomness, no async. Time and identifiers are arguments.

pub mod account;
pub mod arn;
pub mod capacity;
pub mod capacity_provider;
pub mod cluster;
pub mod container_instance;
pub mod daemon;
pub mod doc;
pub mod endpoint;
pub mod error;
pub mod exec;
pub mod expression;
pub mod gateway;
#[allow(missing_docs, reason = "the model's prose is not ours to copy")]
pub mod generated;
pub mod idempotency;
pub mod name;
pub mod pagination;
pub mod placement;
pub mod resource;
pub mod scope;
pub mod service;
pub mod tag;
pub mod task;
pub mod task_definition;
pub mod timestamp;
pub mod validate;

pub use doc::Doc;
pub use error::{EcsError, ErrorCode};
pub use generated as model;
pub use scope::Scope;
pub use timestamp::Timestamp;
