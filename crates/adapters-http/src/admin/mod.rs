//! What operators ask: is it alive, is it ready, what does it do, which version is it, what do its containers
//! write. Read-only, and on an address of
//! its own, so that the API's address can be given away without it.

mod logs;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Json};
use axum::routing::get;
use hyper_util::service::TowerToHyperService;
use serde_json::json;

use crate::metrics::{Gauges, Metrics, MetricsText};
use crate::server::Server;

pub use logs::LogPages;

/// Tells why the server isn't ready, or None if it is. MUST be quick and without I/O.
pub type Readiness = Arc<dyn Fn() -> Option<String> + Send + Sync>;

/// What the admin pages show.
#[derive(Clone)]
pub struct Admin {
    /// The API's counts.
    pub metrics: Arc<Metrics>,
    /// More numbers.
    pub gauges: Vec<Arc<dyn Gauges>>,
    /// Whether requests are served and the reconcilers run.
    pub readiness: Readiness,
    /// What `/version` tells: names and values, `version` among them.
    pub version: BTreeMap<&'static str, String>,
    /// Where logs of containers are read; None for not at all.
    pub logs: Option<LogPages>,
}

/// The admin pages as a service.
pub fn router(admin: Admin) -> Router {
    Router::new()
        .route("/", get(async || "kecs admin: /health /ready /metrics /version /logs\n"))
        .route("/health", get(async || "ok\n"))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/version", get(version))
        .route("/logs", get(logs::logs))
        .with_state(Arc::new(admin))
}

/// Serves the admin pages until `shutdown` is ready.
pub async fn serve(admin: Admin, server: Server, shutdown: impl Future<Output = ()>) {
    server.run(TowerToHyperService::new(router(admin)), |_| {}, shutdown).await;
}

async fn ready(State(admin): State<Arc<Admin>>) -> impl IntoResponse {
    match (admin.readiness)() {
        None => (StatusCode::OK, Json(json!({"ready": true}))),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"ready": false, "reason": reason}))),
    }
}

async fn metrics(State(admin): State<Arc<Admin>>) -> impl IntoResponse {
    let mut text = MetricsText::default();
    text.family("kecs_info", "gauge", "Always 1; the labels tell what is running.");
    let labels: Vec<_> = admin.version.iter().map(|(name, value)| (*name, value.as_str())).collect();
    text.sample("kecs_info", &labels, 1);
    admin.metrics.write(&mut text);
    for gauges in &admin.gauges {
        gauges.write(&mut text);
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text.into_string())
}

async fn version(State(admin): State<Arc<Admin>>) -> impl IntoResponse {
    Json(admin.version.clone())
}
