//! `kecs demo`

use std::process;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use futures::FutureExt;
use kecs_adapters_k8s::target;
use tokio::sync::oneshot;

use super::confirm::confirm;
use crate::config::{Config, Orchestrator, Settings};
use crate::demo::{self, Screen};
use crate::runtime::{self, Ready, Signals, logging};

/// The arguments of `kecs demo`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Demo {
    /// End after the update instead of staying up
    #[arg(long)]
    pub exit: bool,

    /// Image of the service's container; it must run until it is stopped
    #[arg(long, value_name = "IMAGE", default_value = demo::IMAGE)]
    pub image: String,

    /// Go on without asking, where it would run on a Kubernetes cluster
    #[arg(long, short)]
    pub yes: bool,

    /// The settings.
    #[command(flatten)]
    pub settings: Settings,
}

const EXAMPLES: &str = "\
Examples:
  kecs demo
  kecs demo --exit --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0
  kecs demo --orchestrator kubernetes --context test";

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
        let result = runtime.block_on(async {
            if let Orchestrator::Kubernetes(options) = &config.orchestrator {
                let at = target(options).await?;
                confirm(
                    &format!(
                        "Show it at {at}? A Namespace and a few Pods are made there, and removed at the end."
                    ),
                    self.yes,
                )?;
            }
            show(config, &self.image, self.exit).await
        });
        runtime.shutdown_background();
        result
    }
}

async fn show(config: Config, image: &str, exit: bool) -> Result<()> {
    let mut signals = Signals::catch()?;
    let installation = match &config.orchestrator {
        Orchestrator::Kubernetes(options) => Some(options.installation.clone()),
        // Ends with the process.
        Orchestrator::Simulated(_) => None,
    };
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
        demo::tell(&ready, &screen, image).await?;
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
    let cleared = match &installation {
        Some(installation) => demo::clear(&ready, &screen).await.map_err(|error| {
            anyhow!(
                "{error:#}; take the rest away with kecs uninstall --delete --installation {installation}"
            )
        }),
        None => Ok(()),
    };
    drop(stop);
    server.await.context("the server failed")??;
    result.and(cleared)
}
