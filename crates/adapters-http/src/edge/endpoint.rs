//! The service that hyper calls for each request.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use http::header::HOST;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use tokio::time::Instant;
use tower::ServiceExt;

use super::credential::Credential;
use super::route::{Route, is_of_another_origin, route};
use super::stack::{Cut, Stack, stack};
use super::upgrade::{self, Upgrades};
use super::{DefaultScope, RequestId, page, respond};
use crate::api::{Call, OperationId, ReachedAt, Registry, Reply, RequestBody};
use crate::metrics::Metrics;
use crate::server::Server;

/// How the endpoint behaves.
#[derive(Clone, Debug)]
pub struct EndpointOptions {
    /// Account and region of requests that don't tell.
    pub scope: DefaultScope,
    /// How long a request may take, its body included, before it is answered with a ServerException and dropped.
    pub deadline: Duration,
    /// How many requests are worked on at a time; more are answered with a ThrottlingException.
    pub requests: usize,
    /// The largest body in bytes. (ECS takes task definitions of up to 64 KiB.)
    pub body: usize,
    /// How many WebSockets are open at a time; more are refused.
    pub sockets: u32,
}

impl Default for EndpointOptions {
    fn default() -> Self {
        Self {
            scope: DefaultScope { account: "000000000000".into(), region: "us-east-1".into() },
            // The read timeout of the AWS SDKs: nobody waits longer.
            deadline: Duration::from_secs(60),
            requests: 4096,
            body: 1 << 20,
            sockets: 1024,
        }
    }
}

/// The AWS APIs over HTTP. Cheap to clone.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

struct Inner {
    registry: Arc<Registry>,
    scope: DefaultScope,
    body_limit: usize,
    stack: Stack,
    metrics: Arc<Metrics>,
    upgrades: Upgrades,
}

impl Endpoint {
    /// An endpoint for the APIs of `registry`.
    pub fn new(registry: Registry, options: EndpointOptions, metrics: Arc<Metrics>) -> Self {
        let registry = Arc::new(registry);
        let stack = stack(Arc::clone(&registry), options.requests, options.deadline);
        let upgrades = Upgrades::new(options.sockets);
        let (scope, body_limit) = (options.scope, options.body);
        Self(Arc::new(Inner { registry, scope, body_limit, stack, metrics, upgrades }))
    }

    /// Answers a request.
    ///
    /// # Errors
    /// Never.
    pub async fn handle(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        Ok(self.answer(request.map(RequestBody::Incoming)).await)
    }

    /// Serves a listener until `shutdown` is ready and the requests that are being answered have ended.
    pub async fn serve(self, server: Server, shutdown: impl Future<Output = ()>) {
        let metrics = Arc::clone(&self.0.metrics);
        let endpoint = self.clone();
        let service = service_fn(move |request| {
            let endpoint = endpoint.clone();
            async move { endpoint.handle(request).await }
        });
        server.run(service, move |change| metrics.connections(change), shutdown).await;
        self.0.upgrades.end().await;
    }

    /// Answers a request, wherever its body is.
    pub async fn answer(&self, mut request: Request<RequestBody>) -> Response<Full<Bytes>> {
        let id = RequestId::next();
        let inner = &*self.0;
        if upgrade::is_wanted(&request)
            && let Some(serve) = inner.registry.socket(request.uri().path())
        {
            if is_of_another_origin(&request) {
                return upgrade::refusal(StatusCode::FORBIDDEN, "Pages of other origins are refused.\n");
            }
            return inner.upgrades.accept(&mut request, serve);
        }
        let credential = Credential::of(request.headers(), request.uri().query());
        match route(&inner.registry, &request, credential.as_ref()) {
            Route::Operation(operation) => {
                let context = inner.scope.context(credential.as_ref());
                let reached_at = ReachedAt::new(host(&request), request.headers());
                let body = request.into_body();
                let call = Call { request_id: id, context, reached_at, body, body_limit: inner.body_limit };
                respond::reply(id, inner.call(operation, call).await)
            }
            Route::Page => respond::text(id, page::page(&inner.registry)),
            Route::Health => respond::text(id, Bytes::from_static(b"ok\n")),
            Route::Refused(reply) => {
                inner.metrics.refused();
                tracing::debug!(request_id = %id, method = %request.method(), uri = %request.uri(), "refused");
                respond::reply(id, reply)
            }
        }
    }
}

/// The address that a request was sent to, as it says itself.
fn host<B>(request: &Request<B>) -> Option<HeaderValue> {
    let named = || HeaderValue::from_str(request.uri().authority()?.as_str()).ok();
    request.headers().get(HOST).cloned().or_else(named)
}

impl Inner {
    async fn call(&self, operation: OperationId, call: Call) -> Reply {
        let started = Instant::now();
        let id = call.request_id;
        let in_flight = self.metrics.begin(operation.index);
        let outcome = AssertUnwindSafe(self.stack.clone().oneshot((operation, call))).catch_unwind().await;
        let took = started.elapsed();
        let reply = match outcome {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => {
                let cut = Cut::of(&error);
                tracing::warn!(request_id = %id, operation = operation.name, ?took, ?cut, "not answered");
                cut.reply()
            }
            // The panic hook has told where. The other requests, on this connection too, go on.
            Err(_) => {
                tracing::error!(request_id = %id, operation = operation.name, "the operation panicked");
                Cut::Other.reply()
            }
        };
        tracing::debug!(request_id = %id, operation = operation.name, code = reply.code(), ?took, "answered");
        in_flight.end(reply.code(), took);
        reply
    }
}
