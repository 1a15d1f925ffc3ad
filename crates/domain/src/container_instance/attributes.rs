//! Custom attributes: their names and values, whose they are, and how many there may be.

use crate::arn::{Arn, ClusterKey, container_instance_ref};
use crate::generated as model;
use crate::name::HexId;
use crate::{EcsError, ErrorCode};

use super::ContainerInstance;

/// The most attributes in a call. (API reference, PutAttributes)
pub const MOST_IN_A_CALL: usize = 10;
/// The most custom attributes of a resource. (API reference, PutAttributes)
pub const MOST_OF_A_RESOURCE: usize = 10;
/// The longest name and the longest value. (API reference, Attribute)
const LONGEST: usize = 128;
/// Names that begin with these are set by ECS and its agent alone.
const RESERVED: [&str; 2] = ["ecs.", "com.amazonaws."];

fn refuse<T>(message: String) -> Result<T, EcsError> {
    Err(EcsError::invalid_parameter(message))
}

/// Checks that a name may be the name of an attribute.
///
/// # Errors
/// `InvalidParameterException` that shows it.
pub fn check_name(name: &str) -> Result<(), EcsError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_./\\".contains(c);
    if name.is_empty() || name.len() > LONGEST || !name.chars().all(legal) {
        return refuse(format!(
            "Attribute name '{name}' is invalid. It must have 1 to {LONGEST} characters: letters, numbers, hyphens, \
             underscores, periods, slashes and back slashes."
        ));
    }
    Ok(())
}

/// Checks that a value may be the value of an attribute.
///
/// # Errors
/// `InvalidParameterException` that shows it.
pub fn check_value(value: &str) -> Result<(), EcsError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_.@/\\: ".contains(c);
    let spaced = value.starts_with(' ') || value.ends_with(' ');
    if value.is_empty() || value.len() > LONGEST || spaced || !value.chars().all(legal) {
        return refuse(format!(
            "Attribute value '{value}' is invalid. It must have 1 to {LONGEST} characters: letters, numbers, hyphens, \
             underscores, periods, at signs, slashes, back slashes, colons and spaces, but no space at its ends."
        ));
    }
    Ok(())
}

/// Checks the attributes of a call, and tells whose each one is.
///
/// # Errors
/// `InvalidParameterException` for none or too many of them, for a name or a value that can't be, for a name that is
/// ECS's own, for a target that isn't named well enough, and for an attribute that is named twice.
pub fn check_call(cluster: &ClusterKey, given: &[model::Attribute]) -> Result<Vec<HexId>, EcsError> {
    if given.is_empty() {
        return refuse("attributes can not be empty.".to_owned());
    }
    if given.len() > MOST_IN_A_CALL {
        return refuse(format!("attributes can have at most {MOST_IN_A_CALL} items"));
    }
    let mut targets: Vec<HexId> = Vec::with_capacity(given.len());
    for attribute in given {
        check_name(&attribute.name)?;
        attribute.value.as_deref().map_or(Ok(()), check_value)?;
        if let Some(prefix) = RESERVED.iter().find(|prefix| attribute.name.starts_with(**prefix)) {
            return refuse(format!(
                "Attribute name '{}' is reserved: names that begin with '{prefix}' can't be set or deleted.",
                attribute.name
            ));
        }
        let target = target(cluster, attribute)?;
        let before = given.iter().zip(&targets);
        if before.into_iter().any(|(other, id)| *id == target && other.name == attribute.name) {
            return refuse(format!("Attribute '{}' is specified twice for one target.", attribute.name));
        }
        targets.push(target);
    }
    Ok(targets)
}

/// Whose attribute it is.
fn target(cluster: &ClusterKey, attribute: &model::Attribute) -> Result<HexId, EcsError> {
    let Some(id) = attribute.target_id.as_deref().filter(|id| !id.is_empty()) else {
        return refuse(format!("targetId of attribute '{}' can not be empty.", attribute.name));
    };
    if attribute.target_type.is_none() && Arn::parse(id).is_none() {
        return refuse(format!(
            "targetType of attribute '{}' must be given with a short targetId.",
            attribute.name
        ));
    }
    container_instance_ref(cluster, id)
}

/// `TargetNotFoundException`.
pub fn target_not_found() -> EcsError {
    EcsError::new(ErrorCode::TargetNotFound, "The specified target wasn't found.")
}

