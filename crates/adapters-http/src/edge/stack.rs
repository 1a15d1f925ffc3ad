//! The tower stack around the operations: shed what is too much, then a deadline, then the call.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, Map};
use kecs_domain::{EcsError, ErrorCode};
use tower::limit::{ConcurrencyLimit, ConcurrencyLimitLayer};
use tower::load_shed::error::Overloaded;
use tower::load_shed::{LoadShed, LoadShedLayer};
use tower::timeout::error::Elapsed;
use tower::timeout::{Timeout, TimeoutLayer};
use tower::{BoxError, Service, ServiceBuilder};

use crate::api::{Call, OperationId, Registry, Reply};

/// The services around a call, outermost first.
pub(super) type Stack = LoadShed<ConcurrencyLimit<Timeout<Dispatch>>>;

/// Builds the stack. Its clones share the limit.
pub(super) fn stack(registry: Arc<Registry>, requests: usize, deadline: Duration) -> Stack {
    ServiceBuilder::new()
        .layer(LoadShedLayer::new())
        .layer(ConcurrencyLimitLayer::new(requests))
        .layer(TimeoutLayer::new(deadline))
        .service(Dispatch { registry })
}

/// Hands a call to its API.
#[derive(Clone)]
pub(super) struct Dispatch {
    registry: Arc<Registry>,
}

impl Service<(OperationId, Call)> for Dispatch {
    type Response = Reply;
    type Error = Infallible;
    type Future = Map<BoxFuture<'static, Reply>, fn(Reply) -> Result<Reply, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (id, call): (OperationId, Call)) -> Self::Future {
        self.registry.api(id).call(id.operation, call).map(Ok as fn(Reply) -> Result<Reply, Infallible>)
    }
}

/// Why the stack didn't get an answer from the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// The deadline passed.
    Late,
    /// There were too many requests at a time.
    Overloaded,
    /// Neither, which would be a defect.
    Other,
}

impl Cut {
    pub(super) fn of(error: &BoxError) -> Self {
        if error.is::<Elapsed>() {
            Self::Late
        } else if error.is::<Overloaded>() {
            Self::Overloaded
        } else {
            Self::Other
        }
    }

    /// What the client is told. SDKs try both again, after a pause; operations with a client token are safe to
    /// repeat.
    pub(super) fn reply(self) -> Reply {
        Reply::error(&match self {
            Self::Late | Self::Other => EcsError::server(),
            Self::Overloaded => EcsError::new(ErrorCode::Throttling, "Rate exceeded"),
        })
    }
}
