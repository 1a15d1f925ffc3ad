//! What an instance has and has left, in the API's words.

use std::collections::BTreeSet;

use crate::EcsError;
use crate::generated::Resource;
use crate::placement::Amounts;

/// A number of something. ECS shows the other kinds of numbers as zeros. (recorded)
fn integer(name: &str, value: i64) -> Resource {
    Resource {
        name: Some(name.to_owned()),
        r#type: Some("INTEGER".to_owned()),
        double_value: Some(0.0),
        long_value: Some(0),
        integer_value: Some(i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX })),
        string_set_value: None,
    }
}

fn string_set(name: &str, values: Vec<String>) -> Resource {
    Resource {
        name: Some(name.to_owned()),
        r#type: Some("STRINGSET".to_owned()),
        double_value: Some(0.0),
        long_value: Some(0),
        integer_value: Some(0),
        string_set_value: Some(values),
    }
}

/// The resources of a node.
pub fn of_node(amounts: &Amounts) -> Vec<Resource> {
    let ports: BTreeSet<u16> = amounts.ports.iter().copied().collect();
    vec![
        integer("CPU", amounts.cpu),
        integer("MEMORY", amounts.memory),
        string_set("PORTS", ports.iter().map(ToString::to_string).collect()),
        string_set("PORTS_UDP", Vec::new()),
    ]
}

fn named<'a>(resources: &'a [Resource], name: &str) -> Option<&'a Resource> {
    resources.iter().find(|resource| resource.name.as_deref() == Some(name))
}

fn number(resource: &Resource) -> i64 {
    match resource.r#type.as_deref() {
        Some("LONG") => resource.long_value.unwrap_or(0),
        #[allow(
            clippy::cast_possible_truncation,
            reason = "a fraction of a unit is nothing that can be given"
        )]
        Some("DOUBLE") => resource.double_value.unwrap_or(0.0) as i64,
        _ => resource.integer_value.map_or(0, i64::from),
    }
}

/// What placement needs of the resources that an agent told.
pub fn amounts(resources: &[Resource]) -> Amounts {
    let of = |name| named(resources, name).map_or(0, number);
    let ports = named(resources, "PORTS").and_then(|ports| ports.string_set_value.as_ref());
    Amounts {
        cpu: of("CPU"),
        memory: of("MEMORY"),
        ports: ports.into_iter().flatten().filter_map(|port| port.parse().ok()).collect(),
    }
}

/// What is left of an agent's resources when its tasks take `taken`.
pub fn remaining(registered: &[Resource], taken: &Amounts) -> Vec<Resource> {
    let left = |resource: &Resource, by: i64| Resource {
        r#type: Some("INTEGER".to_owned()),
        long_value: Some(0),
        double_value: Some(0.0),
        ..integer(resource.name.as_deref().unwrap_or_default(), number(resource) - by)
    };
    registered
        .iter()
        .map(|resource| match resource.name.as_deref() {
            Some("CPU") => left(resource, taken.cpu),
            Some("MEMORY") => left(resource, taken.memory),
            Some("PORTS") => {
                let mut ports = resource.string_set_value.clone().unwrap_or_default();
                ports.extend(taken.ports.iter().map(ToString::to_string));
                string_set("PORTS", ports)
            }
            _ => resource.clone(),
        })
        .collect()
}

/// Checks what an agent says it has, and gives it back as ECS shows it.
///
/// # Errors
/// `InvalidParameterException` for a resource without a name, twice, of a type that isn't one, or without a value of
/// its type; for a negative amount, and for what is no port.
pub(super) fn check(given: &[Resource]) -> Result<Vec<Resource>, EcsError> {
    let refuse = |message: String| Err(EcsError::invalid_parameter(message));
    let mut names = BTreeSet::new();
    let mut checked = Vec::with_capacity(given.len());
    for resource in given {
        let Some(name) = resource.name.as_deref().filter(|name| !name.is_empty()) else {
            return refuse("totalResources.name can not be empty.".to_owned());
        };
        if !names.insert(name) {
            return refuse(format!("Resource '{name}' is specified twice in totalResources."));
        }
        let kind = resource.r#type.as_deref().unwrap_or_default();
        let present = match kind {
            "INTEGER" => resource.integer_value.is_some(),
            "LONG" => resource.long_value.is_some(),
            "DOUBLE" => resource.double_value.is_some(),
            "STRINGSET" => resource.string_set_value.is_some(),
            _ => {
                return refuse(format!(
                    "Resource '{name}': type should be one of [INTEGER,DOUBLE,LONG,STRINGSET]"
                ));
            }
        };
        let of_strings = matches!(name, "PORTS" | "PORTS_UDP");
        if !present || (kind != "STRINGSET" && number(resource) < 0) {
            return refuse(format!("Resource '{name}' has no valid value of type {kind}."));
        }
        if of_strings != (kind == "STRINGSET") && matches!(name, "CPU" | "MEMORY" | "PORTS" | "PORTS_UDP") {
            return refuse(format!("Resource '{name}' can not be of type {kind}."));
        }
        let ports = resource.string_set_value.iter().flatten().filter(|_| of_strings);
        if let Some(bad) = ports.into_iter().find(|port| port.parse::<u16>().is_err()) {
            return refuse(format!("Resource '{name}': '{bad}' is no port."));
        }
        checked.push(Resource {
            double_value: resource.double_value.or(Some(0.0)),
            long_value: resource.long_value.or(Some(0)),
            integer_value: resource.integer_value.or(Some(0)),
            ..resource.clone()
        });
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tasks_take_is_missing_from_what_is_left() {
        let have = Amounts { cpu: 2048, memory: 4096, ports: vec![51678, 22] };
        let registered = of_node(&have);
        assert_eq!(amounts(&registered), Amounts { ports: vec![22, 51678], ..have });
        let left = amounts(&remaining(&registered, &Amounts { cpu: 256, memory: 512, ports: vec![80] }));
        assert_eq!(left, Amounts { cpu: 1792, memory: 3584, ports: vec![22, 51678, 80] });
    }

    #[test]
    fn a_resource_needs_a_name_a_type_and_a_value() {
        assert!(check(&of_node(&Amounts::default())).is_ok());
        let cpu = integer("CPU", 1);
        for bad in [
            Resource { name: None, ..cpu.clone() },
            Resource { r#type: Some("FLOAT".to_owned()), ..cpu.clone() },
            Resource { integer_value: None, ..cpu.clone() },
            Resource { integer_value: Some(-1), ..cpu.clone() },
            string_set("CPU", vec![]),
            string_set("PORTS", vec!["http".to_owned()]),
        ] {
            assert!(check(std::slice::from_ref(&bad)).is_err(), "{bad:?}");
        }
        assert!(check(&[cpu.clone(), cpu]).is_err(), "twice");
    }
}
