//! The cases, by what they are about. Each takes an empty store.

pub mod cluster;
pub mod commit;
pub mod concurrency;
pub mod random;
pub mod resource;
pub mod service;
pub mod task;
pub mod task_definition;
pub mod token;
