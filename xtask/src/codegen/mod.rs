//! `cargo xtask codegen`: the API models, as Rust types, OpenAPI documents and coverage tables.
//!
//! A run reads one model ([`model`]), decides what goes where ([`plan`]) and writes it ([`rust`], [`openapi`],
//! [`coverage`]). Nothing of the model's prose gets into the output. A further API is one more [`ModelConfig`].

mod config;
mod coverage;
mod ecs;
mod enums;
mod fetch;
mod model;
mod naming;
mod openapi;
mod operations;
mod output;
mod plan;
mod rust;
#[cfg(test)]
mod tests;
mod types;
mod validate;
mod yaml;

use std::path::Path;

use anyhow::{Context as _, Result};

use config::ModelConfig;
use fetch::Wheel;
use model::Model;
use output::Output;
use plan::Plan;

/// The models of this repository.
const MODELS: &[ModelConfig] = &[ecs::ECS];

/// Generates everything, or with `check` fails if that would change a file. Returns what changed.
pub(crate) fn run(root: &Path, check: bool) -> Result<Vec<String>> {
    let wheel = Wheel::fetch(root)?;
    let mut output = Output::default();
    for config in MODELS {
        generate(root, &wheel, config, &mut output)
            .with_context(|| format!("the model of {}", config.name))?;
    }
    if check {
        output.check(root)?;
        return Ok(Vec::new());
    }
    output.write(root)
}

fn generate(root: &Path, wheel: &Wheel, config: &ModelConfig, output: &mut Output) -> Result<()> {
    let service = wheel.read(config.service_dir, "service-2.json")?;
    let paginators = wheel.read(config.service_dir, "paginators-1.json")?;
    let model = Model::parse(&service, &paginators)?;
    let plan = Plan::new(config, &model)?;
    rust::generate(&plan, output)?;
    openapi::generate(&plan, output);
    coverage::generate(root, &plan, output)
}
