//! The AWS JSON protocol and the admin API in front of the use cases.
//!
//! - [`EcsApi`] is ECS as an [`AwsApi`]: it decodes requests, calls use cases and writes their responses.
//! - [`Endpoint`] serves the APIs of a [`Registry`] as `POST /` (by `X-Amz-Target`) and `POST /v1/OPERATION`.
//! - The sessions of ECS Exec are WebSockets at `/v1/data-channel/`, in the protocol of Session Manager.
//! - [`admin`] is for operators: health, readiness, metrics, version.
//! - [`Server`] listens for either.
//!
//! Requests are not authenticated: signatures are read for the account and the region, and are not verified.
//! Nothing here reads the environment, a file, or the system's time.

pub mod admin;
pub mod api;
mod decode;
mod ecs;
mod edge;
pub mod metrics;
mod server;
mod ssm;

pub use api::{AwsApi, Call, Registry, Reply, RequestBody};
pub use ecs::EcsApi;
pub use edge::{DefaultScope, Endpoint, EndpointOptions, RequestId, Serve, Socket, is_account, is_region};
pub use metrics::{Gauges, Metrics, MetricsText};
pub use server::{Server, ServerOptions};
