//! A client of the ECS API: requests as a tool would send them, over a connection of their own.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kecs_domain::model::{Operation, OperationShape, TARGET_PREFIX};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The client.
pub(super) struct EcsClient {
    http: Client<HttpConnector, Full<Bytes>>,
    endpoint: String,
}

impl EcsClient {
    /// A client of the API at `endpoint`, such as `http://127.0.0.1:5373`.
    pub(super) fn new(endpoint: String) -> Self {
        Self { http: Client::builder(TokioExecutor::new()).build_http(), endpoint }
    }

    /// Calls an operation.
    pub(super) async fn call<O>(&self, request: &O::Request) -> Result<O::Response>
    where
        O: OperationShape<Request: Serialize, Response: DeserializeOwned>,
    {
        let name = O::OPERATION.name();
        let (status, body) =
            self.send(O::OPERATION, serde_json::to_vec(request)?).await.with_context(|| name)?;
        if status != StatusCode::OK {
            bail!("{name}: {}", String::from_utf8_lossy(&body));
        }
        serde_json::from_slice(&body).with_context(|| format!("{name}: the answer can't be read"))
    }

    async fn send(&self, operation: Operation, body: Vec<u8>) -> Result<(StatusCode, Bytes)> {
        let request = Request::post(&self.endpoint)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("{TARGET_PREFIX}.{}", operation.name()))
            .body(Full::new(Bytes::from(body)))?;
        let response = self.http.request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}
