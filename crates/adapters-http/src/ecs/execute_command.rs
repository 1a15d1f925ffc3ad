//! ExecuteCommand, whose answer holds an address of ours: the one by which the caller has reached us.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use http::uri::Authority;
use kecs_domain::EcsError;
use kecs_domain::model::{Operation, op};
use kecs_usecases::Ecs;

use super::exchange;
use crate::api::{Call, Reply};

const OPERATION: Operation = Operation::ExecuteCommand;

/// Reads the request, calls the use case, writes the answer.
pub(super) async fn call(
    ecs: Arc<Ecs>,
    sizes: Arc<[AtomicUsize]>,
    public_url: Option<Arc<str>>,
    mut call: Call,
) -> Reply {
    let request = match exchange::read::<op::ExecuteCommand>(&mut call).await {
        Ok(request) => request,
        Err(reply) => return reply,
    };
    let Some(base) = public_url.map(|url| url.to_string()).or_else(|| reached_at(&call)) else {
        return Reply::error(&EcsError::client(
            "The request doesn't say by which address the server was reached (header Host), so that there is none \
             for the session. The server can be told with --public-url.",
        ));
    };
    let result = ecs.exec().execute(&call.context, request, &base).await;
    exchange::write(OPERATION, call.request_id, result, &sizes[OPERATION as usize])
}

/// The address in the request, if it is one.
fn reached_at(call: &Call) -> Option<String> {
    let host = Authority::try_from(call.reached_at.host()?.as_bytes()).ok()?;
    let scheme = if call.reached_at.is_secure() { "wss" } else { "ws" };
    (!host.as_str().contains('@')).then(|| format!("{scheme}://{host}"))
}
