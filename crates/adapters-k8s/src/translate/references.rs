//! Things of AWS that a task definition refers to, as Kubernetes objects in the cluster's namespace. They are made by
//! people (or by an operator that syncs them) and only referred to here: kecs reads no secret and needs no right to.

use k8s_openapi::api::core::v1::{
    ConfigMapEnvSource, EnvFromSource, EnvVar, EnvVarSource, LocalObjectReference, SecretKeySelector,
};
use kecs_domain::model::{ContainerDefinition, EnvironmentFile, Secret};

use super::Notes;

/// The key of a Secret that holds a value as a whole.
const WHOLE: &str = "value";

/// The longest name of an object. (RFC 1123 subdomain)
const LONGEST: usize = 253;

/// A name as an object's: lower case, and a hyphen for what an object's name can't have.
fn object_name(text: &str) -> String {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
    let text: String =
        text.chars().map(|c| c.to_ascii_lowercase()).map(|c| if legal(c) { c } else { '-' }).collect();
    let text = text.trim_matches(['-', '.']);
    let text = &text[..text.len().min(LONGEST)];
    text.trim_end_matches(['-', '.']).to_owned()
}

/// Where a value is.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    secret: String,
    key: String,
    /// Whether a version or a stage was named too.
    versioned: bool,
}

/// `arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX[:KEY[:STAGE[:VERSION]]]`,
/// `arn:PARTITION:ssm:REGION:ACCOUNT:parameter/NAME`, or the name of a parameter.
fn place_of(value_from: &str) -> Place {
    let parts: Vec<&str> = value_from.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "secretsmanager", _, _, "secret", name, rest @ ..] => Place {
            secret: object_name(without_suffix(name)),
            key: rest.first().filter(|key| !key.is_empty()).map_or(WHOLE, |key| *key).to_owned(),
            versioned: rest.iter().skip(1).any(|part| !part.is_empty()),
        },
        ["arn", _, "ssm", _, _, name] => {
            let name = name.strip_prefix("parameter").unwrap_or(name);
            Place { secret: object_name(name), key: WHOLE.to_owned(), versioned: false }
        }
        _ => Place { secret: object_name(value_from), key: WHOLE.to_owned(), versioned: false },
    }
}

/// The name of a secret without the six characters that Secrets Manager puts behind it in an ARN. Where they are
/// missing, as they may be, the end of a name is taken for them only if it doesn't look like a word.
fn without_suffix(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((stem, suffix))
            if suffix.len() == 6
                && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && suffix.bytes().any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) =>
        {
            stem
        }
        _ => name,
    }
}

/// `secrets` as variables.
pub(super) fn secrets(definition: &ContainerDefinition, path: &str, notes: &mut Notes) -> Vec<EnvVar> {
    let all = definition.secrets.iter().flatten().enumerate();
    all.map(|(index, Secret { name, value_from })| {
        let place = place_of(value_from);
        if place.versioned {
            notes.add(
                format!("{path}.secrets[{index}].valueFrom"),
                "A Secret has no versions: its present value is taken.",
            );
        }
        let key = SecretKeySelector { name: place.secret, key: place.key, optional: None };
        let source = EnvVarSource { secret_key_ref: Some(key), ..EnvVarSource::default() };
        EnvVar { name: name.clone(), value: None, value_from: Some(source) }
    })
    .collect()
}

/// `environmentFiles` as ConfigMaps whose keys are variables. ECS lets the first file count that has a variable,
/// Kubernetes the last source.
pub(super) fn environment_files<'a>(files: impl Iterator<Item = &'a EnvironmentFile>) -> Vec<EnvFromSource> {
    let mut sources: Vec<_> = files
        .map(|file| {
            let parts: Vec<&str> = file.value.split(':').collect();
            // `arn:aws:s3:::BUCKET/PATH`
            let object = parts.get(5).copied().unwrap_or(&file.value);
            let source = ConfigMapEnvSource { name: object_name(object), optional: None };
            EnvFromSource { config_map_ref: Some(source), ..EnvFromSource::default() }
        })
        .collect();
    sources.reverse();
    sources
}

/// `repositoryCredentials` of all containers: a Pod's credentials are tried for each of its images.
pub(super) fn pull_secrets(containers: &[ContainerDefinition]) -> Option<Vec<LocalObjectReference>> {
    let mut all: Vec<LocalObjectReference> = Vec::new();
    for credentials in containers.iter().filter_map(|container| container.repository_credentials.as_ref()) {
        let one = LocalObjectReference { name: place_of(&credentials.credentials_parameter).secret };
        if !all.contains(&one) {
            all.push(one);
        }
    }
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_a_secret_and_a_key() {
        for (value_from, secret, key) in [
            ("arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-AbC123", "prod-db", "value"),
            (
                "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-AbC123:user::",
                "prod-db",
                "user",
            ),
            ("arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-passwd", "db-passwd", "value"),
            ("arn:aws:secretsmanager:eu-central-1:123456789012:secret:My_Secret", "my-secret", "value"),
            ("arn:aws:ssm:eu-central-1:123456789012:parameter/prod/db/url", "prod-db-url", "value"),
            ("arn:aws:ssm:eu-central-1:123456789012:parameter/url", "url", "value"),
            ("/prod/db/url", "prod-db-url", "value"),
            ("url", "url", "value"),
        ] {
            let place = place_of(value_from);
            assert_eq!((place.secret.as_str(), place.key.as_str()), (secret, key), "{value_from}");
            assert!(!place.versioned, "{value_from}");
        }
        assert!(place_of("arn:aws:secretsmanager:r:1:secret:s-AbC123:k:AWSPREVIOUS:").versioned);
        assert!(place_of("arn:aws:secretsmanager:r:1:secret:s-AbC123:k::7f1c").versioned);
    }

    #[test]
    fn a_name_is_legal() {
        assert_eq!(object_name("--A_b.c/D--"), "a-b.c-d");
        assert_eq!(object_name(&"ä".repeat(300)), "");
        assert_eq!(object_name(&"x".repeat(300)).len(), 253);
    }
}
