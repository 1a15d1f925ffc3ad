//! Counts of what the endpoint does, as Prometheus reads them. Counting is a few relaxed additions: no lock is taken
//! for a request that succeeds.

mod histogram;
mod text;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use histogram::Histogram;
pub use text::{Gauges, MetricsText};

use crate::api::{Registry, Reply};

/// The code under which a request is counted whose caller went away before the answer.
pub const CANCELLED: &str = "Cancelled";

/// Counts per operation and code.
pub struct Metrics {
    operations: Vec<OperationMetrics>,
    in_flight: AtomicI64,
    connections: AtomicI64,
    refused: AtomicU64,
}

struct OperationMetrics {
    name: &'static str,
    succeeded: AtomicU64,
    /// By code. Failures are rare enough for a lock.
    failed: Mutex<BTreeMap<&'static str, u64>>,
    latency: Histogram,
}

impl Metrics {
    /// Counts for the operations of `registry`.
    pub fn new(registry: &Registry) -> Self {
        let operation = |name| OperationMetrics {
            name,
            succeeded: AtomicU64::new(0),
            failed: Mutex::new(BTreeMap::new()),
            latency: Histogram::new(),
        };
        Self {
            operations: registry.operations().map(operation).collect(),
            in_flight: AtomicI64::new(0),
            connections: AtomicI64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// A request of an operation has begun.
    pub(crate) fn begin(&self, operation: usize) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight { metrics: self, operation, ended: false }
    }

    /// A request was for no operation.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection was opened or closed.
    pub(crate) fn connections(&self, change: i64) {
        self.connections.fetch_add(change, Ordering::Relaxed);
    }

    fn count(&self, operation: usize, code: &'static str) {
        let Some(operation) = self.operations.get(operation) else { return };
        if code == Reply::OK {
            operation.succeeded.fetch_add(1, Ordering::Relaxed);
        } else {
            *operation.failed.lock().unwrap_or_else(PoisonError::into_inner).entry(code).or_default() += 1;
        }
    }

    /// Writes everything that has happened at least once.
    pub fn write(&self, out: &mut MetricsText) {
        out.family(
            "kecs_requests_total",
            "counter",
            "Requests by operation and code (OK, or the exception).",
        );
        for operation in &self.operations {
            let mut line = |code: &str, count: u64| {
                if count > 0 {
                    out.sample(
                        "kecs_requests_total",
                        &[("operation", operation.name), ("code", code)],
                        count,
                    );
                }
            };
            line(Reply::OK, operation.succeeded.load(Ordering::Relaxed));
            for (code, count) in operation.failed.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                line(code, *count);
            }
        }
        out.family(
            "kecs_request_duration_seconds",
            "histogram",
            "Time from the request's head to its answer.",
        );
        for operation in &self.operations {
            operation.latency.write("kecs_request_duration_seconds", operation.name, out);
        }
        out.gauge(
            "kecs_requests_in_flight",
            "Requests being answered.",
            self.in_flight.load(Ordering::Relaxed),
        );
        out.gauge(
            "kecs_connections",
            "Open connections to the API.",
            self.connections.load(Ordering::Relaxed),
        );
        out.family("kecs_requests_refused_total", "counter", "Requests that were for no operation.");
        out.sample("kecs_requests_refused_total", &[], self.refused.load(Ordering::Relaxed));
    }
}

/// A request that is being answered. If it is dropped without an end, its caller has gone away.
pub(crate) struct InFlight<'a> {
    metrics: &'a Metrics,
    operation: usize,
    ended: bool,
}

impl InFlight<'_> {
    /// It has been answered.
    pub(crate) fn end(mut self, code: &'static str, took: Duration) {
        self.ended = true;
        self.metrics.count(self.operation, code);
        if let Some(operation) = self.metrics.operations.get(self.operation) {
            operation.latency.record(took);
        }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.metrics.in_flight.fetch_sub(1, Ordering::Relaxed);
        if !self.ended {
            self.metrics.count(self.operation, CANCELLED);
        }
    }
}
