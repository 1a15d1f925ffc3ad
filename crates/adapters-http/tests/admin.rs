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
        logs: None,
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
    assert_eq!(get(address, "/logs?task=x").await.body, "Logs are not read here.\n");
}

/// A body that goes on for longer than a connection may be idle.
#[tokio::test]
async fn an_answer_without_an_end_in_sight_is_no_idleness() {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use futures::StreamExt as _;
    use hyper_util::service::TowerToHyperService;
    use std::time::Duration;

    let slow = || async {
        let drops = futures::stream::iter(0..6).then(|number| async move {
            tokio::time::sleep(Duration::from_millis(60)).await;
            Ok::<_, std::io::Error>(format!("{number}\n"))
        });
        Body::from_stream(drops)
    };
    let options = ServerOptions { idle: Duration::from_millis(50), ..ServerOptions::default() };
    let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)), options).await.unwrap();
    let address = server.local_address().unwrap();
    let service = TowerToHyperService::new(Router::new().route("/", get(slow)));
    tokio::spawn(server.run(service, |_| {}, std::future::pending()));
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stream, request).await.unwrap();
    let mut text = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut text).await.unwrap();
    assert!(text.contains("5\n") && text.ends_with("0\r\n\r\n"), "{text}");
}
