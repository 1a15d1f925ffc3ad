//! The composition root and the `kecs` command line.
//!
//! This is the one crate that knows every other: it reads the configuration, opens the store and the orchestrator,
//! drives the reconcilers and serves the API. Nothing here knows what ECS means.

pub mod cli;
pub mod config;
mod demo;
pub mod runtime;
