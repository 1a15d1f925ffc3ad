//! What `kecs convert` writes, as files that a person can review; each is read back as Kubernetes reads it, and accepted
//! by a real API server where there is one.
//!
//! `UPDATE_GOLDEN=1 cargo test -p kecs-adapters-k8s --test convert` writes them anew.

mod common;

use std::path::{Path, PathBuf};

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kecs_adapters_k8s::convert::{ConvertOptions, Source, conversions, convert};
use kube::api::{Api, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn directory(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

fn read(files: &[&str]) -> Vec<(String, String)> {
    files
        .iter()
        .map(|file| {
            let path = directory(file);
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
            (file.rsplit('/').next().unwrap_or(file).to_owned(), text)
        })
        .collect()
}

fn sources(texts: &[(String, String)]) -> Vec<Source<'_>> {
    texts.iter().map(|(name, text)| Source { name, text }).collect()
}

/// Kubernetes' own type of an object reads all of it.
fn is_read_whole<T: DeserializeOwned + Serialize>(object: &Value) {
    let read: T = serde_json::from_value(object.clone()).expect("the type reads it");
    assert_eq!(serde_json::to_value(read).expect("it is JSON"), *object);
}

/// Compares with the file of that name.
fn check(name: &str, files: &[&str]) -> String {
    check_texts(name, &read(files))
}

fn check_texts(name: &str, texts: &[(String, String)]) -> String {
    let options = ConvertOptions::default();
    let text = convert(&sources(texts), &options).unwrap_or_else(|error| panic!("{error}"));
    let path = directory("tests/golden/convert").join(format!("{name}.k8s.yaml"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == text, "{} differs; it is now:\n{text}", path.display());

    let back: Vec<Value> = serde_saphyr::from_multiple(&text).expect("it is YAML");
    let made: Vec<_> = conversions(&sources(texts), &options).expect("it was converted before");
    let objects: Vec<_> = made.into_iter().flat_map(|one| one.objects).collect();
    assert_eq!(back, objects, "the text says what was made");
    for object in &objects {
        match object["kind"].as_str() {
            Some("Pod") => is_read_whole::<Pod>(object),
            Some("Deployment") => is_read_whole::<Deployment>(object),
            Some("DaemonSet") => is_read_whole::<DaemonSet>(object),
            Some("Service") => is_read_whole::<Service>(object),
            Some("PodDisruptionBudget") => is_read_whole::<PodDisruptionBudget>(object),
            other => panic!("{other:?}"),
        }
        assert!(!object.to_string().contains("kecs.dev/"), "nothing of it is kecs's: {object}");
    }
    accepted(name, &objects);
    text
}

/// Asks the API server whether it would take them.
fn accepted(name: &str, objects: &[Value]) {
    let Some(kubeconfig) = common::kubeconfig(&format!("the dry run of {name}")) else { return };
    common::block_on(async {
        let client = common::client(&kubeconfig).await;
        for object in objects {
            let text = |member: &str| object[member].as_str().unwrap_or_default().to_owned();
            let (group, version) = match text("apiVersion").split_once('/') {
                Some((group, version)) => (group.to_owned(), version.to_owned()),
                None => (String::new(), text("apiVersion")),
            };
            let kind = GroupVersionKind { group, version, kind: text("kind") };
            let api: Api<DynamicObject> =
                Api::namespaced_with(client.clone(), "default", &ApiResource::from_gvk(&kind));
            let dry = PostParams { dry_run: true, ..PostParams::default() };
            let object = serde_json::from_value(object.clone()).expect("an object");
            api.create(&dry, &object).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    });
}

#[test]
fn a_task_definition_becomes_a_pod() {
    let text = check("batch-job", &["../../examples/batch-job.json"]);
    assert!(text.contains("restartPolicy: Never"), "{text}");
}

#[test]
fn a_service_becomes_a_deployment_with_its_services() {
    check("web-service", &["../../examples/web-service.service.json", "../../examples/web-service.json"]);
}

#[test]
fn what_the_aws_cli_prints_is_converted_as_it_is() {
    check(
        "described",
        &[
            "tests/golden/convert/described-services.json",
            "tests/golden/convert/described-task-definition.json",
        ],
    );
}

#[test]
fn a_daemon_service_becomes_a_daemon_set_and_the_documents_may_be_yaml() {
    check("agent", &["tests/golden/convert/agent.yaml"]);
}

#[test]
fn a_task_definition_that_has_everything_is_converted() {
    // As ECS would describe it: it has more than one registration accepts.
    let mut texts = read(&["tests/golden/kitchen-sink.json"]);
    texts[0].1 = format!("{{\"taskDefinition\": {}}}", texts[0].1);
    check_texts("kitchen-sink", &texts);
}

fn refused(text: &str) -> String {
    let source = Source { name: "web.json", text };
    convert(&[source], &ConvertOptions::default()).expect_err("it is refused").to_string()
}

#[test]
fn mistakes_are_told_with_the_document_and_the_member() {
    let container = json!({"name": "app", "image": "nginx", "memory": 64});
    let definition = json!({"family": "web", "containerDefinitions": [container]});
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = definition.clone();
        change(&mut changed);
        refused(&changed.to_string())
    };
    assert_eq!(
        with(&|it| it["containerDefinitions"][0]["imgae"] = json!("nginx")),
        "web.json: containerDefinitions[0].imgae: the API has no such member"
    );
    assert!(
        with(&|it| it["containerDefinitions"][0]["memory"] = json!("64"))
            .starts_with("web.json: containerDefinitions[0].memory: invalid type: string \"64\"")
    );
    assert!(
        with(&|it| it["networkMode"] = json!("vpc")).starts_with("web.json: networkMode: unknown variant")
    );
    // What ECS would refuse, in its words.
    assert_eq!(with(&|it| it["family"] = json!("a b")), "web.json: Family contains invalid characters.");
    assert_eq!(
        refused("{\"serviceName\": \"web\", \"taskDefinition\": \"web:7\"}"),
        "web.json: taskDefinition: there is no task definition of the family \"web\" here: add its file"
    );
    assert!(refused("{\"clusterName\": \"x\"}").starts_with("web.json: this is neither a task definition"));
    assert!(
        refused("{\"services\": [], \"failures\": [{\"arn\": \"web\", \"reason\": \"MISSING\"}]}")
            .ends_with("failures[0]: ECS had nothing to tell of web: MISSING")
    );
    assert!(refused("{\"family\": ").starts_with("web.json: this is neither JSON nor YAML: EOF"));
    assert_eq!(refused(" \n"), "web.json: there is nothing in it");
    let twice = format!("{definition}\n{}", json!({"family": "Web", "containerDefinitions": [container]}));
    assert_eq!(
        refused(&twice),
        "web.json, document 2: \"Web\" and \"web\" would both become a Pod called \"web\""
    );
}

#[test]
fn a_service_takes_the_revision_that_it_names() {
    let definition = |revision: i32| {
        json!({"taskDefinition": {"family": "web", "revision": revision, "taskDefinitionArn": "x", "containerDefinitions": [
            {"name": "app", "image": format!("nginx:{revision}")}
        ]}})
    };
    let all = |wanted: &str| {
        format!(
            "{}\n{}\n{}",
            definition(1),
            definition(2),
            json!({"serviceName": "site", "taskDefinition": wanted, "desiredCount": 1})
        )
    };
    let image = |wanted: &str| {
        let text = all(wanted);
        let source = Source { name: "all.json", text: &text };
        let made = conversions(&[source], &ConvertOptions::default()).expect("it is converted");
        made[0].objects[0]["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    };
    assert_eq!((image("web"), image("web:1")), (json!("nginx:2"), json!("nginx:1")));
    assert_eq!(image("arn:aws:ecs:us-east-1:000000000000:task-definition/web:2"), json!("nginx:2"));
    assert!(
        refused(&all("web:3")).ends_with("taskDefinition: web:3 is not here, only revision 1, 2 of it is")
    );
}

#[test]
fn a_namespace_is_written_into_every_object() {
    let texts = read(&["../../examples/web-service.service.json", "../../examples/web-service.json"]);
    let options = ConvertOptions { namespace: Some("shop".to_owned()) };
    let made = conversions(&sources(&texts), &options).expect("it is converted");
    assert!(made[0].objects.len() > 1);
    assert!(made[0].objects.iter().all(|object| object["metadata"]["namespace"] == "shop"));
}
