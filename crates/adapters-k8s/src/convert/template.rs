//! A task definition as a Pod of its own, or as the template of a workload.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use kecs_domain::arn::{ClusterKey, TaskDefinitionKey, TaskKey};
use kecs_domain::model::{
    Compatibility, ContainerCondition, LaunchType, NetworkMode, Tag, TaskDefinition as TaskDefinitionDoc,
};
use kecs_domain::name::{ClusterName, FamilyName, TaskId};
use kecs_domain::task::{LaunchSettings, NewTask};
use kecs_domain::task_definition::{TaskDefinition, TaskDefinitionState};
use kecs_domain::{Doc, Scope, Timestamp};

use super::{Conversion, ConvertError, ConvertOptions, Definition, metadata, object, selector};
use crate::identity::Identity;
use crate::names::dns_label;
use crate::translate::{Note, Place, translate};

/// What the Pods of a task definition are.
pub(super) struct Template {
    pub(super) spec: PodSpec,
    pub(super) notes: Vec<Note>,
}

/// A Pod that runs the task definition once, as RunTask would.
pub(super) fn pod(
    definition: &Definition,
    name: &str,
    options: &ConvertOptions,
) -> Result<Conversion, ConvertError> {
    let Template { spec, mut notes } = template(definition)?;
    let labels = labels(name, &definition.tags, "tags", &mut notes);
    let pod = Pod { metadata: metadata(name, labels, options), spec: Some(spec), status: None };
    Ok(Conversion {
        of: format!("the task definition {}", title(definition)),
        objects: vec![object(&definition.place, &pod)?],
        notes,
    })
}

/// `web-service:3`, or without the revision where it has none yet.
pub(super) fn title(definition: &Definition) -> String {
    let family = definition.doc.family.as_deref().unwrap_or_default();
    match definition.doc.revision {
        Some(revision) => format!("{family}:{revision}"),
        None => family.to_owned(),
    }
}

/// The Pod as kecs would launch it, without what it has for kecs's sake.
pub(super) fn template(definition: &Definition) -> Result<Template, ConvertError> {
    let refused = |message: &str| ConvertError::Member {
        place: definition.place.clone(),
        member: "family".to_owned(),
        what: message.to_owned(),
    };
    let family = definition.doc.family.as_deref().and_then(FamilyName::parse);
    let family = family.ok_or_else(|| refused("a task definition needs a family"))?;
    // A task of any cluster: what tells the Pods of clusters apart is not kept.
    let scope = Scope::new("000000000000", "us-east-1");
    let cluster =
        ClusterName::parse("default").ok_or_else(|| refused("there is no cluster to convert for"))?;
    let mut doc = definition.doc.clone();
    let mut notes = definition.notes.clone();
    without_gates(&mut doc, &mut notes);
    let fargate =
        definition.doc.requires_compatibilities.iter().flatten().any(|one| *one == Compatibility::Fargate);
    let whole = TaskDefinition {
        key: TaskDefinitionKey {
            scope: scope.clone(),
            family,
            revision: definition.doc.revision.unwrap_or(1),
        },
        state: TaskDefinitionState::Active,
        doc: Doc::new(doc),
        tags: Vec::new(),
    };
    let task = NewTask {
        key: TaskKey { cluster: ClusterKey::new(scope, cluster), id: TaskId::from_bits(0) },
        definition: &whole,
        launch_type: Some(if fargate { LaunchType::Fargate } else { LaunchType::Ec2 }),
        capacity_provider: None,
        overrides: Doc::default(),
        group: String::new(),
        started_by: None,
        enable_execute_command: false,
        platform_version: None,
        service: None,
        daemon: None,
        instance: None,
        availability_zone: None,
        tags: Vec::new(),
        launch: Arc::new(LaunchSettings::default()),
        created_at: Timestamp::from_millis(0),
    }
    .create(&mut || "00000000-0000-4000-8000-000000000000".to_owned());
    let translation = translate(&Identity::new("kecs"), &task, &whole.doc, &Place::default());
    notes.extend(translation.notes);
    let mut spec = translation.pod.spec.unwrap_or_default();
    release_ports(definition, &mut spec, &mut notes);
    note_references(definition, &mut spec, &mut notes);
    if definition.doc.placement_constraints.as_ref().is_some_and(|all| !all.is_empty()) {
        notes.push(note(
            "placementConstraints",
            "Cluster query expressions are not carried over: write a nodeSelector or a node affinity.",
        ));
    }
    Ok(Template { spec, notes })
}

pub(super) fn note(member: impl Into<String>, what: &str) -> Note {
    Note { member: member.into(), what: what.to_owned() }
}

