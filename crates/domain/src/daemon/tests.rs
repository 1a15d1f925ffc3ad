//! Tests of daemons: what is registered, what is named, and how deployments go over the instances.

mod definitions;
mod rollouts;
