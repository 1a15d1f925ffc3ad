//! The API against its own model, in one process and without sockets: what is asked is made from the model, and what
//! is answered is held to it.

#![allow(clippy::print_stdout, reason = "a machine that tries many things tells how many")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "the numbers are small"
)]

mod dice;
mod fixes;
mod fixes_of_tasks;
mod fuzz;
mod generate;
mod listings;
mod mutate;
mod pages;
mod raw;
mod read_back;
mod refused;
mod scene;
mod schema;
mod scopes;
mod subjects;
#[path = "../support/mod.rs"]
mod support;
mod tags;
mod tokens;
mod view;
mod world;
