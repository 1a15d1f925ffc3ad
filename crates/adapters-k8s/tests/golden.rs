//! The Pods of the example task definitions and of one that has everything, as files that a person can review; each is
//! accepted by a real API server where there is one.
//!
//! `UPDATE_GOLDEN=1 cargo test -p kecs-adapters-k8s --test golden` writes them anew.

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kecs_adapters_k8s::Identity;
use kecs_adapters_k8s::translate::{Place, Translation, translate};
use kecs_domain::arn::{ClusterKey, TaskDefinitionKey, TaskKey};
use kecs_domain::model::{self, Compatibility, LaunchType};
use kecs_domain::name::{ClusterName, FamilyName, TaskId};
use kecs_domain::task::{LaunchSettings, NewTask, Task};
use kecs_domain::task_definition::{TaskDefinition, TaskDefinitionState};
use kecs_domain::{Doc, Scope, Timestamp};
use kube::api::{Api, PostParams};

fn directory(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// A task of the definition in this file, as RunTask would make it.
fn task_of(path: &Path, overrides: model::TaskOverride) -> (Task, TaskDefinition) {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut doc: model::TaskDefinition = serde_json::from_str(&text).expect("a task definition");
    let family = FamilyName::parse(doc.family.as_deref().expect("a family")).expect("a legal family");
    let scope = Scope::new("123456789012", "eu-central-1");
    let key = TaskDefinitionKey { scope: scope.clone(), family, revision: 3 };
    doc.task_definition_arn = Some(key.arn());
    let fargate = doc.requires_compatibilities.iter().flatten().any(|one| *one == Compatibility::Fargate);
    let definition =
        TaskDefinition { key, state: TaskDefinitionState::Active, doc: Doc::new(doc), tags: Vec::new() };
    let cluster = ClusterKey::new(scope, ClusterName::parse("main").expect("a legal name"));
    let mut uuids = 0_u128;
    let task = NewTask {
        key: TaskKey { cluster, id: TaskId::from_bits(0x1234_5678_9abc_def0) },
        definition: &definition,
        launch_type: Some(if fargate { LaunchType::Fargate } else { LaunchType::Ec2 }),
        capacity_provider: None,
        overrides: Doc::new(overrides),
        group: "family:test".to_owned(),
        started_by: None,
        enable_execute_command: false,
        platform_version: None,
        service: None,
        daemon: None,
        instance: None,
        availability_zone: None,
        tags: Vec::new(),
        launch: Arc::new(LaunchSettings::default()),
        created_at: Timestamp::from_millis(1_767_225_600_000),
    }
    .create(&mut || {
        uuids += 1;
        format!("00000000-0000-4000-8000-{uuids:012x}")
    });
    (task, definition)
}

fn translation(path: &Path, overrides: model::TaskOverride, place: &Place) -> Translation {
    let (task, definition) = task_of(path, overrides);
    translate(&Identity::new("kecs"), &task, &definition.doc, place)
}

fn text(translation: &Translation) -> String {
    let notes: Vec<_> =
        translation.notes.iter().map(|note| format!("{}: {}", note.member, note.what)).collect();
    let all = serde_json::json!({ "pod": translation.pod, "notSaidByIt": notes });
    serde_json::to_string_pretty(&all).expect("a manifest is JSON") + "\n"
}

/// Compares with the file of that name, and asks the API server.
fn check(name: &str, translation: &Translation) {
    let path = directory("tests/golden").join(format!("{name}.pod.json"));
    let now = text(translation);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &now).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == now, "{} differs; it is now:\n{now}", path.display());
    let Some(kubeconfig) = common::kubeconfig(&format!("the dry run of {name}")) else { return };
    common::block_on(async {
        let api: Api<Pod> = Api::namespaced(common::client(&kubeconfig).await, "default");
        let mut pod = translation.pod.clone();
        pod.metadata.namespace = Some("default".to_owned());
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        api.create(&dry, &pod).await.expect("the API server accepts the manifest");
    });
}

fn example(name: &str) -> Translation {
    let path = directory("../../examples").join(format!("{name}.json"));
    translation(&path, model::TaskOverride::default(), &Place::default())
}

#[test]
fn the_web_service_becomes_this_pod() {
    check("web-service", &example("web-service"));
}

#[test]
fn the_worker_becomes_this_pod() {
    check("worker", &example("worker"));
}

#[test]
fn the_batch_job_becomes_this_pod() {
    check("batch-job", &example("batch-job"));
}

#[test]
fn everything_at_once_becomes_this_pod() {
    let overrides: model::TaskOverride = serde_json::from_value(serde_json::json!({
        "cpu": "2048",
        "containerOverrides": [{
            "name": "app",
            "command": ["serve", "--verbose"],
            "cpu": 512,
            "memoryReservation": 300,
            "environment": [{"name": "LEVEL", "value": "debug"}, {"name": "ADDED", "value": "1"}]
        }]
    }))
    .expect("overrides");
    let place = Place { node: Some("node-7".to_owned()), taken: BTreeSet::from([49153]), ..Place::default() };
    check("kitchen-sink", &translation(&directory("tests/golden/kitchen-sink.json"), overrides, &place));
}

#[test]
fn a_chosen_host_port_is_the_same_each_time_and_never_one_that_is_taken() {
    let path = directory("tests/golden/kitchen-sink.json");
    let ports = |taken: BTreeSet<u16>| {
        let place = Place { taken, ..Place::default() };
        let pod = translation(&path, model::TaskOverride::default(), &place).pod;
        let containers = pod.spec.expect("a spec").containers;
        let ports = containers.into_iter().flat_map(|it| it.ports.unwrap_or_default());
        ports.map(|it| u16::try_from(it.host_port.expect("bridge")).expect("a port")).collect::<BTreeSet<_>>()
    };
    let first = ports(BTreeSet::new());
    assert_eq!(ports(BTreeSet::new()), first);
    let chosen: BTreeSet<_> = first.iter().copied().filter(|port| *port >= 49153).collect();
    assert!(!chosen.is_empty() && chosen.is_disjoint(&ports(chosen.clone())), "{chosen:?}");
}
