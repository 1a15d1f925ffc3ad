//! An answer: a status, a code for the metrics, and JSON.

use bytes::Bytes;
use http::StatusCode;
use kecs_domain::{EcsError, ErrorCode};
use serde::Serialize;

/// An answer to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    status: StatusCode,
    code: &'static str,
    body: Bytes,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody<'a> {
    #[serde(rename = "__type")]
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    resource_ids: &'a [String],
}

/// How much of a message is sent, in bytes. Messages repeat what is wrong with a request; nobody needs a whole one back.
const LONGEST_MESSAGE: usize = 2_000;

impl Reply {
    /// The code of a success.
    pub const OK: &'static str = "OK";

    /// A success with a body that is JSON already.
    pub fn ok(body: Bytes) -> Self {
        Self { status: StatusCode::OK, code: Self::OK, body }
    }

    /// An error in the form of the protocol: 500 for our fault, 413 for a body too large, else 400.
    pub fn error(error: &EcsError) -> Self {
        let status = match error.code {
            code if code.is_server_fault() => StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::RequestEntityTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        let code = error.code.as_str();
        let message = &error.message[..error.message.floor_char_boundary(LONGEST_MESSAGE)];
        let body = ErrorBody { code, message, resource_ids: &error.resource_ids };
        // Strings always have a JSON form.
        let body = serde_json::to_vec(&body).map_or_else(|_| Bytes::from_static(b"{}"), Bytes::from);
        Self { status, code, body }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The exception's name, or [`Reply::OK`].
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body, given away.
    pub fn into_body(self) -> Bytes {
        self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_protocols_form() {
        let reply = Reply::error(&EcsError::cluster_not_found());
        assert_eq!(reply.status(), 400);
        assert_eq!(reply.body(), r#"{"__type":"ClusterNotFoundException","message":"Cluster not found."}"#);
        let reply = Reply::error(&EcsError::conflict("no", vec!["arn".into()]));
        assert_eq!(reply.body(), r#"{"__type":"ConflictException","message":"no","resourceIds":["arn"]}"#);
        let reply = Reply::error(&EcsError::client("é".repeat(5_000)));
        assert!(reply.body().len() < 2_100);
        assert_eq!(Reply::error(&EcsError::server()).status(), 500);
        assert_eq!(Reply::error(&EcsError::new(ErrorCode::RequestEntityTooLarge, "")).status(), 413);
    }
}
