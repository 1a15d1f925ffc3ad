//! Opens the store that the configuration asks for.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use futures::FutureExt;
use futures::future::BoxFuture;
use kecs_adapters_http::{Gauges, MetricsText};
use kecs_adapters_storage::{DuckDbStore, KeptLogs, MemoryStore, OpenError, Options, PostgresStore};
use kecs_usecases::Ports;
use kecs_usecases::ports::{Clock, IdGenerator, Orchestrator, Store, Wake};

use crate::config::Storage;

/// A store that is open.
pub(super) struct Opened {
    /// Makes the ports with it.
    pub(super) ports: MakePorts,
    /// Keeps logs of tasks that have ended.
    pub(super) logs: KeptLogs,
    /// Its numbers for the metrics.
    pub(super) gauges: Vec<Arc<dyn Gauges>>,
    /// Closes it. Nothing is lost without that, but the next start has more to read.
    pub(super) close: BoxFuture<'static, ()>,
}

/// Makes the ports with a store that is already decided on.
type MakePorts = Box<
    dyn FnOnce(Arc<dyn Orchestrator>, Arc<dyn Clock>, Arc<dyn IdGenerator>, Arc<dyn Wake>) -> Ports + Send,
>;

fn ports_with<S: Store + 'static>(store: Arc<S>) -> MakePorts {
    Box::new(move |orchestrator, clock, ids, wake| Ports::new(store, orchestrator, clock, ids, wake))
}

/// Opens it.
///
/// # Errors
/// When it can't be opened: the message says what to do.
pub(super) async fn open(storage: &Storage, clock: &Arc<dyn Clock>) -> Result<Opened> {
    match storage {
        Storage::Memory => Ok(Opened {
            ports: ports_with(Arc::new(MemoryStore::new())),
            logs: KeptLogs::in_memory(),
            gauges: Vec::new(),
            close: std::future::ready(()).boxed(),
        }),
        Storage::DuckDb { directory } => duckdb(directory, Arc::clone(clock)).await,
        Storage::Postgres { url } => {
            let store = PostgresStore::connect(url.expose())
                .await
                .map_err(|error| anyhow!("the database can't be used: {error}. Check --database-url"))?;
            let closed = store.clone();
            Ok(Opened {
                ports: ports_with(Arc::new(store)),
                logs: KeptLogs::in_memory(),
                gauges: Vec::new(),
                close: async move { closed.close().await }.boxed(),
            })
        }
    }
}

async fn duckdb(directory: &Path, clock: Arc<dyn Clock>) -> Result<Opened> {
    let path = directory.to_owned();
    // It blocks while the journal is read.
    let opened = tokio::task::spawn_blocking(move || DuckDbStore::open(&path, clock, Options::default()));
    let (store, _) = opened.await.context("the store's start failed")?.map_err(|error| match error {
        OpenError::InUse { .. } => {
            anyhow!("{error}. End that process, or choose another directory with --data-dir")
        }
        error => anyhow!("{error}. Choose another directory with --data-dir, or --storage memory"),
    })?;
    // Only now: the directory is ours.
    let path = directory.join("logs");
    let logs = tokio::task::spawn_blocking(move || KeptLogs::open(&path)).await.context("the logs failed")?;
    let logs = logs.with_context(|| format!("{} can't be read", directory.join("logs").display()))?;
    let store = Arc::new(store);
    let (counted, closed) = (Arc::clone(&store), Arc::clone(&store));
    let gauges = move |out: &mut MetricsText| {
        let statistics = counted.statistics();
        for (name, help, count) in [
            (
                "kecs_store_transactions_total",
                "Transactions, each of them a sync of the disk.",
                statistics.transactions,
            ),
            (
                "kecs_store_commits_total",
                "Commits, of which a transaction takes several.",
                statistics.commits,
            ),
            ("kecs_store_rows_total", "Rows written.", statistics.rows),
            ("kecs_store_compactions_total", "Finished rounds of compaction.", statistics.compactions),
        ] {
            out.family(name, "counter", help);
            out.sample(name, &[], count);
        }
    };
    Ok(Opened {
        ports: ports_with(store),
        logs,
        gauges: vec![Arc::new(gauges)],
        close: async move { closed.close().await }.boxed(),
    })
}
