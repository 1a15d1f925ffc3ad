//! The two halves of every operation: the request read, the answer written.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use kecs_domain::EcsError;
use kecs_domain::model::{Operation, OperationShape};
use kecs_usecases::Error;
use serde::Serialize;

use super::words;
use crate::api::{Call, Reply};
use crate::decode;
use crate::edge::RequestId;

/// Reads the request.
///
/// # Errors
/// The answer, when that can't be done.
pub(super) async fn read<O: OperationShape>(call: &mut Call) -> Result<O::Request, Reply> {
    let body = call.read().await?;
    decode::decode(&body).map_err(|error| Reply::error(&words::error(O::OPERATION, &error)))
}

/// Writes the answer. `size` is that of the operation's last response.
pub(super) fn write<R: Serialize>(
    operation: Operation,
    id: RequestId,
    result: Result<R, Error>,
    size: &AtomicUsize,
) -> Reply {
    write_by(operation, id, result, size, |response, body| Ok(serde_json::to_writer(body, response)?))
}

/// Writes the answer with `write`, for one that isn't written through serde.
pub(super) fn write_by<R>(
    operation: Operation,
    id: RequestId,
    result: Result<R, Error>,
    size: &AtomicUsize,
    write: impl FnOnce(&R, &mut Vec<u8>) -> io::Result<()>,
) -> Reply {
    let response = match result {
        Ok(response) => response,
        Err(error) => return failed(operation, id, &error),
    };
    // A little more than last time, rounded, so that answers that grow slowly are still written in one go.
    let last = size.load(Ordering::Relaxed);
    let mut body = Vec::with_capacity((last + last / 8).next_multiple_of(128).max(128));
    match write(&response, &mut body) {
        Ok(()) => {
            size.store(body.len(), Ordering::Relaxed);
            Reply::ok(Bytes::from(body))
        }
        Err(cause) => {
            tracing::error!(request_id = %id, operation = operation.name(), %cause, "response not serialisable");
            Reply::error(&EcsError::server())
        }
    }
}

/// The one place where a failure of a use case becomes an answer, and its cause a line in the log.
fn failed(operation: Operation, id: RequestId, error: &Error) -> Reply {
    match error {
        Error::Ecs(error) if error.code.is_server_fault() => {
            tracing::error!(request_id = %id, operation = operation.name(), cause = %error, "failed");
        }
        Error::Ecs(error) => {
            tracing::debug!(request_id = %id, operation = operation.name(), cause = %error, "refused");
        }
        Error::Port(cause) => {
            tracing::error!(request_id = %id, operation = operation.name(), kind = ?cause.kind, %cause, "failed");
        }
    }
    Reply::error(&error.external())
}
