//! Whose things we talk about: the account and the region. Two scopes never see each other's resources.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// An account in a region. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope(Arc<ScopeParts>);

#[derive(PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
struct ScopeParts {
    account: String,
    region: String,
}

impl Scope {
    /// The scope of `account` (twelve digits) in `region` (such as `eu-central-1`).
    pub fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self(Arc::new(ScopeParts { account: account.into(), region: region.into() }))
    }

    /// The account's number.
    pub fn account(&self) -> &str {
        &self.0.account
    }

    /// The region's name.
    pub fn region(&self) -> &str {
        &self.0.region
    }

    /// The partition that the region belongs to: the second part of every ARN.
    pub fn partition(&self) -> &'static str {
        let region = self.region();
        if region.starts_with("cn-") {
            "aws-cn"
        } else if region.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account(), self.region())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_follows_from_the_region() {
        for (region, partition) in
            [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
        {
            assert_eq!(Scope::new("123456789012", region).partition(), partition);
        }
    }
}
