//! Builders, contract suites and the deterministic simulation. A development dependency only.

pub mod orchestrator;
pub mod postgres;
pub mod sample;
pub mod simulation;
pub mod store;
