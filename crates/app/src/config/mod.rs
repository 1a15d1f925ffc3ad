//! The configuration: flag before environment variable before file before default.

mod file;
mod settings;
mod values;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};
use kecs_adapters_http::{DefaultScope, is_account, is_region};
use kecs_adapters_k8s::{KubernetesOptions, StorageClasses};
use kecs_adapters_sim::SimOptions;

pub use settings::Settings;
pub use values::{DatabaseUrl, Listen, LogFormat, OrchestratorKind, PublicUrl, Span, StorageKind};

/// Everything that a server has to be told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address of the API.
    pub listen: SocketAddr,
    /// Address of the admin pages.
    pub admin_listen: SocketAddr,
    /// Where sessions are opened: `ws://...` or `wss://...`; None for where the request came in.
    pub public_url: Option<String>,
    /// Where state is kept.
    pub storage: Storage,
    /// What runs the tasks.
    pub orchestrator: Orchestrator,
    /// Account and region of requests that don't tell.
    pub scope: DefaultScope,
    /// How long a request may take.
    pub request_deadline: Duration,
    /// How long requests may go on after the shutdown has begun.
    pub drain: Duration,
    /// Open connections at a time.
    pub max_connections: usize,
    /// Requests at a time.
    pub max_requests: usize,
    /// Threads that work; None for as many as there are cores.
    pub threads: Option<usize>,
    /// The log's filter.
    pub log_level: String,
    /// How the log is written.
    pub log_format: LogFormat,
}

/// Where state is kept.
#[derive(Clone, Debug)]
pub enum Storage {
    /// A file in a directory.
    DuckDb {
        /// The directory. It is made if it isn't there.
        directory: PathBuf,
    },
    /// Nowhere.
    Memory,
    /// A PostgreSQL database.
    Postgres {
        /// Its address.
        url: DatabaseUrl,
    },
}

impl Storage {
    /// Which kind it is.
    pub const fn kind(&self) -> StorageKind {
        match self {
            Self::DuckDb { .. } => StorageKind::DuckDb,
            Self::Memory => StorageKind::Memory,
            Self::Postgres { .. } => StorageKind::Postgres,
        }
    }
}

/// What runs the tasks.
#[derive(Clone, Debug)]
pub enum Orchestrator {
    /// A simulation.
    Simulated(SimOptions),
    /// A Kubernetes cluster.
    Kubernetes(KubernetesOptions),
}

impl Orchestrator {
    /// Which kind it is.
    pub const fn kind(&self) -> OrchestratorKind {
        match self {
            Self::Simulated(_) => OrchestratorKind::Simulated,
            Self::Kubernetes(_) => OrchestratorKind::Kubernetes,
        }
    }
}

impl Config {
    /// The configuration of `settings` (flags and environment) and a file.
    ///
    /// # Errors
    /// When the file or a setting is wrong, or one is missing that has no default.
    pub fn load(settings: Settings, file: Option<&Path>) -> Result<Self> {
        let settings = match file {
            Some(path) => settings.or(file::read(path)?),
            None => settings,
        };
        Self::resolve(settings, |name| std::env::var_os(name))
    }

