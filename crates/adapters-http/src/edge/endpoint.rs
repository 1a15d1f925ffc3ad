//! The service that hyper calls for each request.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use tokio::time::Instant;
use tower::ServiceExt;

use super::credential::Credential;
use super::route::{Route, route};
use super::stack::{Cut, Stack, stack};
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
}

impl Default for EndpointOptions {
    fn default() -> Self {
        Self {
            scope: DefaultScope { account: "000000000000".into(), region: "us-east-1".into() },
            // The read timeout of the AWS SDKs: nobody waits longer.
            deadline: Duration::from_secs(60),
            requests: 4096,
            body: 1 << 20,
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
}

impl Endpoint {
    /// An endpoint for the APIs of `registry`.
    pub fn new(registry: Registry, options: EndpointOptions, metrics: Arc<Metrics>) -> Self {
        let registry = Arc::new(registry);
        let stack = stack(Arc::clone(&registry), options.requests, options.deadline);
        Self(Arc::new(Inner { registry, scope: options.scope, body_limit: options.body, stack, metrics }))
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
        let service = service_fn(move |request| {
            let endpoint = self.clone();
            async move { endpoint.handle(request).await }
        });
        server.run(service, move |change| metrics.connections(change), shutdown).await;
    }

    /// Answers a request, wherever its body is.
    pub async fn answer(&self, request: Request<RequestBody>) -> Response<Full<Bytes>> {
        let id = RequestId::next();
        let inner = &*self.0;
        let credential = Credential::of(request.headers(), request.uri().query());
        match route(&inner.registry, &request, credential.as_ref()) {
            Route::Operation(operation) => {
                let context = inner.scope.context(credential.as_ref());
                let reached_at = ReachedAt::of(request.headers());
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
