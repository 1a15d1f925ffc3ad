//! Where a request goes: to an operation, to the page for people, or nowhere.

use http::header::{HOST, ORIGIN};
use http::{HeaderValue, Method, Request};
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
        if is_of_another_origin(request) {
            return Route::Refused(Reply::error(&EcsError::new(
                ErrorCode::AccessDenied,
                "Requests from web pages of other origins are refused.",
            )));
        }
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

/// Whether a browser sends this for a page that isn't ours. Nobody is asked who they are here, so any page that the
/// user happens to open could otherwise run tasks; other clients don't send `Origin`.
pub(super) fn is_of_another_origin<B>(request: &Request<B>) -> bool {
    let Some(origin) = request.headers().get(ORIGIN) else { return false };
    let host = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    let host = host.or_else(|| request.headers().get(HOST).map(HeaderValue::as_bytes));
    let origin = origin.as_bytes();
    let authority = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
    authority.is_none() || authority != host
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
