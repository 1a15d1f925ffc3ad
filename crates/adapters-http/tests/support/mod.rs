//! A server over an API that does what a test needs, and a client that sends exactly what it is told.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it, and none is a crate of others"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use kecs_adapters_http::{AwsApi, Call, Endpoint, EndpointOptions, Metrics, MetricsText, Registry, Reply};
use kecs_adapters_http::{Server, ServerOptions};
use kecs_domain::EcsError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// An API whose operations are behaviours.
#[derive(Clone, Default)]
pub struct Fake {
    /// How many calls have begun to hang.
    pub hanging: Arc<AtomicUsize>,
    /// How many hanging calls were dropped.
    pub dropped: Arc<AtomicUsize>,
}

struct Hanging(Fake);

impl Drop for Hanging {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

impl AwsApi for Fake {
    fn target_prefix(&self) -> &'static str {
        "Fake_1"
    }

    fn signing_name(&self) -> &'static str {
        "fake"
    }

    fn operations(&self) -> &'static [&'static str] {
        &["Echo", "WhoAmI", "Hang", "Slow", "Panic", "Fail"]
    }

    fn call(&self, operation: usize, mut call: Call) -> BoxFuture<'static, Reply> {
        let fake = self.clone();
        async move {
            match operation {
                0 => match call.read().await {
                    Ok(body) => Reply::ok(body),
                    Err(reply) => reply,
                },
                1 => {
                    let scope = &call.context.scope;
                    let text = format!(r#""{}/{}""#, scope.account(), scope.region());
                    Reply::ok(Bytes::from(text))
                }
                2 => {
                    fake.hanging.fetch_add(1, Ordering::SeqCst);
                    let _hanging = Hanging(fake);
                    std::future::pending().await
                }
                3 => {
                    fake.hanging.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    Reply::ok(Bytes::from_static(b"{}"))
                }
                4 => panic!("a defect"),
                _ => Reply::error(&EcsError::server()),
            }
        }
        .boxed()
    }
}

/// A server that runs.
pub struct Running {
    pub address: SocketAddr,
    pub metrics: Arc<Metrics>,
    stop: oneshot::Sender<()>,
    pub task: JoinHandle<()>,
}

impl Running {
    /// Begins the shutdown, and gives the server's task.
    pub fn stop(self) -> JoinHandle<()> {
        let _ = self.stop.send(());
        self.task
    }

    pub fn metrics_text(&self) -> String {
        let mut text = MetricsText::default();
        self.metrics.write(&mut text);
        text.into_string()
    }
}

/// Serves an API on a port of the system's choice.
pub async fn serve(api: impl AwsApi, options: EndpointOptions, server: ServerOptions) -> Running {
    let registry = Registry::new().with(Arc::new(api));
    let metrics = Arc::new(Metrics::new(&registry));
    let endpoint = Endpoint::new(registry, options, Arc::clone(&metrics));
    let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)), server).await.unwrap();
    let address = server.local_address().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(endpoint.serve(server, stopped.map(|_| ())));
    Running { address, metrics, stop, task }
}

/// Serves the fake with the default options.
pub async fn fake() -> Running {
    serve(Fake::default(), EndpointOptions::default(), ServerOptions::default()).await
}

/// A response, taken apart.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn error(&self) -> (String, String) {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        (body["__type"].as_str().unwrap().to_owned(), body["message"].as_str().unwrap().to_owned())
    }
}

/// Sends bytes and reads one response.
pub async fn send(address: SocketAddr, request: impl AsRef<[u8]>) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_ref()).await.unwrap();
    answer(&mut stream).await
}

/// Reads one response.
pub async fn answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let status = head[9..12].parse().unwrap();
            let mut answer = Answer { status, head, body: String::new() };
            let length: usize = answer.header("content-length").unwrap().parse().unwrap();
            while bytes.len() < end + 4 + length {
                assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "the body ends early");
            }
            answer.body = String::from_utf8(bytes[end + 4..].to_vec()).unwrap();
            return answer;
        }
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "no response");
    }
}

/// A request of the protocol.
pub fn request(target: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: {target}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Waits until a condition holds.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited too long: {what}");
}
