//! Where a request goes: to an operation, to the page for people, or nowhere.

use http::{Method, Request};
use kecs_domain::{EcsError, ErrorCode};

use super::credential::Credential;
use crate::api::{OperationId, Registry, Reply, RouteError};

/// Where a request goes.
#[derive(Debug, PartialEq)]
pub(super) enum Route {
    /// To an operation.
    Operation(OperationId),
    /// To somebody who pointed a browser at the endpoint.
    Page,
    /// To a check of whether the server is there.
    Health,
    /// Nowhere.
    Refused(Reply),
}

/// The path before an operation's name, as the first KECS served it.
const BY_PATH: &str = "/v1/";

/// Finds out where a request goes.
pub(super) fn route<B>(
    registry: &Registry,
    request: &Request<B>,
    credential: Option<&Credential<'_>>,
) -> Route {
    let path = request.uri().path();
    if *request.method() == Method::POST {
        return match operation(registry, request, path, credential) {
            Ok(id) => Route::Operation(id),
            Err(error) => {
                Route::Refused(Reply::error(&EcsError::new(ErrorCode::UnknownOperation, error.to_string())))
            }
        };
    }
    match path {
        "/" if is_read(request.method()) => Route::Page,
        "/health" if is_read(request.method()) => Route::Health,
        _ => Route::Refused(Reply::error(&EcsError::new(
            ErrorCode::UnknownOperation,
            RouteError::NoOperation.to_string(),
        ))),
    }
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn operation<B>(
    registry: &Registry,
    request: &Request<B>,
    path: &str,
    credential: Option<&Credential<'_>>,
) -> Result<OperationId, RouteError> {
    if let Some(name) = path.strip_prefix(BY_PATH) {
        return registry.by_name(name, credential.map(|credential| credential.service.as_ref()));
    }
    let target = request.headers().get("x-amz-target").ok_or(RouteError::NoOperation)?;
    registry.by_target(&String::from_utf8_lossy(target.as_bytes()))
}
