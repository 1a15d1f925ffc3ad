//! Every operation through the official AWS SDK for Rust, whose deserializers are stricter than botocore's: the good
//! cases, the waiters, and typed errors.

mod clusters;
mod errors;
mod make;
mod services;
mod tags;
mod task_definitions;
mod tasks;
mod waiters;
