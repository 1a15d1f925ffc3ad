//! `kecs uninstall`

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use kecs_adapters_k8s::{Belongings, KubernetesOptions, Uninstaller, target};

use super::confirm::confirm;

/// The arguments of `kecs uninstall`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Uninstall {
    /// Delete the Pods and Namespaces too
    ///
    /// A Namespace in which somebody else has objects is left, and what is in it is told.
    #[arg(long)]
    pub delete: bool,

    /// Go on without asking
    #[arg(long, short)]
    pub yes: bool,

    /// Kubeconfig file [default: $KUBECONFIG, ~/.kube/config, or the Pod that kecs runs in]
    #[arg(long, env = "KECS_KUBECONFIG", value_name = "FILE", hide_env = true)]
    pub kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig [default: its current one]
    #[arg(long, env = "KECS_CONTEXT", value_name = "NAME", hide_env = true)]
    pub context: Option<String>,

    /// Which installation's objects [default: kecs]
    #[arg(long, env = "KECS_INSTALLATION", value_name = "NAME", hide_env = true)]
    pub installation: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  kecs uninstall                                let go of the Pods; they go on running
  kecs uninstall --delete                       delete Pods and Namespaces
  kecs uninstall --delete --yes --context test --installation kecs-demo";

impl Uninstall {
    /// Takes it back.
    ///
    /// # Errors
    /// When the cluster can't be reached or refuses, when the answer is no, and when something was left.
    pub fn run(self) -> Result<()> {
        let runtime = super::runtime(Some(1))?;
        let result = runtime.block_on(self.take_back());
        runtime.shutdown_background();
        result
    }

    async fn take_back(&self) -> Result<()> {
        let options = KubernetesOptions {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            installation: self
                .installation
                .clone()
                .unwrap_or_else(|| KubernetesOptions::default().installation),
            ..KubernetesOptions::default()
        };
        let installation = &options.installation;
        let at = target(&options).await?;
        let uninstaller = Uninstaller::connect(&options).await?;
        let found = uninstaller.belongings().await?;
        if found.is_empty() {
            say(&format!("The installation {installation} has nothing at {at}."));
            return Ok(());
        }
        confirm(&self.question(&found, installation, &at.to_string()), self.yes)?;
        for (namespace, pod) in &found.pods {
            let done = match self.delete {
                true => uninstaller.delete_pod(namespace, pod).await,
                false => uninstaller.release(namespace, pod).await,
            };
            done.with_context(|| format!("the Pod {namespace}/{pod}"))?;
        }
        if !self.delete {
            say(&format!("{} let go of. They go on running.", count(found.pods.len(), "Pod")));
            return Ok(());
        }
        let mut left = Vec::new();
        for namespace in &found.namespaces {
            let kept = uninstaller.delete_namespace(namespace).await;
            left.extend(kept.with_context(|| format!("the Namespace {namespace}"))?);
        }
        let deleted = found.namespaces.len() - left.len();
        say(&format!("{} and {} deleted.", count(found.pods.len(), "Pod"), count(deleted, "Namespace")));
        if left.is_empty() {
            return Ok(());
        }
        let told: Vec<_> =
            left.iter().map(|it| format!("{} (in it: {})", it.namespace, it.foreign.join(", "))).collect();
        bail!("left alone, as others have objects there: {}", told.join("; "))
    }

    fn question(&self, found: &Belongings, installation: &str, at: &str) -> String {
        let (pods, namespaces) = (count(found.pods.len(), "Pod"), count(found.namespaces.len(), "Namespace"));
        match self.delete {
            true => format!("Delete {pods} and {namespaces} of the installation {installation} at {at}?"),
            false => format!("Let go of {pods} of the installation {installation} at {at}?"),
        }
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn say(text: &str) {
    // Nobody may be reading, which is no reason to stop.
    let _ = writeln!(std::io::stdout(), "{text}");
}
