//! Tags: their limits, the reserved prefix, merging, and the tags that ECS sets itself.
//!
//! Deliberately not in here: which resources can be tagged and in which of their states. That's the use cases'.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::error::EcsError;
use crate::generated::Tag;
use crate::name::{ClusterName, ServiceName};
use crate::validate::check::anchored;

/// The most tags that a resource can have, without those of AWS itself. (ECS service quota)
pub const MOST_TAGS: usize = 50;

/// The longest key, in characters. (API model)
const LONGEST_KEY: usize = 128;
/// The longest value, in characters. (API model)
const LONGEST_VALUE: usize = 256;

/// The tag with the cluster's name, on the tasks of services and requests with `enableECSManagedTags`.
pub const CLUSTER_NAME: &str = "aws:ecs:clusterName";
/// The tag with the service's name, on the tasks of a service with `enableECSManagedTags`.
pub const SERVICE_NAME: &str = "aws:ecs:serviceName";

/// What keys and values consist of. (`TagKey` and `TagValue` of the model)
static LEGAL: LazyLock<Regex> = LazyLock::new(|| anchored(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"));

/// Sets `tag` in `tags`: a key that is there already gets the new value at its old place.
pub fn set(tags: &mut Vec<Tag>, tag: Tag) {
    match tags.iter_mut().find(|have| have.key == tag.key) {
        Some(have) => have.value = tag.value,
        None => tags.push(tag),
    }
}

/// Checks the tags of one request and gives them back as they are kept.
///
/// # Errors
/// `InvalidParameterException` for a tag without key or value, for illegal characters, for the reserved prefix,
/// for one that is too long, for a key that is there twice and for more than [`MOST_TAGS`].
pub fn check(tags: &[Tag]) -> Result<Vec<Tag>, EcsError> {
    let mut keys = BTreeSet::new();
    for (index, tag) in tags.iter().enumerate() {
        let key = tag.key.as_deref().filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| EcsError::invalid_parameter("Tag key can not be null or empty."))?;
        let value = tag.value.as_deref();
        let value = value.ok_or_else(|| EcsError::invalid_parameter("Tag value can not be null."))?;
        if !LEGAL.is_match(key) || !LEGAL.is_match(value) {
            return Err(EcsError::invalid_parameter(
                "Some tags contain invalid characters. Valid characters: UTF-8 letters, spaces, numbers and _ . / = + - : @.",
            ));
        }
        check_length(key, LONGEST_KEY, index, "key")?;
        check_length(value, LONGEST_VALUE, index, "value")?;
        check_key(key)?;
        if is_reserved(value) {
            return Err(EcsError::invalid_parameter(
                "aws: prefixed tag values are not allowed for external use.",
            ));
        }
        if !keys.insert(key) {
            return Err(EcsError::invalid_parameter(format!("Duplicate tag key '{key}' in the request.")));
        }
    }
    check_count(tags)?;
    Ok(tags.to_vec())
}

/// Checks a key that is to be set or removed.
///
/// # Errors
/// `InvalidParameterException` for the reserved prefix: its tags can be neither set nor removed.
pub fn check_key(key: &str) -> Result<(), EcsError> {
    if is_reserved(key) {
        return Err(EcsError::invalid_parameter(
            "aws: prefixed tag key names are not allowed for external use.",
        ));
    }
    Ok(())
}

/// The tags of a resource that has `have` and gets `given`, which [`check`] has passed.
///
/// # Errors
/// `InvalidParameterException` when there would be more than [`MOST_TAGS`].
pub fn merge(have: &[Tag], given: &[Tag]) -> Result<Vec<Tag>, EcsError> {
    let mut tags = have.to_vec();
    for tag in given {
        set(&mut tags, tag.clone());
    }
    check_count(&tags)?;
    Ok(tags)
}

/// The tags of a task or service that has its `own` and inherits those `from` a task definition or a service:
/// for a key that both have, its own one stays. (`propagateTags`)
pub fn inherit(mut own: Vec<Tag>, from: &[Tag]) -> Vec<Tag> {
    for tag in from {
        if own.iter().all(|have| have.key != tag.key) {
            own.push(tag.clone());
        }
    }
    own
}

/// Adds the tags that ECS sets itself with `enableECSManagedTags`. They don't count towards [`MOST_TAGS`].
pub fn add_managed(tags: &mut Vec<Tag>, cluster: &ClusterName, service: Option<&ServiceName>) {
    set(tags, tag(CLUSTER_NAME, cluster.as_str()));
    if let Some(service) = service {
        set(tags, tag(SERVICE_NAME, service.as_str()));
    }
}

/// A tag.
pub fn tag(key: &str, value: &str) -> Tag {
    Tag { key: Some(key.to_owned()), value: Some(value.to_owned()) }
}

/// Whether a key or a value begins with `aws:`, in whatever case: reserved for AWS itself.
fn is_reserved(text: &str) -> bool {
    text.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
}

fn check_length(text: &str, longest: usize, index: usize, part: &str) -> Result<(), EcsError> {
    if text.chars().count() > longest {
        let message = format!("tags[{index}].{part} must have a length of at most {longest}");
        return Err(EcsError::invalid_parameter(message));
    }
    Ok(())
}

fn check_count(tags: &[Tag]) -> Result<(), EcsError> {
    let counted = tags.iter().filter(|tag| !tag.key.as_deref().is_some_and(is_reserved)).count();
    if counted > MOST_TAGS {
        return Err(EcsError::invalid_parameter(format!("tags can have at most {MOST_TAGS} items")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(tags: &[Tag]) -> String {
        let error = check(tags).unwrap_err();
        assert_eq!(error.code, crate::ErrorCode::InvalidParameter);
        error.message
    }

    fn numbered(count: usize) -> Vec<Tag> {
        (0..count).map(|n| tag(&n.to_string(), "")).collect()
    }

    #[test]
    fn a_tag_needs_a_key_and_a_value_which_may_be_empty() {
        assert_eq!(check(&[tag("team", "")]), Ok(vec![tag("team", "")]));
        let no_value = Tag { key: Some("team".into()), value: None };
        assert_eq!(refused(&[no_value]), "Tag value can not be null.");
        for key in [None, Some(String::new())] {
            assert_eq!(refused(&[Tag { key, value: Some("x".into()) }]), "Tag key can not be null or empty.");
        }
    }

    #[test]
    fn letters_of_every_script_pass_and_other_characters_do_not() {
        assert!(check(&[tag("größe / 大きさ", "a_b.c:d/e=f+g-h@i")]).is_ok());
        for (key, value) in [("a", "x[y]"), ("a\n", "x"), ("a;b", "x")] {
            let expected = "Some tags contain invalid characters. Valid characters: UTF-8 letters, spaces, numbers and _ . / = + - : @.";
            assert_eq!(refused(&[tag(key, value)]), expected);
        }
    }

    #[test]
    fn keys_have_at_most_128_characters_and_values_256() {
        assert!(check(&[tag(&"ä".repeat(128), &"ä".repeat(256))]).is_ok());
        let (ok, long_key, long_value) =
            (tag("a", ""), tag(&"a".repeat(129), ""), tag("b", &"a".repeat(257)));
        assert_eq!(refused(&[long_key]), "tags[0].key must have a length of at most 128");
        assert_eq!(refused(&[ok, long_value]), "tags[1].value must have a length of at most 256");
    }

    #[test]
    fn the_prefix_aws_is_reserved_in_every_spelling() {
        for key in ["aws:x", "AWS:x", "aWs:"] {
            assert_eq!(
                refused(&[tag(key, "x")]),
                "aws: prefixed tag key names are not allowed for external use."
            );
            assert!(check_key(key).is_err());
        }
        assert_eq!(
            refused(&[tag("x", "aws:y")]),
            "aws: prefixed tag values are not allowed for external use."
        );
        assert!(check(&[tag("awsx", "laws:"), tag("äws:", "x")]).is_ok());
    }

    #[test]
    fn a_key_is_there_once() {
        assert_eq!(
            refused(&[tag("a", "1"), tag("b", ""), tag("a", "1")]),
            "Duplicate tag key 'a' in the request."
        );
        assert!(check(&[tag("a", "1"), tag("A", "1")]).is_ok(), "keys are case-sensitive");
    }

    #[test]
    fn fifty_tags_are_the_most_in_a_request_and_on_a_resource() {
        assert!(check(&numbered(50)).is_ok());
        assert_eq!(refused(&numbered(51)), "tags can have at most 50 items");
        let full = numbered(50);
        assert!(merge(&full, &[tag("new", "")]).is_err());
        assert_eq!(merge(&full, &[tag("7", "new")]).unwrap()[7], tag("7", "new"));
    }

    #[test]
    fn the_tags_of_ecs_itself_do_not_count() {
        let mut tags = numbered(50);
        add_managed(&mut tags, &ClusterName::parse("main").unwrap(), ServiceName::parse("web").as_ref());
        assert_eq!(tags[50..], [tag(CLUSTER_NAME, "main"), tag(SERVICE_NAME, "web")]);
        assert!(merge(&tags, &[tag("7", "new")]).is_ok());
        let mut alone = Vec::new();
        add_managed(&mut alone, &ClusterName::parse("main").unwrap(), None);
        assert_eq!(alone, [tag("aws:ecs:clusterName", "main")]);
    }

    #[test]
    fn what_is_inherited_does_not_replace_what_is_there() {
        let own = vec![tag("a", "own"), tag("b", "own")];
        let tags = inherit(own, &[tag("b", "inherited"), tag("c", "inherited")]);
        assert_eq!(tags, [tag("a", "own"), tag("b", "own"), tag("c", "inherited")]);
    }
}
