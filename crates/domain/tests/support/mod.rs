//! What the tests of tasks and of the scheduler share: keys, task definitions, a service in a world without I/O.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod histories;
pub(crate) mod invariants;
pub(crate) mod settings;
pub(crate) mod story;
mod users;
pub(crate) mod world;

use kecs_domain::arn::{ClusterKey, ServiceKey, TaskDefinitionKey};
use kecs_domain::model::{ContainerDefinition, HealthCheck, NetworkMode};
use kecs_domain::name::{ClusterName, FamilyName, ServiceName};
use kecs_domain::task_definition::{TaskDefinition, TaskDefinitionState};
use kecs_domain::{Doc, Scope, Timestamp, model};

/// 2025-01-01T00:00:00Z: when the tests begin.
pub(crate) const START: i64 = 1_735_689_600_000;

/// So many seconds after the beginning.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(START + seconds * 1000)
}

pub(crate) fn scope() -> Scope {
    Scope::new("123456789012", "eu-central-1")
}

pub(crate) fn cluster() -> ClusterKey {
    ClusterKey::new(scope(), ClusterName::parse("default").unwrap())
}

pub(crate) fn service_key() -> ServiceKey {
    ServiceKey { cluster: cluster(), name: ServiceName::parse("web").unwrap() }
}

/// A container of a task definition.
#[derive(Clone, Debug)]
pub(crate) struct Defined {
    pub(crate) name: &'static str,
    pub(crate) essential: bool,
    pub(crate) checked: bool,
}

/// The one container of most tests.
pub(crate) fn app(checked: bool) -> Defined {
    Defined { name: "app", essential: true, checked }
}

/// `web:REVISION` of these containers.
pub(crate) fn definition(revision: i32, containers: &[Defined], awsvpc: bool) -> TaskDefinition {
    let key = TaskDefinitionKey { scope: scope(), family: FamilyName::parse("web").unwrap(), revision };
    let containers = containers.iter().map(|container| ContainerDefinition {
        name: Some(container.name.to_owned()),
        image: Some("image".to_owned()),
        essential: Some(container.essential),
        health_check: container.checked.then(|| HealthCheck {
            command: vec!["CMD".to_owned(), "true".to_owned()],
            ..HealthCheck::default()
        }),
        ..ContainerDefinition::default()
    });
    let doc = model::TaskDefinition {
        task_definition_arn: Some(key.arn()),
        container_definitions: Some(containers.collect()),
        network_mode: awsvpc.then_some(NetworkMode::Awsvpc),
        ..model::TaskDefinition::default()
    };
    TaskDefinition { key, state: TaskDefinitionState::Active, doc: Doc::new(doc), tags: Vec::new() }
}

/// Yields `PREFIX1`, `PREFIX2`, ...
pub(crate) fn counting(prefix: &'static str, from: &mut u64) -> impl FnMut() -> String {
    move || {
        *from += 1;
        format!("{prefix}{from}")
    }
}
