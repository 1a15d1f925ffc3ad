//! How requests and connections end: deadlines, callers that go, shutdown, limits.

mod support;

use std::sync::atomic::Ordering;
use std::time::Duration;

use kecs_adapters_http::{EndpointOptions, ServerOptions};
use support::{Fake, answer, fake, request, send, serve, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

#[tokio::test]
async fn a_request_beyond_its_deadline_is_dropped_and_answered_so_that_sdks_try_again() {
    let api = Fake::default();
    let options = EndpointOptions { deadline: Duration::from_millis(50), ..EndpointOptions::default() };
    let server = serve(api.clone(), options, ServerOptions::default()).await;
    let answer = send(server.address, request("Fake_1.Hang", "{}")).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.error().0, "ServerException");
    assert_eq!(api.dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for_beyond_the_deadline() {
    let options = EndpointOptions { deadline: Duration::from_millis(50), ..EndpointOptions::default() };
    let server = serve(Fake::default(), options, ServerOptions::default()).await;
    let head = "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Fake_1.Echo\r\nContent-Length: 9\r\n\r\n{";
    assert_eq!(send(server.address, head).await.status, 500);
}

#[tokio::test]
async fn a_request_is_cancelled_when_its_caller_goes() {
    let api = Fake::default();
    let server = serve(api.clone(), EndpointOptions::default(), ServerOptions::default()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request("Fake_1.Hang", "{}").as_bytes()).await.unwrap();
    until("the call hangs", || api.hanging.load(Ordering::SeqCst) == 1).await;
    drop(stream);
    until("the call is dropped", || api.dropped.load(Ordering::SeqCst) == 1).await;
    let cancelled = r#"kecs_requests_total{operation="Hang",code="Cancelled"} 1"#;
    assert!(server.metrics_text().contains(cancelled));
    assert!(server.metrics_text().contains("kecs_requests_in_flight 0\n"));
}

#[tokio::test]
async fn a_panic_is_a_server_exception_and_the_connection_goes_on() {
    let server = fake().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    for (target, status) in [("Fake_1.Panic", 500), ("Fake_1.Echo", 200)] {
        stream.write_all(request(target, "{}").as_bytes()).await.unwrap();
        assert_eq!(answer(&mut stream).await.status, status);
    }
}

#[tokio::test]
async fn more_requests_than_the_limit_are_told_to_come_back() {
    let api = Fake::default();
    let options = EndpointOptions { requests: 1, ..EndpointOptions::default() };
    let server = serve(api.clone(), options, ServerOptions::default()).await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    first.write_all(request("Fake_1.Slow", "{}").as_bytes()).await.unwrap();
    until("the first call has begun", || api.hanging.load(Ordering::SeqCst) == 1).await;
    let second = send(server.address, request("Fake_1.Echo", "{}")).await;
    assert_eq!(
        (second.status, second.error()),
        (400, ("ThrottlingException".into(), "Rate exceeded".into()))
    );
    assert_eq!(answer(&mut first).await.status, 200);
    assert_eq!(send(server.address, request("Fake_1.Echo", "{}")).await.status, 200);
}

#[tokio::test]
async fn shutdown_lets_a_request_end_and_takes_no_new_ones() {
    let api = Fake::default();
    let server = serve(api.clone(), EndpointOptions::default(), ServerOptions::default()).await;
    let address = server.address;
    let mut busy = TcpStream::connect(address).await.unwrap();
    busy.write_all(request("Fake_1.Slow", "{}").as_bytes()).await.unwrap();
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(request("Fake_1.Echo", "{}").as_bytes()).await.unwrap();
    assert_eq!(answer(&mut idle).await.status, 200);
    until("the call has begun", || api.hanging.load(Ordering::SeqCst) == 1).await;

    let task = server.stop();
    let last = answer(&mut busy).await;
    assert_eq!((last.status, last.header("connection")), (200, Some("close")));
    timeout(Duration::from_secs(5), task).await.expect("the server ends").unwrap();
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0, "an idle connection is closed");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn shutdown_drops_what_does_not_end_within_the_drain_time() {
    let api = Fake::default();
    let options = ServerOptions { drain: Duration::from_millis(50), ..ServerOptions::default() };
    let server = serve(api.clone(), EndpointOptions::default(), options).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request("Fake_1.Hang", "{}").as_bytes()).await.unwrap();
    until("the call hangs", || api.hanging.load(Ordering::SeqCst) == 1).await;
    timeout(Duration::from_secs(5), server.stop()).await.expect("the server ends").unwrap();
    assert_eq!(api.dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn connections_that_are_idle_or_never_end_their_head_are_closed() {
    let options = ServerOptions { idle: Duration::from_millis(50), ..ServerOptions::default() };
    let server = serve(Fake::default(), EndpointOptions::default(), options).await;
    for beginning in ["", "POST / HT", "POST / HTTP/1.1\r\nHost: x\r\n"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let end = timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
        assert!(end.is_ok(), "{beginning:?} is still open");
    }
    // One whose request takes longer than that isn't idle.
    assert_eq!(send(server.address, request("Fake_1.Slow", "{}")).await.status, 200);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let options = ServerOptions { connections: 1, ..ServerOptions::default() };
    let server = serve(Fake::default(), EndpointOptions::default(), options).await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    first.write_all(request("Fake_1.Echo", "{}").as_bytes()).await.unwrap();
    assert_eq!(answer(&mut first).await.status, 200);
    let mut second = TcpStream::connect(server.address).await.unwrap();
    second.write_all(request("Fake_1.Echo", "{}").as_bytes()).await.unwrap();
    assert!(timeout(Duration::from_millis(100), answer(&mut second)).await.is_err(), "it has to wait");
    drop(first);
    let answer = timeout(Duration::from_secs(5), answer(&mut second)).await.expect("a place is free");
    assert_eq!(answer.status, 200);
    assert!(server.metrics_text().contains("kecs_connections 1\n"));
}
