//! The settings as they are written: in a flag, in an environment variable, or in a file. All are optional here;
//! what they default to is decided in [`super::Config::resolve`].
//!
//! One structure is both the command line and the file, so that neither can have a setting that the other lacks.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;

use super::values::{
    DatabaseUrl, Installation, Listen, LogFormat, OrchestratorKind, PublicUrl, Span, StorageKind,
};

const ADDRESSES: &str = "Addresses";
const STORAGE: &str = "Storage";
const ORCHESTRATOR: &str = "Orchestrator";
const SIMULATION: &str = "Simulation (with --orchestrator simulated)";
const IDENTITY: &str = "Account and region";
const LIMITS: &str = "Limits";
const LOG: &str = "Log";

macro_rules! settings {
    ($($(#[$meta:meta])* $name:ident: $type:ty,)*) => {
        /// What may be set. In a file the keys are the flags' names without the dashes in front.
        #[derive(Args, Clone, Debug, Default, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct Settings {
            $($(#[$meta])* pub $name: Option<$type>,)*
        }

        impl Settings {
            /// These settings, and for each that is not set the one of `others`.
            #[must_use]
            pub fn or(self, others: Self) -> Self {
                Self { $($name: self.$name.or(others.$name),)* }
            }
        }
    };
}

settings! {
    /// Address of the API [default: 127.0.0.1:5373]
    ///
    /// Requests are not authenticated: whoever reaches this address may do everything. Port 0 takes a free port;
    /// the line `kecs ready: api=...` tells which.
    #[arg(long, env = "KECS_LISTEN", value_name = "ADDRESS", help_heading = ADDRESSES, hide_env = true)]
    listen: Listen,

    /// Address of the admin pages: health, readiness, metrics [default: 127.0.0.1:5374]
    #[arg(long, env = "KECS_ADMIN_LISTEN", value_name = "ADDRESS", help_heading = ADDRESSES, hide_env = true)]
    admin_listen: Listen,

    /// Address by which clients reach the API, such as `https://kecs.example.com` [default: the one a request was sent to]
    ///
    /// It is told to those who open a session (aws ecs execute-command). Needed behind a proxy that changes the header
    /// Host, or that speaks TLS.
    #[arg(long, env = "KECS_PUBLIC_URL", value_name = "URL", help_heading = ADDRESSES, hide_env = true)]
    public_url: PublicUrl,

    /// Where state is kept [default: duckdb, or postgres if --database-url is set]
    #[arg(long, env = "KECS_STORAGE", value_enum, value_name = "KIND", help_heading = STORAGE, hide_env = true)]
    storage: StorageKind,

    /// Directory of the DuckDB file [default: $XDG_DATA_HOME/kecs or ~/.local/share/kecs]
    #[arg(long, env = "KECS_DATA_DIR", value_name = "DIRECTORY", help_heading = STORAGE, hide_env = true)]
    data_dir: PathBuf,

    /// PostgreSQL address, such as postgres://USER:PASSWORD@HOST/DATABASE
    ///
    /// Better set as KECS_DATABASE_URL: other users of the machine can see a command line.
    #[arg(long, env = "KECS_DATABASE_URL", value_name = "URL", help_heading = STORAGE, hide_env = true)]
    database_url: DatabaseUrl,

    /// What runs the tasks [default: simulated]
    #[arg(long, env = "KECS_ORCHESTRATOR", value_enum, value_name = "KIND", help_heading = ORCHESTRATOR, hide_env = true)]
    orchestrator: OrchestratorKind,

    /// Kubeconfig file [default: $KUBECONFIG, ~/.kube/config, or the Pod that kecs runs in]
    #[arg(long, env = "KECS_KUBECONFIG", value_name = "FILE", help_heading = ORCHESTRATOR, hide_env = true)]
    kubeconfig: PathBuf,

    /// Context of the kubeconfig [default: its current one]
    #[arg(long, env = "KECS_CONTEXT", value_name = "NAME", help_heading = ORCHESTRATOR, hide_env = true)]
    context: String,

    /// Name under which Pods and Namespaces are ours; installations of different names don't see each other's
    /// [default: kecs]
    #[arg(long, env = "KECS_INSTALLATION", value_name = "NAME", help_heading = ORCHESTRATOR, hide_env = true)]
    installation: Installation,

    /// Storage class of EFS volumes, which many nodes write at once; without one they are empty directories
    #[arg(long, env = "KECS_EFS_STORAGE_CLASS", value_name = "NAME", help_heading = ORCHESTRATOR, hide_env = true)]
    efs_storage_class: String,

    /// Storage class of EBS volumes; without one they are empty directories
    #[arg(long, env = "KECS_EBS_STORAGE_CLASS", value_name = "NAME", help_heading = ORCHESTRATOR, hide_env = true)]
    ebs_storage_class: String,

    /// Storage class of shared Docker volumes; without one they are empty directories
    #[arg(long, env = "KECS_DOCKER_STORAGE_CLASS", value_name = "NAME", help_heading = ORCHESTRATOR, hide_env = true)]
    docker_storage_class: String,

    /// How many nodes there are [default: 3]
    #[arg(long, env = "KECS_SIM_NODES", value_name = "COUNT", help_heading = SIMULATION, hide_env = true)]
    sim_nodes: u32,

    /// CPU units of each node; 1024 are one vCPU [default: 16777216]
    #[arg(long, env = "KECS_SIM_NODE_CPU", value_name = "UNITS", help_heading = SIMULATION, hide_env = true)]
    sim_node_cpu: u32,

    /// Memory of each node in MiB [default: 67108864]
    #[arg(long, env = "KECS_SIM_NODE_MEMORY", value_name = "MIB", help_heading = SIMULATION, hide_env = true)]
    sim_node_memory: u32,

    /// Region of requests whose signature names none [default: us-east-1]
    #[arg(long, env = "KECS_REGION", value_name = "REGION", help_heading = IDENTITY, hide_env = true)]
    region: String,

    /// Account of requests whose access key is not twelve digits [default: 000000000000]
    #[arg(long, env = "KECS_ACCOUNT_ID", value_name = "DIGITS", help_heading = IDENTITY, hide_env = true)]
    account_id: String,

    /// How long a request may take [default: 60s]
    #[arg(long, env = "KECS_REQUEST_DEADLINE", value_name = "TIME", help_heading = LIMITS, hide_env = true)]
    request_deadline: Span,

    /// How long requests may go on after SIGTERM [default: 10s]
    #[arg(long, env = "KECS_DRAIN", value_name = "TIME", help_heading = LIMITS, hide_env = true)]
    drain: Span,

    /// Open connections at a time [default: 4096]
    #[arg(long, env = "KECS_MAX_CONNECTIONS", value_name = "COUNT", help_heading = LIMITS, hide_env = true)]
    max_connections: u32,

    /// Requests at a time; more are told to come back [default: 4096]
    #[arg(long, env = "KECS_MAX_REQUESTS", value_name = "COUNT", help_heading = LIMITS, hide_env = true)]
    max_requests: u32,

    /// Threads that work [default: the number of cores]
    #[arg(long, env = "KECS_THREADS", value_name = "COUNT", help_heading = LIMITS, hide_env = true)]
    threads: u32,

    /// error, warn, info, debug or trace, also per module: info,kecs_app=debug [default: info]
    #[arg(long, env = "KECS_LOG_LEVEL", value_name = "FILTER", help_heading = LOG, hide_env = true)]
    log_level: String,

    /// How the log is written, which goes to standard error [default: human]
    #[arg(long, env = "KECS_LOG_FORMAT", value_enum, value_name = "FORMAT", help_heading = LOG, hide_env = true)]
    log_format: LogFormat,
}
