//! `kecs convert`

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use kecs_adapters_k8s::convert::{ConvertOptions, Source, convert};

/// The arguments of `kecs convert`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Convert {
    /// Files with task definitions and services, JSON or YAML; - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Namespace that the manifests name [default: none, so that kubectl chooses]
    #[arg(long, short, value_name = "NAME")]
    pub namespace: Option<String>,
}

const EXAMPLES: &str = "\
A service takes its task definition from the same or another FILE. A task definition that no service takes becomes a
Pod. What Kubernetes doesn't do is written as comments. Nothing is sent anywhere.

Examples:
  kecs convert task-definition.json
  kecs convert task-definition.json service.json > web.yaml
  aws ecs describe-task-definition --task-definition web | kecs convert -
  aws ecs describe-services --cluster shop --services web | kecs convert - task-definition.json
  kecs convert -n shop web.yaml | kubectl apply --dry-run=server -f -";

impl Convert {
    /// Prints the manifests.
    ///
    /// # Errors
    /// When a file can't be read or converted.
    pub fn run(self) -> Result<()> {
        let mut texts = Vec::with_capacity(self.files.len());
        for file in &self.files {
            texts.push((file.display().to_string(), read(file)?));
        }
        let sources: Vec<_> = texts
            .iter()
            .map(|(name, text)| Source { name: if name == "-" { "standard input" } else { name }, text })
            .collect();
        let yaml = convert(&sources, &ConvertOptions { namespace: self.namespace })?;
        let mut out = std::io::stdout().lock();
        out.write_all(yaml.as_bytes()).and_then(|()| out.flush()).context("the manifests can't be written")
    }
}

fn read(file: &Path) -> Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input can't be read")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))
}
