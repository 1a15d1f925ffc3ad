//! The environment of a container: its own variables, then the overrides of the request, by name.

use k8s_openapi::api::core::v1::EnvVar;
use kecs_domain::model::{ContainerDefinition, ContainerOverride, KeyValuePair};

use super::Notes;

/// The text as it is: Kubernetes would replace `$(NAME)` by a variable's value and `$$` by `$`. ECS replaces nothing.
pub(super) fn literal(text: &str) -> String {
    if text.contains("$(") || text.contains("$$") { text.replace('$', "$$") } else { text.to_owned() }
}

/// The variables of a container. Where the request overrides one, its value counts and the place stays.
pub(super) fn of_container(
    definition: &ContainerDefinition,
    overridden: Option<&ContainerOverride>,
    path: &str,
    notes: &mut Notes,
) -> Option<Vec<EnvVar>> {
    let mut variables: Vec<EnvVar> = Vec::new();
    let own = definition.environment.iter().flatten();
    let of_request = overridden.and_then(|o| o.environment.as_ref()).into_iter().flatten();
    for KeyValuePair { name, value } in own.chain(of_request) {
        let Some(name) = name else { continue };
        match variables.iter_mut().find(|variable| variable.name == *name) {
            Some(variable) => variable.value = value.as_deref().map(literal),
            None => {
                let value = value.as_deref().map(literal);
                variables.push(EnvVar { name: name.clone(), value, value_from: None });
            }
        }
    }
    notes.unless_empty(
        definition.secrets.as_ref(),
        format!("{path}.secrets"),
        "Values from Secrets Manager and Parameter Store are not fetched: the container starts without them.",
    );
    notes.unless_empty(
        definition.environment_files.as_ref(),
        format!("{path}.environmentFiles"),
        "Files in S3 are not fetched: the container starts without these variables.",
    );
    (!variables.is_empty()).then_some(variables)
}
