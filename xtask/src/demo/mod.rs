//! `cargo xtask demo`: kecs at its main job, with the real aws CLI and boto3, on the durable default.
//!
//! It builds `kecs`, lets `kecs demo` show its story, and then goes on as any user would: it types `aws ecs`
//! commands, kills the server and looks whether everything is still there. Every command is shown before its output.

mod cli;
mod script;
mod server;

use std::fs;
use std::io::{self, IsTerminal as _};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use self::cli::Aws;
use self::server::Server;
use crate::workspace::Workspace;
use crate::{build, process};

/// How to show it.
#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// End when everything was shown instead of staying up. So it is also without a terminal, and with CI=true.
    #[arg(long)]
    exit: bool,
    /// Compile DuckDB from its sources instead of fetching its prebuilt library. Takes more than 20 minutes.
    #[arg(long)]
    bundled: bool,
    /// Settings for kecs, such as `-- --orchestrator kubernetes`.
    #[arg(last = true)]
    settings: Vec<String>,
}

/// The command itself.
pub(crate) fn command(workspace: &Workspace, options: &Options) -> Result<()> {
    let ci = std::env::var("CI").is_ok_and(|value| value == "true");
    let exit = options.exit || ci || !io::stdout().is_terminal();
    let built = build::kecs(workspace, &build::Options { release: false, bundled: options.bundled })?;
    let data = workspace.scratch("demo")?.join("data");
    if data.exists() {
        fs::remove_dir_all(&data).with_context(|| format!("can't empty {}", data.display()))?;
    }

    title("kecs demo: a service is deployed and rolled");
    let mut story = Command::new(&built.kecs);
    story.args(["demo", "--exit", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir"]);
    process::run(story.arg(&data).args(&options.settings))?;

    title("kecs serve, on the same data, and the aws CLI");
    let mut server = Server::start(&built.kecs, &data, &options.settings, None)?;
    println!("{}", server.ready);
    if let Some(aws) = Aws::find(workspace, &server) {
        script::play(&aws)?;
        let before = script::inventory(&aws)?;
        title("kill -9, and start again");
        println!("$ kill -9 {}", server.pid());
        let address = server.api.clone();
        server.kill()?;
        server = Server::start(&built.kecs, &data, &options.settings, Some(&address))?;
        println!("{}", server.ready);
        let after = script::inventory(&aws)?;
        ensure!(before == after, "before the kill: {before:#?}\nafter the restart: {after:#?}");
        println!("\nIt is all there: {}.", after.told());
        let service = ["describe-services", "--cluster", "shop", "--services", "web"];
        aws.shown(&[&service[..], &script::table(script::DEPLOYMENTS)].concat())?;
    }
    if exit {
        return server.terminate();
    }
    println!("\nThe server stays up until Ctrl-C. In another shell:\n");
    for (name, value) in cli::environment(&server.api) {
        println!("  export {name}={value}");
    }
    println!("  aws ecs list-tasks --cluster shop");
    server.wait()
}

/// Begins a part.
fn title(text: &str) {
    println!("\n== {text} ==");
}
