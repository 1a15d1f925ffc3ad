//! Identifiers and addresses that follow from what they name.
//!
//! The simulation has no randomness of its own: the same task has the same runtime ids, interface and MAC in every
//! run, so that a seed is a whole history and nothing of this need be stored.

use std::net::Ipv4Addr;

use kecs_domain::Timestamp;
use kecs_domain::name::{HexId, TaskId};
use kecs_domain::task::NetworkObservation;
use sha2::{Digest, Sha256};

/// Hashes `parts` for one purpose: what is hashed for another one never comes out the same.
fn hash(purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn bits(purpose: &str, parts: &[&[u8]]) -> u128 {
    hash(purpose, parts).iter().take(16).fold(0, |bits, byte| (bits << 8) | u128::from(*byte))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The container instance of the node called `name`.
pub(crate) fn node(name: &str) -> HexId {
    HexId::from_bits(bits("node", &[name.as_bytes()]))
}

/// The digest of an image: the one in its name, or a hash of the name.
pub(crate) fn image_digest(image: &str) -> String {
    match image.rsplit_once('@') {
        Some((_, digest)) if digest.starts_with("sha256:") => digest.to_owned(),
        _ => format!("sha256:{}", hex(&Sha256::digest(image.as_bytes()))),
    }
}

/// `runtimeId`: 64 hexadecimal digits, on Fargate the task's id and ten digits.
pub(crate) fn runtime(task: TaskId, container: &str, fargate: bool) -> String {
    let parts: [&[u8]; 2] = [&task.bits().to_be_bytes(), container.as_bytes()];
    if fargate {
        format!("{task}-{:010}", bits("runtime", &parts) % 10_000_000_000)
    } else {
        hex(&hash("runtime", &parts))
    }
}

/// The interface of a task that has `address`.
pub(crate) fn interface(
    task: TaskId,
    address: Ipv4Addr,
    region: &str,
    connected_at: Timestamp,
) -> NetworkObservation {
    let digest = hash("interface", &[&task.bits().to_be_bytes()]);
    let mac = &digest[16..21];
    let [a, b, c, d] = address.octets();
    // The first region has a domain of its own.
    let domain =
        if region == "us-east-1" { "ec2.internal".into() } else { format!("{region}.compute.internal") };
    NetworkObservation {
        connected_at,
        private_ipv4: address.to_string(),
        // 0x0a: locally administered and unicast, as EC2's own.
        mac: Some(format!("0a:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4])),
        interface_id: format!("eni-{}", &hex(&digest)[..17]),
        private_dns_name: format!("ip-{a}-{b}-{c}-{d}.{domain}"),
    }
}

/// Which of `count` things falls to `key`, evenly; for `purpose`.
pub(crate) fn choice(purpose: &str, key: &[u8], count: u64) -> u64 {
    #[allow(clippy::cast_possible_truncation, reason = "the remainder is less than a u64")]
    let chosen = (bits(purpose, &[key]) % u128::from(count.max(1))) as u64;
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_the_forms_of_ecs() {
        let task = HexId::from_bits(7);
        let ec2 = runtime(task, "web", false);
        assert!(ec2.len() == 64 && ec2.bytes().all(|b| b.is_ascii_hexdigit()), "{ec2}");
        let fargate = runtime(task, "web", true);
        let (id, digits) = fargate.split_once('-').unwrap();
        assert_eq!(id, task.to_string());
        assert!(digits.len() == 10 && digits.bytes().all(|b| b.is_ascii_digit()), "{digits}");
        let interface = interface(task, Ipv4Addr::new(10, 0, 0, 9), "eu-central-1", Timestamp::default());
        assert_eq!(interface.interface_id.len(), "eni-".len() + 17);
        assert_eq!(interface.private_dns_name, "ip-10-0-0-9.eu-central-1.compute.internal");
        assert_eq!(interface.mac.unwrap().len(), 17);
    }

    #[test]
    fn identifiers_differ_by_task_and_by_container() {
        let (one, other) = (HexId::from_bits(1), HexId::from_bits(2));
        assert_ne!(runtime(one, "web", false), runtime(other, "web", false));
        assert_ne!(runtime(one, "web", false), runtime(one, "log", false));
        assert_eq!(runtime(one, "web", false), runtime(one, "web", false));
    }

    #[test]
    fn an_image_named_by_its_digest_has_that_digest() {
        let digest = format!("sha256:{}", "0".repeat(64));
        assert_eq!(image_digest(&format!("nginx@{digest}")), digest);
        // The SHA-256 of the four letters, as `sha256sum` says too.
        assert_eq!(
            image_digest("test"),
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
        );
    }
}
