//! `kecs demo`

use std::process;

use anyhow::{Context, Result};
use clap::Args;
use futures::FutureExt;
use tokio::sync::oneshot;

use crate::config::{Config, Settings};
use crate::demo::{self, Screen};
use crate::runtime::{self, Ready, Signals, logging};

/// The arguments of `kecs demo`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Demo {
    /// End after the update instead of staying up
    #[arg(long)]
    pub exit: bool,

    /// The settings.
    #[command(flatten)]
    pub settings: Settings,
}

const EXAMPLES: &str = "\
Examples:
  kecs demo
  kecs demo --exit --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0
  kecs demo --orchestrator kubernetes";

impl Demo {
    /// Shows it.
    ///
    /// # Errors
    /// When the server can't start, or the service doesn't become steady.
    pub fn run(self) -> Result<()> {
        let mut settings = self.settings;
        // The story is on the screen already.
        settings.log_level.get_or_insert_with(|| "warn".into());
        let directory = match settings.data_dir {
            Some(_) => None,
            None => Some(
                tempfile::tempdir()
                    .context("no temporary directory can be made; choose one with --data-dir")?,
            ),
        };
        if let Some(directory) = &directory {
            settings.data_dir = Some(directory.path().to_owned());
        }
        // Not among the Pods of a server that is there to stay.
        settings.installation = settings.installation.or("kecs-demo".parse().ok());
        let config = Config::load(settings, None)?;
        logging::start(&config.log_level, config.log_format)?;
        let runtime = super::runtime(config.threads)?;
        let result = runtime.block_on(show(config, self.exit));
        runtime.shutdown_background();
        result
    }
}

async fn show(config: Config, exit: bool) -> Result<()> {
    let mut signals = Signals::catch()?;
    let (tell, told) = oneshot::channel::<Ready>();
    let (stop, stopped) = oneshot::channel::<()>();
    let ready = move |ready: &Ready| {
        // Whoever waits for it has ended only if this process is ending.
        let _ = tell.send(ready.clone());
    };
    let mut server = tokio::spawn(runtime::run(config, ready, stopped.map(|_| ())));
    let ready = tokio::select! {
        Ok(ready) = told => ready,
        end = &mut server => return end.context("the server failed")?,
    };
    let screen = Screen::new();
    let story = async {
        demo::tell(&ready, &screen).await?;
        if !exit {
            demo::what_next(&ready, &screen);
            std::future::pending::<()>().await;
        }
        anyhow::Ok(())
    };
    let result = tokio::select! {
        result = story => result,
        end = &mut server => return end.context("the server failed")?,
        _ = signals.next() => Ok(()),
    };
    screen.end();
    tokio::spawn(async move {
        signals.next().await;
        process::exit(130);
    });
    drop(stop);
    server.await.context("the server failed")??;
    result
}
