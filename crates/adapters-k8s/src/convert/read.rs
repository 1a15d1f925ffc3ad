//! What is in the sources: task definitions and services, as they are sent to ECS or as ECS describes them.

use kecs_domain::model::{self, CreateServiceRequest, RegisterTaskDefinitionRequest, Tag};
use kecs_domain::task_definition::Registration;
use serde_json::{Map, Value};

use super::{ConvertError, Source, member};
use crate::translate::Note;

/// A task definition.
pub(super) struct Definition {
    /// Where it was found, for messages.
    pub(super) place: String,
    /// With ECS's defaults.
    pub(super) doc: model::TaskDefinition,
    pub(super) tags: Vec<Tag>,
    /// Members that weren't understood.
    pub(super) notes: Vec<Note>,
}

/// A service.
pub(super) struct Service {
    /// Where it was found, for messages.
    pub(super) place: String,
    pub(super) request: CreateServiceRequest,
    /// Members that weren't understood.
    pub(super) notes: Vec<Note>,
}

/// Everything that was found, in its order.
#[derive(Default)]
pub(super) struct Documents {
    pub(super) definitions: Vec<Definition>,
    pub(super) services: Vec<Service>,
}

/// What ECS tells of a service beyond what it is asked for. Times are written differently by every tool.
const OF_SERVICES: [&str; 13] = [
    "serviceArn",
    "status",
    "runningCount",
    "pendingCount",
    "platformFamily",
    "taskSets",
    "deployments",
    "events",
    "createdAt",
    "createdBy",
    "currentServiceDeployment",
    "currentServiceRevisions",
    "resourceManagementType",
];
/// The same of a task definition: only the times, all else can be read.
const OF_DEFINITIONS: [&str; 3] = ["registeredAt", "deregisteredAt", "deleteRequestedAt"];
/// What a service's primary deployment tells in its stead.
const OF_DEPLOYMENTS: [&str; 3] =
    ["serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"];

