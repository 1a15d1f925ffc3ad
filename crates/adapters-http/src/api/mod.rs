//! What an AWS API is to the edge: a name in the request's target, and something that answers calls.
//!
//! The edge knows nothing of ECS; `crate::ecs` is the first API behind it. A further one (CloudWatch Logs, ...)
//! implements [`AwsApi`] and is added to the [`Registry`].

mod call;
mod registry;
mod reply;

use futures::future::BoxFuture;

pub use call::{Call, ReachedAt, RequestBody};
pub use registry::{Registry, RouteError};
pub use reply::Reply;

pub(crate) use registry::OperationId;

use crate::edge::Serve;

/// An AWS API of the JSON protocol.
pub trait AwsApi: Send + Sync + 'static {
    /// What stands before the operation in `X-Amz-Target`, without the dot.
    fn target_prefix(&self) -> &'static str;

    /// The service's name in the SigV4 credential scope.
    fn signing_name(&self) -> &'static str;

    /// The names of its operations.
    fn operations(&self) -> &'static [&'static str];

    /// The place of a name in [`AwsApi::operations`].
    fn operation(&self, name: &str) -> Option<usize> {
        self.operations().iter().position(|known| *known == name)
    }

    /// Answers a call. `operation` is a place in [`AwsApi::operations`]. The future is dropped when the caller goes
    /// or the deadline passes, so that it MUST leave nothing half done at any await.
    fn call(&self, operation: usize, call: Call) -> BoxFuture<'static, Reply>;

    /// What serves a WebSocket at `path`; None where there is none.
    fn socket(&self, path: &str) -> Option<Serve> {
        let _ = path;
        None
    }
}
