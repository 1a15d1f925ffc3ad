//! The admin pages.

mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kecs_adapters_http::admin::{self, Admin};
use kecs_adapters_http::{Metrics, MetricsText, Registry, Server, ServerOptions};
use support::{Answer, Fake, send};

async fn get(address: SocketAddr, path: &str) -> Answer {
    send(address, format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await
}

#[tokio::test]
async fn health_readiness_metrics_and_version_are_told() {
    let is_ready = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_ready);
    let admin = Admin {
        metrics: Arc::new(Metrics::new(&Registry::new().with(Arc::new(Fake::default())))),
        gauges: vec![Arc::new(|out: &mut MetricsText| out.gauge("kecs_queue", "Keys that wait.", 7))],
        readiness: Arc::new(move || (!seen.load(Ordering::SeqCst)).then(|| "still starting".to_owned())),
        version: BTreeMap::from([("version", "1.2.3".to_owned()), ("storage", "memory".to_owned())]),
    };
    let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)), ServerOptions::default()).await.unwrap();
    let address = server.local_address().unwrap();
    tokio::spawn(admin::serve(admin, server, std::future::pending()));

    assert_eq!(get(address, "/health").await.body, "ok\n");
    let answer = get(address, "/ready").await;
    assert_eq!((answer.status, answer.body.as_str()), (503, r#"{"ready":false,"reason":"still starting"}"#));
    is_ready.store(true, Ordering::SeqCst);
    let answer = get(address, "/ready").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"ready":true}"#));
    assert_eq!(get(address, "/version").await.body, r#"{"storage":"memory","version":"1.2.3"}"#);
    let metrics = get(address, "/metrics").await;
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert!(metrics.body.contains("kecs_info{storage=\"memory\",version=\"1.2.3\"} 1\n"));
    assert!(metrics.body.contains("# TYPE kecs_queue gauge\nkecs_queue 7\n"));
    assert_eq!(get(address, "/nope").await.status, 404);
}