impl Documents {
    pub(super) fn read(sources: &[Source<'_>]) -> Result<Self, ConvertError> {
        let mut all = Self::default();
        for source in sources {
            let documents = parse(source)?;
            let many = documents.len() > 1;
            for (index, document) in documents.into_iter().enumerate() {
                let place = if many {
                    format!("{}, document {}", source.name, index + 1)
                } else {
                    source.name.to_owned()
                };
                all.add(&place, document)?;
            }
        }
        Ok(all)
    }

    /// Sorts a document in by what it has. The answers of ECS's operations hold what is meant inside.
    fn add(&mut self, place: &str, document: Value) -> Result<(), ConvertError> {
        let unknown = || ConvertError::Unknown { place: place.to_owned() };
        let Value::Object(mut document) = document else {
            return match document {
                Value::Array(list) if !list.is_empty() => list
                    .into_iter()
                    .enumerate()
                    .try_for_each(|(index, one)| self.add(&format!("{place}, [{index}]"), one)),
                _ => Err(unknown()),
            };
        };
        failures(place, &document)?;
        if document.get("taskDefinition").is_some_and(Value::is_object)
            && let Some(Value::Object(inner)) = document.remove("taskDefinition")
        {
            let tags = document.remove("tags").unwrap_or_default();
            return self.described_definition(place, inner, tags);
        }
        if let Some(Value::Array(services)) = document.remove("services") {
            return services.into_iter().enumerate().try_for_each(|(index, one)| {
                self.described_service(&format!("{place}, services[{index}]"), one)
            });
        }
        if let Some(service) = document.remove("service").filter(Value::is_object) {
            return self.described_service(place, service);
        }
        if document.contains_key("containerDefinitions") {
            return match document.contains_key("taskDefinitionArn") {
                true => self.described_definition(place, document, Value::Null),
                false => self.definition(place, document),
            };
        }
        if document.contains_key("serviceName") {
            return match document.contains_key("serviceArn") {
                true => self.described_service(place, Value::Object(document)),
                false => self.service(place, Value::Object(document)),
            };
        }
        Err(unknown())
    }

    /// The input of RegisterTaskDefinition.
    fn definition(&mut self, place: &str, document: Map<String, Value>) -> Result<(), ConvertError> {
        let (request, unknown) =
            member::read::<RegisterTaskDefinitionRequest>(place, Value::Object(document))?;
        refuse_unknown(place, &unknown)?;
        let registration = Registration::new(request).map_err(|error| ConvertError::Refused {
            place: place.to_owned(),
            message: error.message.to_string(),
        })?;
        self.definitions.push(Definition {
            place: place.to_owned(),
            doc: registration.definition,
            tags: registration.tags,
            notes: Vec::new(),
        });
        Ok(())
    }

    /// What DescribeTaskDefinition tells. ECS has accepted it, so it isn't checked again.
    fn described_definition(
        &mut self,
        place: &str,
        mut document: Map<String, Value>,
        tags: Value,
    ) -> Result<(), ConvertError> {
        OF_DEFINITIONS.iter().for_each(|name| drop(document.remove(*name)));
        let tags = if tags.is_null() { document.remove("tags").unwrap_or_default() } else { tags };
        let tags = if tags.is_null() { Value::Array(Vec::new()) } else { tags };
        let (doc, unknown) = member::read::<model::TaskDefinition>(place, Value::Object(document))?;
        let (tags, _) = member::read::<Vec<Tag>>(place, tags)?;
        self.definitions.push(Definition { place: place.to_owned(), doc, tags, notes: not_known(&unknown) });
        Ok(())
    }

    /// The input of CreateService.
    fn service(&mut self, place: &str, document: Value) -> Result<(), ConvertError> {
        let (request, unknown) = member::read::<CreateServiceRequest>(place, document)?;
        refuse_unknown(place, &unknown)?;
        self.services.push(Service { place: place.to_owned(), request, notes: Vec::new() });
        Ok(())
    }

    /// What DescribeServices tells, as what CreateService would be asked for.
    fn described_service(&mut self, place: &str, document: Value) -> Result<(), ConvertError> {
        let Value::Object(mut document) = document else {
            return Err(ConvertError::Unknown { place: place.to_owned() });
        };
        if let Some(primary) = document.get_mut("deployments").and_then(primary) {
            for (name, value) in primary {
                document.entry(name).or_insert(value);
            }
        }
        OF_SERVICES.iter().for_each(|name| drop(document.remove(*name)));
        for (told, asked) in [("clusterArn", "cluster"), ("roleArn", "role")] {
            if let Some(value) = document.remove(told) {
                document.insert(asked.to_owned(), value);
            }
        }
        let (request, unknown) = member::read::<CreateServiceRequest>(place, Value::Object(document))?;
        self.services.push(Service { place: place.to_owned(), request, notes: not_known(&unknown) });
        Ok(())
    }
}

/// What the primary deployment tells of its service.
fn primary(deployments: &mut Value) -> Option<Vec<(String, Value)>> {
    let all = deployments.as_array_mut()?;
    let primary = all.iter_mut().find(|one| one.get("status").is_some_and(|status| status == "PRIMARY"))?;
    let members = primary.as_object_mut()?;
    Some(OF_DEPLOYMENTS.iter().filter_map(|name| members.remove_entry(*name)).collect())
}

/// ECS answers with failures for what it doesn't find.
fn failures(place: &str, document: &Map<String, Value>) -> Result<(), ConvertError> {
    let Some(failure) = document.get("failures").and_then(|all| all.get(0)) else { return Ok(()) };
    let text = |name: &str| failure.get(name).and_then(Value::as_str).unwrap_or("?");
    Err(ConvertError::Member {
        place: place.to_owned(),
        member: "failures[0]".to_owned(),
        what: format!("ECS had nothing to tell of {}: {}", text("arn"), text("reason")),
    })
}

fn refuse_unknown(place: &str, unknown: &[String]) -> Result<(), ConvertError> {
    match unknown.first() {
        None => Ok(()),
        Some(member) => Err(ConvertError::Member {
            place: place.to_owned(),
            member: member.clone(),
            what: "the API has no such member".to_owned(),
        }),
    }
}

/// What ECS tells may be newer than kecs.
fn not_known(unknown: &[String]) -> Vec<Note> {
    let what = "kecs does not know this member: it is left out.";
    unknown.iter().map(|member| Note { member: member.clone(), what: what.to_owned() }).collect()
}

/// The documents of a source. JSON is tried first, as its errors are the better ones where it is meant.
fn parse(source: &Source<'_>) -> Result<Vec<Value>, ConvertError> {
    let syntax = |cause: String| ConvertError::Syntax { place: source.name.to_owned(), cause };
    let text = source.text.trim_start_matches('\u{feff}');
    let documents: Vec<Value> = if text.trim_start().starts_with(['{', '[']) {
        let json = serde_json::Deserializer::from_str(text).into_iter().collect::<Result<_, _>>();
        json.or_else(|json| yaml(text).map_err(|_| syntax(json.to_string())))?
    } else {
        yaml(text).map_err(syntax)?
    };
    let documents: Vec<_> = documents.into_iter().filter(|document| !document.is_null()).collect();
    if documents.is_empty() {
        return Err(ConvertError::Empty { place: source.name.to_owned() });
    }
    Ok(documents)
}

fn yaml(text: &str) -> Result<Vec<Value>, String> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| error.to_string())
}
