//! The addresses that ECS gives to services: a host name under AWS's own domain, always the same for the same service.
//!
//! Nothing answers at these names by itself. On Kubernetes, what makes one real is a Service that selects the tasks'
//! Pods by the labels that they carry (cluster and service), an Ingress or a Gateway API HTTPRoute with the name as
//! its host, and a DNS record or a wildcard that leads there. The orchestrator's port has no call for these yet; until
//! it has, tasks are reached at their own addresses.

use sha2::{Digest as _, Sha256};

use crate::scope::Scope;

/// How many characters of a name stay readable: with the hash after it, a DNS label has at most 63.
const READABLE: usize = 48;

/// `NAME-HASH.ecs.REGION.on.aws`. What is named is told apart by the hash of its whole `identity` (its ARN): two
/// accounts may both have a service of this name.
pub fn host(scope: &Scope, name: &str, identity: &str) -> String {
    let mut label: String = name
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' })
        .take(READABLE)
        .collect();
    label = label.trim_matches('-').to_owned();
    if label.is_empty() {
        "service".clone_into(&mut label);
    }
    let domain = if scope.partition() == "aws-cn" { "on.amazonwebservices.com.cn" } else { "on.aws" };
    format!("{label}-{}.ecs.{}.{domain}", digest(identity, 12), scope.region())
}

/// The first `digits` hexadecimal digits, at most 64, of the hash of an identity.
pub(crate) fn digest(identity: &str, digits: usize) -> String {
    let mut text = format!("{:x}", Sha256::digest(identity));
    text.truncate(digits);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_legal_name_and_the_same_every_time() {
        let scope = Scope::new("123456789012", "eu-central-1");
        for name in ["web", "My_Shop", "___", &"x".repeat(255)] {
            let made = host(&scope, name, name);
            assert_eq!(made, host(&scope, name, name));
            let (label, domain) = made.split_once('.').unwrap();
            assert_eq!(domain, "ecs.eu-central-1.on.aws");
            assert!(label.len() <= 63, "{label}");
            assert!(!label.starts_with('-') && !label.ends_with('-'), "{label}");
        }
        assert!(host(&scope, "My_Shop", "a").starts_with("my-shop-"));
    }

    #[test]
    fn two_accounts_have_two_hosts_for_one_name() {
        let scope = Scope::new("123456789012", "cn-north-1");
        let (one, two) = (host(&scope, "web", "1/web"), host(&scope, "web", "2/web"));
        assert_ne!(one, two);
        assert!(one.ends_with(".ecs.cn-north-1.on.amazonwebservices.com.cn"));
    }
}
