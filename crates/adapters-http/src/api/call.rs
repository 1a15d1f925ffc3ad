//! A call of an operation: who asks, and what with.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use kecs_domain::{EcsError, ErrorCode};
use kecs_usecases::Context;

use super::Reply;
use crate::edge::RequestId;

/// A call.
#[derive(Debug)]
pub struct Call {
    /// The name that the answer's `x-amzn-RequestId` and the log give it.
    pub request_id: RequestId,
    /// Who asks.
    pub context: Arc<Context>,
    /// The address at which we were reached.
    pub reached_at: ReachedAt,
    /// What with.
    pub body: RequestBody,
    /// The largest body that is read, in bytes.
    pub body_limit: usize,
}

/// The address at which we were reached, in headers as they came: only few operations ask for it.
#[derive(Clone, Debug, Default)]
pub struct ReachedAt {
    host: Option<HeaderValue>,
    scheme: Option<HeaderValue>,
}

impl ReachedAt {
    /// The address `host`, by the scheme that the headers tell; behind a proxy, the proxy's.
    pub fn new(host: Option<HeaderValue>, headers: &HeaderMap) -> Self {
        Self { host, scheme: headers.get("x-forwarded-proto").cloned() }
    }

    /// The host and port, if it was told.
    pub fn host(&self) -> Option<&HeaderValue> {
        self.host.as_ref()
    }

    /// Whether we were reached by TLS, in front of us.
    pub fn is_secure(&self) -> bool {
        self.scheme.as_ref().is_some_and(|scheme| scheme == "https")
    }

    /// The address as a URL, such as `http://localhost:4510`.
    pub fn url(&self) -> String {
        let text = |value: &Option<HeaderValue>| value.as_ref()?.to_str().ok().map(str::to_owned);
        let host = text(&self.host).unwrap_or_else(|| "localhost".to_owned());
        format!("{}://{host}", if self.is_secure() { "https" } else { "http" })
    }
}

/// A request's body.
#[derive(Debug)]
pub enum RequestBody {
    /// On a connection; not read yet.
    Incoming(Incoming),
    /// In memory.
    Ready(Bytes),
}

impl Call {
    /// Reads the body.
    ///
    /// # Errors
    /// The answer, if the body is too large (413 and RequestEntityTooLargeException) or ends early (400 and
    /// SerializationException; that client is most likely gone).
    pub async fn read(&mut self) -> Result<Bytes, Reply> {
        match &mut self.body {
            RequestBody::Ready(bytes) if bytes.len() <= self.body_limit => Ok(std::mem::take(bytes)),
            RequestBody::Ready(_) => Err(too_large(self.body_limit)),
            RequestBody::Incoming(body) => read(body, self.body_limit).await,
        }
    }
}

async fn read(body: &mut Incoming, limit: usize) -> Result<Bytes, Reply> {
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit));
    }
    // Nearly every request fits into one frame, which is then used as it is.
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while !body.is_end_stream() {
        let Some(frame) = body.frame().await else { break };
        let data = match frame {
            Ok(frame) => frame.into_data().unwrap_or_default(),
            Err(error) => {
                let message = format!("The request body could not be read: {error}");
                return Err(Reply::error(&EcsError::new(ErrorCode::Serialization, message)));
            }
        };
        if first.len().max(rest.len()) + data.len() > limit {
            return Err(too_large(limit));
        }
        if first.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

fn too_large(limit: usize) -> Reply {
    let message = format!("The request body is larger than {limit} bytes.");
    Reply::error(&EcsError::new(ErrorCode::RequestEntityTooLarge, message))
}
