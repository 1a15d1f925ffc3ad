//! Names of Kubernetes objects: legal and free of collisions for every legal ECS name.

use std::fmt::Write as _;

use kecs_domain::arn::{ClusterKey, TaskKey};
use sha2::{Digest, Sha256};

/// The longest name of a namespace or a Pod's host name. (RFC 1123 label)
const LONGEST: usize = 63;

/// The installation of those who give it no name.
pub(crate) const DEFAULT_INSTALLATION: &str = "kecs";
/// How much of an installation's name its namespaces show.
const LONGEST_INSTALLATION: usize = 20;

/// Lower-case letters, digits and hyphens of `name`, at most `most`, not ending or beginning with a hyphen.
fn slug(name: &str, most: usize) -> String {
    let mut text: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .skip_while(|c| *c == '-')
        .take(most)
        .collect();
    text.truncate(text.trim_end_matches('-').len());
    text
}

/// The first hexadecimal digits of a hash over `parts`, which can't run into each other.
pub(crate) fn digest(parts: &[&str], digits: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a String can't fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex.truncate(digits);
    hex
}

/// The namespace of a cluster: readable, and different for every account, region, name and installation. An
/// installation of its own name shows it, so that a person sees whose namespace it is.
pub fn namespace_name(installation: &str, cluster: &ClusterKey) -> String {
    let scope = &cluster.scope;
    let hash = digest(&[installation, scope.account(), scope.region(), cluster.name.as_str()], 10);
    let mut name = "kecs".to_owned();
    let mut add = |part: &str, most: usize| {
        let part = slug(part, most);
        if !part.is_empty() {
            name.push('-');
            name.push_str(&part);
        }
    };
    if installation != DEFAULT_INSTALLATION {
        add(installation, LONGEST_INSTALLATION);
    }
    let taken = "kecs-".len() + LONGEST_INSTALLATION + "-".len() + "-".len() + hash.len();
    add(cluster.name.as_str(), LONGEST - taken);
    add(&hash, hash.len());
    name
}

/// The name of an object that isn't a task's: readable, and a legal one for everything. (RFC 1035 label: a Service's
/// name may not begin with a digit)
pub(crate) fn object_name(name: &str) -> String {
    let readable = slug(name, LONGEST);
    match readable.chars().next() {
        None => "task".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("ecs-{}", slug(name, LONGEST - 4)),
        Some(_) => readable,
    }
}

/// Whether this is a legal label. (Kubernetes documentation, Labels: syntax and character set)
pub(crate) fn is_label(key: &str, value: &str) -> bool {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let legal = |text: &str| {
        text.len() <= LONGEST
            && edge(text.chars().next())
            && edge(text.chars().next_back())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let domain = |text: &str| {
        text.len() <= 253
            && text.split('.').all(|part| {
                legal(part) && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            })
    };
    legal(name) && prefix.is_none_or(domain) && (value.is_empty() || legal(value))
}

/// The Pod of a task: `STEM-ID`, where the stem is the service's name or the family's.
pub fn pod_name(stem: &str, task: &TaskKey) -> String {
    let id = task.id.to_string();
    let readable = slug(stem, LONGEST - 1 - id.len());
    if readable.is_empty() { format!("task-{id}") } else { format!("{readable}-{id}") }
}

/// A name within a Pod (a container, a volume): the text itself where it is a legal one, else its beginning and a hash.
/// ECS's names may have capitals and underscores.
pub fn dns_label(text: &str) -> String {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.len() <= LONGEST && text.bytes().all(legal) && !text.starts_with('-') && !text.ends_with('-') {
        return text.to_owned();
    }
    let hash = digest(&[text], 10);
    let readable = slug(text, LONGEST - 1 - hash.len());
    if readable.is_empty() { hash } else { format!("{readable}-{hash}") }
}

/// A label's value: the text itself where it is a legal one, else its beginning and a hash.
pub(crate) fn label_value(text: &str) -> String {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let ends_well = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    if text.len() <= LONGEST
        && text.chars().all(legal)
        && ends_well(text.chars().next())
        && ends_well(text.chars().next_back())
    {
        return text.to_owned();
    }
    let hash = digest(&[text], 10);
    let readable = slug(text, LONGEST - 1 - hash.len());
    if readable.is_empty() { hash } else { format!("{readable}-{hash}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kecs_domain::Scope;
    use kecs_domain::name::{ClusterName, TaskId};

    fn cluster(account: &str, name: &str) -> ClusterKey {
        ClusterKey::new(Scope::new(account, "eu-central-1"), ClusterName::parse(name).unwrap())
    }

    fn is_legal(name: &str) -> bool {
        name.len() <= LONGEST
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !name.starts_with('-')
            && !name.ends_with('-')
    }

    #[test]
    fn every_cluster_has_a_legal_namespace_of_its_own() {
        let long = "a".repeat(255);
        let names =
            ["main", "Main", "ma_in", "ma-in", "_", "-", "--x--", &long, &format!("{}b", &long[..254])];
        let mut seen = std::collections::BTreeSet::new();
        for account in ["111111111111", "222222222222"] {
            for installation in ["kecs", "other"] {
                for name in names {
                    let namespace = namespace_name(installation, &cluster(account, name));
                    assert!(is_legal(&namespace), "{namespace}");
                    assert!(seen.insert(namespace.clone()), "{namespace} twice");
                }
            }
        }
    }

    #[test]
    fn a_namespace_shows_an_installation_that_has_a_name_of_its_own() {
        let cluster = cluster("111111111111", "main");
        assert!(namespace_name("kecs", &cluster).starts_with("kecs-main-"));
        assert!(namespace_name("team-b", &cluster).starts_with("kecs-team-b-main-"));
        let long = namespace_name(&"i".repeat(40), &cluster);
        assert!(long.starts_with(&format!("kecs-{}-main-", "i".repeat(20))), "{long}");
    }

    #[test]
    fn a_pod_is_named_after_its_family_and_its_task() {
        let key = TaskKey { cluster: cluster("111111111111", "main"), id: TaskId::from_bits(7) };
        assert_eq!(pod_name("Web_App", &key), format!("web-app-{:032x}", 7));
        for stem in ["", "___", &"x".repeat(255)] {
            assert!(is_legal(&pod_name(stem, &key)));
        }
    }

    #[test]
    fn a_label_keeps_its_text_where_it_can() {
        assert_eq!(label_value("web_app.v1"), "web_app.v1");
        for text in ["-web-", "_", &"x".repeat(255), "ä"] {
            let value = label_value(text);
            assert!(is_legal(&value), "{value}");
        }
        assert_ne!(label_value("-web-"), label_value("_web_"));
        assert_eq!(dns_label("web-1"), "web-1");
        for text in ["Web", "web_1", "-web", &"x".repeat(255)] {
            assert!(is_legal(&dns_label(text)), "{text}");
        }
        assert_ne!(dns_label("Web"), dns_label("web"));
    }
}