/// Takes the host ports away that ECS would have chosen, and says where containers are in each other's way.
fn release_ports(definition: &Definition, spec: &mut PodSpec, notes: &mut Vec<Note>) {
    let host = definition.doc.network_mode == Some(NetworkMode::Host);
    let mut seen: BTreeMap<(i32, String), String> = BTreeMap::new();
    for (index, container) in definition.doc.container_definitions.iter().flatten().enumerate() {
        let name = dns_label(container.name.as_deref().unwrap_or_default());
        let mappings = container.port_mappings.as_deref().unwrap_or_default();
        let fixed = |port: i32| {
            mappings
                .iter()
                .any(|it| it.container_port == Some(port) && it.host_port.is_some_and(|it| it != 0))
        };
        let mut chosen = false;
        let name = name.as_str();
        for port in
            all_containers(spec).filter(|it| it.name == name).flat_map(|it| it.ports.iter_mut().flatten())
        {
            if port.host_port.is_some() && !host && !fixed(port.container_port) {
                port.host_port = None;
                chosen = true;
            }
            let key = (port.container_port, port.protocol.clone().unwrap_or_default());
            if let Some(other) = seen.insert(key, name.to_owned()).filter(|other| other != name) {
                notes.push(note(
                    format!("containerDefinitions[{index}].portMappings"),
                    &format!("{other} listens on the same port, and containers of a Pod share one address."),
                ));
            }
        }
        if chosen {
            notes.push(note(
                format!("containerDefinitions[{index}].portMappings"),
                "ECS chooses a free port of the instance here: the Pod is reached at its own address instead, best \
                 through a Service.",
            ));
        }
    }
}

/// What waits for another container's end, whatever its code, is let begin by kecs. Without it the other one has to
/// succeed: it becomes an init container.
fn without_gates(doc: &mut TaskDefinitionDoc, notes: &mut Vec<Note>) {
    for (index, container) in doc.container_definitions.iter_mut().flatten().enumerate() {
        for (number, dependency) in container.depends_on.iter_mut().flatten().enumerate() {
            if dependency.condition == ContainerCondition::Complete {
                dependency.condition = ContainerCondition::Success;
                notes.push(note(
                    format!("containerDefinitions[{index}].dependsOn[{number}]"),
                    "For ECS any exit code will do. Here the other container is an init container: it has to end with 0.",
                ));
            }
        }
    }
}

/// What has to be there beside the Pod, as it refers to it.
fn note_references(definition: &Definition, spec: &mut PodSpec, notes: &mut Vec<Note>) {
    let pull: Vec<_> = spec.image_pull_secrets.iter().flatten().map(|it| it.name.clone()).collect();
    if !pull.is_empty() {
        let what = format!("Make the image pull secrets {}, or the images can't be pulled.", pull.join(", "));
        notes.push(note("containerDefinitions", &what));
    }
    for (index, container) in definition.doc.container_definitions.iter().flatten().enumerate() {
        let name = dns_label(container.name.as_deref().unwrap_or_default());
        let Some(made) = all_containers(spec).find(|it| it.name == name) else { continue };
        let keys = made.env.iter().flatten().filter_map(|it| it.value_from.as_ref()?.secret_key_ref.as_ref());
        let keys: Vec<_> = keys.map(|it| format!("{} with the key {}", it.name, it.key)).collect();
        if !keys.is_empty() {
            let what = format!("Make the Secrets that it refers to: {}.", keys.join("; "));
            notes.push(note(format!("containerDefinitions[{index}].secrets"), &what));
        }
        let maps = made.env_from.iter().flatten().filter_map(|it| it.config_map_ref.as_ref());
        let maps: Vec<_> = maps.map(|it| it.name.clone()).collect();
        if !maps.is_empty() {
            let what = format!("Make the ConfigMaps that it refers to: {}.", maps.join(", "));
            notes.push(note(format!("containerDefinitions[{index}].environmentFiles"), &what));
        }
    }
}

/// All containers of a Pod.
pub(super) fn all_containers(spec: &mut PodSpec) -> impl Iterator<Item = &mut Container> {
    spec.init_containers.iter_mut().flatten().chain(spec.containers.iter_mut())
}

/// Tags as labels, so that one can select by them. Some tags are no legal labels.
pub(super) fn labels(
    name: &str,
    tags: &[Tag],
    member: &str,
    notes: &mut Vec<Note>,
) -> BTreeMap<String, String> {
    let mut labels = selector(name);
    for (index, tag) in tags.iter().enumerate() {
        let (key, value) = (tag.key.as_deref().unwrap_or_default(), tag.value.as_deref().unwrap_or_default());
        if crate::names::is_label(key, value) {
            labels.entry(key.to_owned()).or_insert_with(|| value.to_owned());
        } else {
            notes.push(note(format!("{member}[{index}]"), "The tag is no legal label: it is left out."));
        }
    }
    labels
}
