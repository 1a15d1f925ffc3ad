//! The `kecs` command line.

mod confirm;
mod convert;
mod demo;
mod logs;
mod serve;
mod uninstall;
mod version;

use std::process::ExitCode;

use clap::builder::Styles;
use clap::builder::styling::{AnsiColor, Effects};
use clap::{Parser, Subcommand};

/// Amazon ECS on any Kubernetes, or on no cluster at all
///
/// kecs answers the API of Amazon ECS. The aws CLI, the SDKs, Terraform and deploy tools talk to it unchanged;
/// what they ask for runs as Pods on Kubernetes, or in a simulation that needs neither cluster nor images.
#[derive(Debug, Parser)]
#[command(name = "kecs", version, styles = STYLES, arg_required_else_help = true, disable_help_subcommand = true)]
#[command(after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the ECS API
    ///
    /// When requests are served, one line goes to standard output:
    ///
    ///   kecs ready: api=http://127.0.0.1:5373 admin=http://127.0.0.1:5374 storage=duckdb orchestrator=simulated region=us-east-1 account=000000000000
    ///
    /// SIGTERM and SIGINT end it in order: requests are answered, nothing that runs is stopped, and the next start
    /// goes on where this one ended. A second signal ends it at once.
    Serve(serve::Serve),
    /// Show a service being deployed and updated, on a server of its own
    ///
    /// Starts a server, deploys a service of three tasks through its API as any AWS tool would, rolls it to a new
    /// revision, and then stays up so that you can try the aws CLI on it. Without --data-dir, what it keeps is
    /// removed at the end.
    Demo(demo::Demo),
    /// Print ECS task definitions and services as Kubernetes manifests
    ///
    /// Reads what is sent to register-task-definition and create-service, and what describe-task-definition and
    /// describe-services print. Containers become what kecs itself would run; a service becomes a Deployment (or a
    /// DaemonSet) with its Services. It needs neither a server nor a cluster.
    Convert(convert::Convert),
    /// Print what a container of a task writes
    ///
    /// Asks the admin address of a running kecs. What a task wrote is kept for as long as the stopped task itself is.
    Logs(logs::Logs),
    /// Take back what kecs has in a Kubernetes cluster
    ///
    /// Pods of tasks have a finalizer that keeps them until kecs has seen their end. When kecs is gone for good, this takes
    /// the finalizers off, and with --delete removes the Pods and Namespaces too. Only what carries the installation's
    /// label is touched. kecs must not be running.
    Uninstall(uninstall::Uninstall),
    /// Print the version
    Version(version::Version),
}

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Yellow.on_default().effects(Effects::BOLD))
    .usage(AnsiColor::Yellow.on_default().effects(Effects::BOLD))
    .literal(AnsiColor::Cyan.on_default().effects(Effects::BOLD))
    .placeholder(AnsiColor::Cyan.on_default());

const EXAMPLES: &str = "\
Examples:
  kecs demo                                  see it work, without a cluster
  kecs serve                                 serve on 127.0.0.1:5373, simulated
  kecs serve --orchestrator kubernetes       run tasks on the current Kubernetes context

Then, in another shell:
  export AWS_ENDPOINT_URL_ECS=http://127.0.0.1:5373 AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  aws ecs create-cluster --cluster-name default";

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Demo(demo) => demo.run(),
        Command::Convert(convert) => convert.run(),
        Command::Logs(logs) => logs.run(),
        Command::Uninstall(uninstall) => uninstall.run(),
        Command::Version(version) => version.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line for people: the outermost error, then its causes.
            eprintln!("kecs: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The runtime that everything runs in.
///
/// # Errors
/// When the system gives no threads.
fn runtime(threads: Option<usize>) -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = threads {
        builder.worker_threads(threads);
    }
    // Blocking calls are rare (names of hosts, files); tokio's own limit is 512 threads.
    builder.max_blocking_threads(16).thread_name("kecs").enable_all();
    Ok(builder.build()?)
}

#[cfg(test)]
mod tests;