impl ContainerInstance {
    /// Sets custom attributes; one that is there already gets the new value.
    ///
    /// # Errors
    /// `AttributeLimitExceededException` when there would be too many.
    pub fn put_attributes<'a>(
        &mut self,
        given: impl IntoIterator<Item = &'a model::Attribute>,
    ) -> Result<(), EcsError> {
        let before = self.attributes.clone();
        for attribute in given {
            let kept = model::Attribute {
                name: attribute.name.clone(),
                value: attribute.value.clone(),
                ..Default::default()
            };
            match self.attributes.binary_search_by(|have| have.name.cmp(&kept.name)) {
                Ok(at) => self.attributes[at] = kept,
                Err(at) => self.attributes.insert(at, kept),
            }
        }
        if self.attributes.len() > MOST_OF_A_RESOURCE {
            return Err(EcsError::new(
                ErrorCode::AttributeLimitExceeded,
                format!("You can apply up to {MOST_OF_A_RESOURCE} custom attributes for each resource."),
            ));
        }
        if self.attributes != before {
            self.version += 1;
        }
        Ok(())
    }

    /// Removes a custom attribute, and returns it as it was.
    pub fn delete_attribute(&mut self, name: &str) -> Option<model::Attribute> {
        let at = self.attributes.iter().position(|attribute| attribute.name == name)?;
        self.version += 1;
        Some(self.attributes.remove(at))
    }
}

/// All attributes of an instance: its own, then the custom ones; a custom one hides an own one of the same name.
pub fn merged(own: Vec<model::Attribute>, custom: &[model::Attribute]) -> Vec<model::Attribute> {
    let hidden = |name: &str| custom.iter().any(|attribute| attribute.name == name);
    let mut all = own;
    all.retain(|attribute| !hidden(&attribute.name));
    all.extend(custom.iter().cloned());
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;
    use crate::arn::cluster_ref;
    use crate::model::TargetType;

    fn cluster() -> ClusterKey {
        cluster_ref(&Scope::new("123456789012", "eu-central-1"), Some("main")).unwrap()
    }

    fn attribute(name: &str, value: &str) -> model::Attribute {
        model::Attribute {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            target_type: Some(TargetType::ContainerInstance),
            target_id: Some("0123456789abcdef0123456789abcdef".to_owned()),
        }
    }

    #[test]
    fn names_and_values_have_their_letters_and_their_lengths() {
        for good in ["stack", "a.b/c\\d_e-f", &"a".repeat(128)] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", "a b", "a:b", "ä", &"a".repeat(129)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        for good in ["prod", "a b", "user@host:/x", "0"] {
            assert_eq!(check_value(good), Ok(()), "{good}");
        }
        for bad in ["", " a", "a ", "a,b", &"a".repeat(129)] {
            assert!(check_value(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_call_is_refused_for_its_first_fault() {
        let refused = |given: &[model::Attribute]| check_call(&cluster(), given).unwrap_err().message;
        assert_eq!(refused(&[]), "attributes can not be empty.");
        let many: Vec<_> = (0..11).map(|n| attribute(&format!("a{n}"), "v")).collect();
        assert_eq!(refused(&many), "attributes can have at most 10 items");
        assert!(refused(&[attribute("ecs.os-type", "x")]).contains("reserved"));
        assert!(refused(&[attribute("a", "x"), attribute("a", "y")]).contains("twice"));
        let nowhere = model::Attribute { target_id: None, ..attribute("a", "x") };
        assert!(refused(&[nowhere]).contains("targetId"));
        let untyped = model::Attribute { target_type: None, ..attribute("a", "x") };
        assert!(refused(&[untyped]).contains("targetType"));
        let by_arn = model::Attribute {
            target_type: None,
            target_id: Some(cluster().container_instance_arn(HexId::from_bits(7))),
            ..attribute("a", "x")
        };
        assert_eq!(check_call(&cluster(), &[by_arn]), Ok(vec![HexId::from_bits(7)]));
    }

    #[test]
    fn an_instance_has_ten_custom_attributes_at_most() {
        let mut instance = ContainerInstance::of_node(HexId::from_bits(1));
        let ten: Vec<_> = (0..10).map(|n| attribute(&format!("a{n}"), "v")).collect();
        instance.put_attributes(&ten).unwrap();
        instance.put_attributes(&[attribute("a3", "new")]).unwrap();
        assert_eq!(instance.attributes[3].value.as_deref(), Some("new"));
        let refused = instance.clone().put_attributes(&[attribute("b", "v")]).unwrap_err();
        assert_eq!(refused.code, ErrorCode::AttributeLimitExceeded);
        assert_eq!(instance.delete_attribute("a3").unwrap().value.as_deref(), Some("new"));
        assert_eq!(instance.delete_attribute("a3"), None);
        instance.put_attributes(&[attribute("b", "v")]).unwrap();
    }
}
