//! Reads a document into a type of the API, strictly: a wrong type and a member that doesn't exist are told with their
//! paths. The types themselves ignore members that they don't know.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::ConvertError;

/// Reads a value, and tells which members of it were not read.
pub(super) fn read<T: DeserializeOwned + Serialize>(
    place: &str,
    value: Value,
) -> Result<(T, Vec<String>), ConvertError> {
    let given = value.clone();
    let read: T = serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        ConvertError::Member {
            place: place.to_owned(),
            // The path of the document itself is a dot.
            member: if path == "." { "the document".to_owned() } else { path },
            what: error.inner().to_string(),
        }
    })?;
    let known = serde_json::to_value(&read)
        .map_err(|error| ConvertError::Refused { place: place.to_owned(), message: error.to_string() })?;
    let mut unknown = Vec::new();
    compare("", &given, &known, &mut unknown);
    Ok((read, unknown))
}

/// Collects the paths of what is in `given` and not in `known`. `null` is as good as absent.
fn compare(path: &str, given: &Value, known: &Value, unknown: &mut Vec<String>) {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match known.get(name) {
                    Some(known) => compare(&path, value, known, unknown),
                    None => unknown.push(path),
                }
            }
        }
        (Value::Array(given), Value::Array(known)) => {
            for (index, (given, known)) in given.iter().zip(known).enumerate() {
                compare(&format!("{path}[{index}]"), given, known, unknown);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use kecs_domain::model::RegisterTaskDefinitionRequest;
    use serde_json::json;

    use super::*;

    fn read_definition(value: Value) -> Result<Vec<String>, String> {
        read::<RegisterTaskDefinitionRequest>("web.json", value)
            .map(|(_, unknown)| unknown)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_wrong_type_is_told_with_its_path() {
        let wrong = json!({"family": "web", "containerDefinitions": [
            {"name": "app", "image": "nginx", "portMappings": [{"containerPort": "eighty"}]}
        ]});
        let error = read_definition(wrong).unwrap_err();
        assert!(
            error.starts_with("web.json: containerDefinitions[0].portMappings[0].containerPort: "),
            "{error}"
        );
    }

    #[test]
    fn members_that_do_not_exist_are_found_wherever_they_are() {
        let odd = json!({"family": "web", "famly": "x", "pidMode": null, "containerDefinitions": [
            {"name": "app", "image": "nginx", "imgae": "nginx", "dockerLabels": {"any": "thing"},
             "healthCheck": {"command": ["CMD", "true"], "intervall": 5}}
        ]});
        assert_eq!(
            read_definition(odd).unwrap(),
            ["containerDefinitions[0].healthCheck.intervall", "containerDefinitions[0].imgae", "famly"]
        );
    }
}
