//! The clients that the demonstration speaks through: the unmodified aws CLI and boto3, from PyPI or as installed.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::server::Server;
use crate::process;
use crate::python::Python;
use crate::workspace::Workspace;

/// What points an AWS tool at kecs. The region has two names: version 1 of the CLI and boto3 read only the second,
/// some SDKs only the first.
pub(super) fn environment(api: &str) -> [(&'static str, String); 5] {
    [
        ("AWS_ENDPOINT_URL_ECS", format!("http://{api}")),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
    ]
}

/// The CLI, and boto3 where it is.
pub(super) struct Aws {
    python: Option<Python>,
    root: PathBuf,
    api: String,
}

impl Aws {
    /// The pinned clients in an environment of their own, else the CLI on the PATH. None, and a word on why, when
    /// there is neither.
    pub(super) fn find(workspace: &Workspace, server: &Server) -> Option<Self> {
        let requirements = workspace.root.join("xtask/requirements.txt");
        let (root, api) = (workspace.root.clone(), server.api.clone());
        match Python::with_requirements(workspace, "demo", &[requirements]) {
            Ok(python) => Some(Self { python: Some(python), root, api }),
            Err(error) if process::exists("aws") => {
                println!(
                    "boto3 can't be installed here ({error:#}); going on with the aws CLI of this machine."
                );
                Some(Self { python: None, root, api })
            }
            Err(error) => {
                println!("The aws CLI can't be installed here, so its part is left out: {error:#}");
                None
            }
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match &self.python {
            Some(python) => {
                let mut command = python.command();
                command.args(["-m", "awscli"]);
                command
            }
            None => Command::new("aws"),
        };
        command.arg("ecs").args(arguments);
        self.configured(command)
    }

    /// Nothing of this machine's own AWS configuration may reach the demonstration.
    fn configured(&self, mut command: Command) -> Command {
        command.current_dir(&self.root);
        command.envs(environment(&self.api)).env("AWS_PAGER", "");
        command.env("AWS_CONFIG_FILE", "/nonexistent").env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
        for name in
            ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_DEFAULT_OUTPUT"]
        {
            command.env_remove(name);
        }
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    /// Runs `aws ecs ARGUMENTS`, shows it and its output, and returns the output.
    pub(super) fn shown(&self, arguments: &[&str]) -> Result<String> {
        let mut typed = Command::new("aws");
        println!("\n$ {}", process::shown(typed.arg("ecs").args(arguments)));
        let output = self.quiet(arguments)?;
        for line in output.lines() {
            println!("{line}");
        }
        Ok(output)
    }

    /// Runs `aws ecs ARGUMENTS` and returns the output.
    pub(super) fn quiet(&self, arguments: &[&str]) -> Result<String> {
        process::capture(&mut self.command(arguments))
    }

    /// Runs a Python program that uses boto3. False when there is no boto3.
    pub(super) fn python(&self, program: &str) -> Result<bool> {
        let Some(python) = &self.python else { return Ok(false) };
        let mut command = self.configured(python.command());
        process::run(command.args(["-c", program]))?;
        Ok(true)
    }
}
