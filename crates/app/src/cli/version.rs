//! `kecs version`

use std::io::Write;

use anyhow::Result;
use clap::Args;
use kecs_domain::model::{API_VERSION, Operation};
use kecs_usecases::coverage::IMPLEMENTED;

/// The arguments of `kecs version`: none.
#[derive(Debug, Args)]
pub struct Version {}

impl Version {
    /// Prints it.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn run(self) -> Result<()> {
        writeln!(
            std::io::stdout(),
            "kecs {} (Amazon ECS API {API_VERSION}: {} of {} operations)",
            env!("CARGO_PKG_VERSION"),
            IMPLEMENTED.len(),
            Operation::ALL.len()
        )?;
        Ok(())
    }
}
