//! A whole server, put together: the composition root.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, anyhow};
use kecs_adapters_http::admin::{self, Admin, LogPages};
use kecs_adapters_http::{EcsApi, Endpoint, EndpointOptions, Metrics, Registry, Server, ServerOptions};
use kecs_usecases::Ecs;
use kecs_usecases::ports::{Clock, IdGenerator, Wake};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::driver::{Driver, WakeQueue};
use super::{RandomIds, SystemClock, orchestrator, process, store};
use crate::config::{Config, OrchestratorKind, StorageKind};

/// What a server that serves has chosen. Its `Display` is the line that `kecs serve` prints, for people and for
/// scripts: `kecs ready:` and then `key=value`, separated by spaces. Keys may be added.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Where the API is.
    pub api: SocketAddr,
    /// Where the admin pages are.
    pub admin: SocketAddr,
    /// Where state is kept.
    pub storage: StorageKind,
    /// What runs the tasks.
    pub orchestrator: OrchestratorKind,
    /// The region of requests that don't tell.
    pub region: String,
    /// The account of requests that don't tell.
    pub account: String,
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "kecs ready: api=http://{} admin=http://{} storage={} orchestrator={} region={} account={}",
            self.api,
            self.admin,
            self.storage.as_str(),
            self.orchestrator.as_str(),
            self.region,
            self.account
        )
    }
}

/// Runs a server until `shutdown` is ready, then lets requests and reconcilers end. No task's state is changed by
/// that: what runs goes on running (a simulation stands still), and the next start takes it up.
///
/// # Errors
/// When it can't start. The message says what to do.
pub async fn run(
    config: Config,
    ready: impl FnOnce(&Ready),
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    // Addresses first: that they are in use is the most frequent failure, and the quickest to find out.
    let api = bind("listen", config.listen, &config).await?;
    let admin = bind("admin-listen", config.admin_listen, &config).await?;
    let addresses = (api.local_address()?, admin.local_address()?);

    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let ids: Arc<dyn IdGenerator> = Arc::new(RandomIds);
    let queue = Arc::new(WakeQueue::new());
    let store = store::open(&config.storage, &clock).await?;
    let orchestrator = orchestrator::open(&config.orchestrator, &clock).await?;
    let wake: Arc<dyn Wake> = queue.clone();
    let ports = (store.ports)(Arc::clone(&orchestrator.port), clock, ids, wake);
    let ports = ports.with_shell(orchestrator.shell).with_logs(orchestrator.logs, Arc::new(store.logs));
    let ecs = Ecs::new(ports);

    // Dropping the set on the way out ends whatever is in it.
    let mut tasks = JoinSet::new();
    tasks.spawn(orchestrator.drive);
    ecs.reconciler().start().await.context("the stored tasks can't be taken up")?;

    let api_of_ecs = EcsApi::new(ecs.clone()).with_public_url(config.public_url.as_deref());
    let registry = Registry::new().with(Arc::new(api_of_ecs));
    let metrics = Arc::new(Metrics::new(&registry));
    let logs = LogPages { ecs: ecs.clone(), scope: config.scope.clone() };
    let driver = Driver::new(Arc::new(ecs), orchestrator.port, queue, workers(&config));
    let stopping = Arc::new(AtomicBool::new(false));
    let gauges = [driver.gauges(), process::gauges()].into_iter().chain(store.gauges).collect();
    let admin_pages = admin_pages(&config, Arc::clone(&metrics), gauges, Arc::clone(&stopping), logs);
    let endpoint = Endpoint::new(registry, endpoint_options(&config), metrics);

    let (stop_api, api_stopped) = watch::channel(());
    let (stop_driver, driver_stopped) = watch::channel(());
    let mut serving = JoinSet::new();
    serving.spawn(endpoint.serve(api, closed(api_stopped)));
    let mut driving = JoinSet::new();
    driving.spawn(driver.run(closed(driver_stopped)));
    tasks.spawn(admin::serve(admin_pages, admin, std::future::pending()));

    tell(&config, addresses, ready);
    let end = tokio::select! {
        () = shutdown => Ok(()),
        // None of these end by themselves, but for a defect.
        Some(end) = serving.join_next() => Err(anyhow!("the API ended: {}", cause(end))),
        Some(end) = driving.join_next() => Err(anyhow!("the reconcilers ended: {}", cause(end))),
        Some(end) = tasks.join_next() => Err(anyhow!("a part of the server ended: {}", cause(end))),
    };
    stopping.store(true, Ordering::Relaxed);
    // Requests may still wake reconcilers, and answers may wait for what these do; so the API ends first.
    drop(stop_api);
    while serving.join_next().await.is_some() {}
    drop(stop_driver);
    while driving.join_next().await.is_some() {}
    store.close.await;
    end
}

/// Ready when the sender is gone.
async fn closed(mut stopped: watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}

fn cause(end: Result<(), tokio::task::JoinError>) -> String {
    end.err().map_or_else(|| "it should not have".to_owned(), |error| error.to_string())
}

async fn bind(flag: &str, address: SocketAddr, config: &Config) -> Result<Server> {
    let options = ServerOptions {
        connections: config.max_connections,
        drain: config.drain,
        ..ServerOptions::default()
    };
    Server::bind(address, options).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow!(
            "{address} is in use, perhaps by another kecs. End that one, or choose another address: \
             --{flag} {}:0 takes a free port",
            address.ip()
        ),
        ErrorKind::PermissionDenied => {
            anyhow!("{address} can't be listened on: {error}. Choose a port above 1023 with --{flag}")
        }
        _ => anyhow!("{address} can't be listened on: {error}. Choose another address with --{flag}"),
    })
}

/// Reconcilers mostly wait for a commit, so that there may be more of them than cores.
fn workers(config: &Config) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    2 * config.threads.unwrap_or_else(cores)
}

fn endpoint_options(config: &Config) -> EndpointOptions {
    EndpointOptions {
        scope: config.scope.clone(),
        deadline: config.request_deadline,
        requests: config.max_requests,
        ..EndpointOptions::default()
    }
}

fn admin_pages(
    config: &Config,
    metrics: Arc<Metrics>,
    gauges: Vec<Arc<dyn kecs_adapters_http::Gauges>>,
    stopping: Arc<AtomicBool>,
    logs: LogPages,
) -> Admin {
    let version = BTreeMap::from([
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("api", kecs_domain::model::API_VERSION.to_owned()),
        ("storage", config.storage.kind().as_str().to_owned()),
        ("orchestrator", config.orchestrator.kind().as_str().to_owned()),
    ]);
    let readiness = Arc::new(move || stopping.load(Ordering::Relaxed).then(|| "shutting down".to_owned()));
    Admin { metrics, gauges, readiness, version, logs: Some(logs) }
}

fn tell(config: &Config, (api, admin): (SocketAddr, SocketAddr), ready: impl FnOnce(&Ready)) {
    for (address, what) in [(api, "API"), (admin, "admin")] {
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "the {what} address can be reached from outside, and nobody is asked who they are");
        }
    }
    ready(&Ready {
        api,
        admin,
        storage: config.storage.kind(),
        orchestrator: config.orchestrator.kind(),
        region: config.scope.region.clone(),
        account: config.scope.account.clone(),
    });
}
