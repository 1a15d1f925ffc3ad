//! The one error of the ECS API: a code that the model knows, and ECS's own words.

use std::fmt;

pub use crate::generated::ErrorCode;

/// An error as a client of ECS sees it. The message is external: nothing internal belongs in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct EcsError {
    /// Which of the API's exceptions it is.
    pub code: ErrorCode,
    /// The message, in ECS's words where these are known.
    pub message: String,
    /// Only for `ConflictException`: the ARNs of what is in the way.
    pub resource_ids: Vec<String>,
}

impl EcsError {
    /// An error with `code` and `message`.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), resource_ids: Vec::new() }
    }

    /// `InvalidParameterException`.
    pub fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidParameter, message)
    }

    /// `ClientException`.
    pub fn client(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Client, message)
    }

    /// `ServerException`: our fault; the text is ECS's, the cause goes to the log.
    pub fn server() -> Self {
        Self::new(ErrorCode::Server, "Service Unavailable. Please try again later.")
    }

    /// `ClusterNotFoundException` for a cluster that never was.
    pub fn cluster_not_found() -> Self {
        Self::new(ErrorCode::ClusterNotFound, "Cluster not found.")
    }

    /// `ClusterNotFoundException` for a cluster that is INACTIVE.
    pub fn cluster_inactive() -> Self {
        Self::new(ErrorCode::ClusterNotFound, "The referenced cluster was inactive.")
    }

    /// `ServiceNotFoundException`.
    pub fn service_not_found() -> Self {
        Self::new(ErrorCode::ServiceNotFound, "Service not found.")
    }

    /// `ConflictException` that names the resources in the way.
    pub fn conflict(message: impl Into<String>, resource_ids: Vec<String>) -> Self {
        Self { code: ErrorCode::Conflict, message: message.into(), resource_ids }
    }
}

/// Why a name or an identifier was refused, before it is known which error the operation makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
