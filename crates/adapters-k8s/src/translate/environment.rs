//! The environment of a container: its own variables, then the overrides of the request, by name; behind them the values
//! that stand elsewhere.

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar};
use kecs_domain::model::{ContainerDefinition, ContainerOverride, KeyValuePair};

use super::{Notes, references};

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
    // A name may stand once only: a value that is written out comes before one that is looked up.
    for secret in references::secrets(definition, path, notes) {
        if !variables.iter().any(|variable| variable.name == secret.name) {
            variables.push(secret);
        }
    }
    (!variables.is_empty()).then_some(variables)
}

/// Variables from files. Those of `environment` come before them, in ECS and in Kubernetes alike.
pub(super) fn files_of_container(
    definition: &ContainerDefinition,
    overridden: Option<&ContainerOverride>,
) -> Vec<EnvFromSource> {
    let of_request = overridden.and_then(|o| o.environment_files.as_ref()).filter(|files| !files.is_empty());
    let files = of_request.or(definition.environment_files.as_ref());
    references::environment_files(files.into_iter().flatten())
}
