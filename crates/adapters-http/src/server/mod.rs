//! A listener and its connections: HTTP/1.1 and HTTP/2 without TLS, limits, and an orderly end.
//!
//! What is served it is told; both the API and the admin pages use it. TLS belongs to a proxy in front.

mod connection;

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// How a server treats its connections.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// How many connections are open at a time. More wait in the system's backlog.
    pub connections: usize,
    /// A connection on which no request has begun for this long, or up to twice as long, is closed. That goes for
    /// one that sends its head too slowly as well.
    pub idle: Duration,
    /// How long requests may go on after the shutdown has begun.
    pub drain: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self { connections: 4096, idle: Duration::from_secs(60), drain: Duration::from_secs(10) }
    }
}

/// A bound listener that isn't served yet; clients that connect wait.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    options: ServerOptions,
}

impl Server {
    /// Binds to an address; port 0 lets the system choose.
    ///
    /// # Errors
    /// When the address is in use or isn't ours.
    pub async fn bind(address: SocketAddr, options: ServerOptions) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, options })
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    /// When the system doesn't tell.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` is ready, then lets the requests that are being answered end, within the drain
    /// time. `connections` is told of each connection that is opened (1) and closed (-1). Dropping the future drops
    /// all connections with it.
    pub async fn run<S, B>(
        self,
        service: S,
        connections: impl Fn(i64) + Clone + Send + 'static,
        shutdown: impl Future<Output = ()>,
    ) where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let Self { listener, options } = self;
        let places = Arc::new(Semaphore::new(options.connections));
        let (stop, stopped) = watch::channel(());
        let mut tasks = JoinSet::new();
        let mut builder = Builder::new(TokioExecutor::new());
        // The longest head; hyper's own limit is 400 KiB. It is also the largest piece of a body that is read at once.
        builder.http1().max_buf_size(64 * 1024);
        tokio::pin!(shutdown);
        loop {
            let (stream, place) = tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
                next = next(&listener, &places) => next,
            };
            let connection =
                connection::serve(stream, builder.clone(), service.clone(), options.idle, stopped.clone());
            let connections = connections.clone();
            tasks.spawn(async move {
                connections(1);
                let _closed = OnDrop(move || connections(-1));
                connection.await;
                drop(place);
            });
        }
        drop(listener);
        // Each connection has a receiver of its own; that all are gone shows in the tasks.
        let _ = stop.send(());
        let drained = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(options.drain, drained).await.is_err() {
            tracing::warn!(drain = ?options.drain, "requests were still being answered and are dropped");
        }
        tasks.shutdown().await;
    }
}

/// The next connection, with a place among those that may be open.
async fn next(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            // The semaphore is never closed.
            std::future::pending().await
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are written in one go: waiting for more would only delay them.
                let _ = stream.set_nodelay(true);
                return (stream, place);
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // Mostly no file descriptor is left. Accepting again at once would spin.
                tracing::error!(cause = %error, "connections can't be accepted");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
