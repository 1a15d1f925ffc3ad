//! Responses. hyper adds `Date` and `Content-Length`.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

use super::RequestId;
use crate::api::Reply;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const AWS_JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// The response of an API.
pub(super) fn reply(id: RequestId, reply: Reply) -> Response<Full<Bytes>> {
    let status = reply.status();
    response(id, status, AWS_JSON, reply.into_body())
}

/// A response for people.
pub(super) fn text(id: RequestId, body: Bytes) -> Response<Full<Bytes>> {
    response(id, StatusCode::OK, TEXT, body)
}

fn response(id: RequestId, status: StatusCode, kind: HeaderValue, body: Bytes) -> Response<Full<Bytes>> {
    // Room for these two and the two that hyper adds, so that the map is allocated once.
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(REQUEST_ID, id.header());
    headers.insert(CONTENT_TYPE, kind);
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