    /// Checks the settings and fills in the defaults. `env` looks up an environment variable.
    ///
    /// # Errors
    /// When a setting is wrong, or one is missing that has no default.
    pub fn resolve(settings: Settings, env: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let region = settings.region.clone().unwrap_or_else(|| "us-east-1".into());
        if !is_region(&region) {
            bail!(
                "region: {region:?} can't be a region; use lower-case letters, digits and dashes (us-east-1)"
            );
        }
        let account = settings.account_id.clone().unwrap_or_else(|| "000000000000".into());
        if !is_account(&account) {
            bail!("account-id: {account:?} is not an account; use twelve digits");
        }
        for (name, count) in [
            ("max-connections", settings.max_connections),
            ("max-requests", settings.max_requests),
            ("threads", settings.threads),
        ] {
            if count == Some(0) {
                bail!("{name}: must be at least 1");
            }
        }
        let count = |count: Option<u32>, default: usize| count.map_or(default, |count| count as usize);
        Ok(Self {
            listen: settings.listen.map_or(loopback(5373), |listen| listen.0),
            admin_listen: settings.admin_listen.map_or(loopback(5374), |listen| listen.0),
            public_url: settings.public_url.as_ref().map(PublicUrl::for_sessions),
            storage: storage(&settings, env)?,
            orchestrator: orchestrator(&settings)?,
            scope: DefaultScope { account, region },
            request_deadline: settings.request_deadline.map_or(Duration::from_secs(60), |span| span.0),
            drain: settings.drain.map_or(Duration::from_secs(10), |span| span.0),
            max_connections: count(settings.max_connections, 4096),
            max_requests: count(settings.max_requests, 4096),
            threads: settings.threads.map(|threads| threads as usize),
            log_level: settings.log_level.unwrap_or_else(|| "info".into()),
            log_format: settings.log_format.unwrap_or_default(),
        })
    }
}

fn storage(settings: &Settings, env: impl Fn(&str) -> Option<OsString>) -> Result<Storage> {
    let by_url = if settings.database_url.is_some() { StorageKind::Postgres } else { StorageKind::DuckDb };
    match settings.storage.unwrap_or(by_url) {
        StorageKind::Memory => Ok(Storage::Memory),
        StorageKind::DuckDb => Ok(Storage::DuckDb { directory: data_directory(settings, env)? }),
        StorageKind::Postgres => match &settings.database_url {
            Some(url) => Ok(Storage::Postgres { url: url.clone() }),
            None => bail!(
                "storage postgres needs the database's address: set KECS_DATABASE_URL or --database-url"
            ),
        },
    }
}

/// The directory of the XDG base directory specification: an empty or relative $XDG_DATA_HOME counts as not set.
fn data_directory(settings: &Settings, env: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf> {
    if let Some(directory) = &settings.data_dir {
        return Ok(directory.clone());
    }
    let absolute = |name: &str| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(data) = absolute("XDG_DATA_HOME") {
        return Ok(data.join("kecs"));
    }
    match absolute("HOME") {
        Some(home) => Ok(home.join(".local/share/kecs")),
        None => bail!(
            "there is no home directory to keep state in: choose one with --data-dir, or --storage memory"
        ),
    }
}

fn orchestrator(settings: &Settings) -> Result<Orchestrator> {
    match settings.orchestrator.unwrap_or(OrchestratorKind::Simulated) {
        OrchestratorKind::Kubernetes => Ok(Orchestrator::Kubernetes(KubernetesOptions {
            kubeconfig: settings.kubeconfig.clone(),
            context: settings.context.clone(),
            installation: match &settings.installation {
                Some(name) => name.as_str().to_owned(),
                None => KubernetesOptions::default().installation,
            },
            storage: StorageClasses {
                efs: settings.efs_storage_class.clone(),
                ebs: settings.ebs_storage_class.clone(),
                docker: settings.docker_storage_class.clone(),
            },
        })),
        OrchestratorKind::Simulated => {
            let mut options = SimOptions::default();
            let first = options.nodes.first();
            let cpu = settings.sim_node_cpu.map(i64::from).or(first.map(|node| node.cpu));
            let memory = settings.sim_node_memory.map(i64::from).or(first.map(|node| node.memory));
            let count = settings.sim_nodes.map_or(options.nodes.len(), |count| count as usize);
            options.nodes = SimOptions::equal_nodes(count, cpu.unwrap_or(0), memory.unwrap_or(0));
            if let Err(error) = options.check() {
                bail!("sim-node-cpu and sim-node-memory must be at least 1 ({error})");
            }
            Ok(Orchestrator::Simulated(options))
        }
    }
}

#[cfg(test)]
mod tests;
