//! Idempotency tokens: what was asked with a token, and what was answered.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::arn::ClusterKey;

/// Where a token is unique.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TokenKey {
    /// ECS keeps tokens per cluster.
    pub cluster: ClusterKey,
    /// The operation's name, such as `RunTask`. `CreateService` adds the service's name: the same token with
    /// another name makes a second service.
    pub operation: String,
    /// The caller's token.
    pub token: String,
}

/// A used token. It is saved in the same commit as what the request made, so that a retry can't do it twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Which token.
    pub key: TokenKey,
    /// SHA-256 of the request as it was sent, in hexadecimal: another request with this token is refused.
    pub fingerprint: String,
    /// The ARNs of what the request made.
    pub resources: Vec<String>,
    /// What could not be made then, as the answer said: `failures` in JSON, or empty.
    pub failures: String,
    /// When it was used.
    pub created_at: Timestamp,
}
