//! ECS definitions as Kubernetes manifests, for people who move. Pure: text in, text out.
//!
//! Containers are made by the very converter that makes the Pods of tasks ([`crate::translate`]). What a Pod of kecs
//! has for kecs's sake (its finalizer, its marks) is left out, and what ECS's scheduler does is written as Kubernetes'
//! own controllers do it. What they don't do is a comment: nothing is dropped in silence.

mod error;
mod expose;
mod member;
mod placement;
mod read;
mod rollout;
mod service;
mod template;
mod write;

use std::collections::BTreeMap;

use kube::api::ObjectMeta;
use serde::Serialize;
use serde_json::Value;

use crate::translate::Note;
pub use error::ConvertError;
use read::{Definition, Documents, Service};

/// A text with definitions: JSON or YAML.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What messages call it: the file's name.
    pub name: &'a str,
    /// What is in it.
    pub text: &'a str,
}

/// How manifests are written.
#[derive(Clone, Debug, Default)]
pub struct ConvertOptions {
    /// The namespace that they name; without one, whoever applies them chooses.
    pub namespace: Option<String>,
}

/// The manifests of one definition.
#[derive(Clone, Debug)]
pub struct Conversion {
    /// What was converted: `the service web, of the task definition web-service`.
    pub of: String,
    /// The objects, each as Kubernetes reads it.
    pub objects: Vec<Value>,
    /// What they don't express.
    pub notes: Vec<Note>,
}

/// Converts all definitions of the sources, and writes the manifests as YAML with comments.
///
/// # Errors
/// When a source can't be read, a definition is refused, or a service lacks its task definition.
pub fn convert(sources: &[Source<'_>], options: &ConvertOptions) -> Result<String, ConvertError> {
    write::yaml(&conversions(sources, options)?)
}

/// Converts all definitions of the sources. A service takes the task definition that it names; a task definition that
/// no service takes becomes a Pod.
///
/// # Errors
/// As [`convert`].
pub fn conversions(
    sources: &[Source<'_>],
    options: &ConvertOptions,
) -> Result<Vec<Conversion>, ConvertError> {
    let documents = Documents::read(sources)?;
    let mut made = Vec::new();
    let mut taken = vec![false; documents.definitions.len()];
    let mut names = Names::default();
    for service in &documents.services {
        let index = definition_of(service, &documents.definitions)?;
        taken[index] = true;
        let definition = &documents.definitions[index];
        let name = names.take("a workload", &service.place, &service.request.service_name)?;
        made.push(service::convert(service, definition, &name, options)?);
    }
    for (definition, _) in documents.definitions.iter().zip(&taken).filter(|(_, taken)| !**taken) {
        let family = definition.doc.family.as_deref().unwrap_or_default();
        let name = names.take("a Pod", &definition.place, family)?;
        made.push(template::pod(definition, &name, options)?);
    }
    Ok(made)
}

/// Where the task definition of a service is among `all`.
fn definition_of(service: &Service, all: &[Definition]) -> Result<usize, ConvertError> {
    let missing = |what: String| ConvertError::Member {
        place: service.place.clone(),
        member: "taskDefinition".to_owned(),
        what,
    };
    let Some(wanted) = &service.request.task_definition else {
        return match all.len() {
            1 => Ok(0),
            _ => Err(missing("the service names no task definition, and there isn't exactly one".to_owned())),
        };
    };
    // `family`, `family:revision`, or an ARN that ends in either.
    let wanted = wanted.rsplit('/').next().unwrap_or(wanted);
    let (family, revision) = match wanted.rsplit_once(':') {
        Some((family, revision)) => (family, revision.parse::<i32>().ok()),
        None => (wanted, None),
    };
    let of_family = || all.iter().enumerate().filter(|(_, it)| it.doc.family.as_deref() == Some(family));
    let fits =
        |it: &Definition| revision.is_none() || it.doc.revision.is_none() || it.doc.revision == revision;
    // Without a revision ECS takes the newest.
    if let Some((index, _)) = of_family().filter(|(_, it)| fits(it)).max_by_key(|(_, it)| it.doc.revision) {
        return Ok(index);
    }
    let others: Vec<_> = of_family().filter_map(|(_, it)| it.doc.revision).map(|it| it.to_string()).collect();
    Err(missing(if others.is_empty() {
        format!("there is no task definition of the family {family:?} here: add its file")
    } else {
        format!("{wanted} is not here, only revision {} of it is", others.join(", "))
    }))
}

/// The names that were given, so that no two definitions get the same.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    /// The Kubernetes name of what is called `name` in ECS.
    fn take(&mut self, what: &str, place: &str, name: &str) -> Result<String, ConvertError> {
        let legal = crate::names::object_name(name);
        match self.0.insert(legal.clone(), name.to_owned()) {
            None => Ok(legal),
            Some(other) => Err(ConvertError::Refused {
                place: place.to_owned(),
                message: format!("{name:?} and {other:?} would both become {what} called {legal:?}"),
            }),
        }
    }
}

/// The label that selects the Pods of a workload.
fn selector(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("app.kubernetes.io/name".to_owned(), name.to_owned())])
}

/// The metadata of an object.
fn metadata(name: &str, labels: BTreeMap<String, String>, options: &ConvertOptions) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: options.namespace.clone(),
        labels: Some(labels),
        ..ObjectMeta::default()
    }
}

/// An object as Kubernetes reads it.
fn object(place: &str, object: &impl Serialize) -> Result<Value, ConvertError> {
    serde_json::to_value(object).map_err(|error| ConvertError::Refused {
        place: place.to_owned(),
        message: format!("the manifest can't be written: {error}"),
    })
}
