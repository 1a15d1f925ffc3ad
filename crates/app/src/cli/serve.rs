//! `kecs serve`

use std::path::PathBuf;
use std::process;

use anyhow::Result;
use clap::Args;

use crate::config::{Config, Settings};
use crate::runtime::{self, Ready, Signals, logging};

/// The arguments of `kecs serve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Serve {
    /// Read settings from a TOML file; its keys are the flags' names
    #[arg(long, env = "KECS_CONFIG", value_name = "FILE", hide_env = true)]
    pub config: Option<PathBuf>,

    /// The settings.
    #[command(flatten)]
    pub settings: Settings,
}

const EXAMPLES: &str = "\
Each flag can also be set as an environment variable (--data-dir: KECS_DATA_DIR) or in the file of --config
(data-dir = \"...\"). A flag comes before the environment, and the environment before the file.

Examples:
  kecs serve
  kecs serve --storage memory --listen 127.0.0.1:0
  kecs serve --orchestrator kubernetes --context my-cluster
  KECS_DATABASE_URL=postgres://kecs:secret@db/kecs kecs serve
  kecs serve --sim-nodes 2 --sim-node-cpu 2048 --sim-node-memory 4096";

impl Serve {
    /// Serves until a signal comes.
    ///
    /// # Errors
    /// When it can't start.
    pub fn run(self) -> Result<()> {
        let config = Config::load(self.settings, self.config.as_deref())?;
        logging::start(&config.log_level, config.log_format)?;
        let runtime = super::runtime(config.threads)?;
        let result = runtime.block_on(async {
            let mut signals = Signals::catch()?;
            let shutdown = async move {
                let signal = signals.next().await;
                tracing::info!(signal, "shutting down; a second signal ends kecs at once");
                tokio::spawn(async move {
                    signals.next().await;
                    process::exit(130);
                });
            };
            runtime::run(config, announce, shutdown).await
        });
        // Everything that matters has ended. A blocking call (a name being looked up) is not worth waiting for.
        runtime.shutdown_background();
        result
    }
}

#[allow(clippy::print_stdout, reason = "the line that scripts wait for")]
fn announce(ready: &Ready) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    // Nobody may be listening, which is no reason not to serve.
    let _ = writeln!(out, "{ready}").and_then(|()| out.flush());
}
