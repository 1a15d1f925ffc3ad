//! What each member of a task definition does to the Pod: one file that a person can review, and each Pod is accepted by
//! a real API server where there is one.
//!
//! `UPDATE_GOLDEN=1 cargo test -p kecs-adapters-k8s --test fields` writes it anew.

mod common;
mod scene;

use std::fmt::Write as _;
use std::path::Path;

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kecs_adapters_k8s::translate::{Offer, Place, Translation, translate};
use kecs_adapters_k8s::{Identity, StorageClasses};
use kecs_domain::model::{self, ContainerOverride};
use kecs_domain::task::Task;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use scene::launch;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    std::fs::read_to_string(&path).unwrap_or_default()
}

/// The Pod of a definition that has nothing but these members.
fn pod_of(case: &Value) -> Translation {
    let mut definition = json!({
        "family": "web", "revision": 1, "networkMode": "awsvpc",
        "containerDefinitions": [{"name": "app", "image": "app:1", "essential": true}]
    });
    let add = |to: &mut Value, members: &Value| {
        for (name, value) in members.as_object().into_iter().flatten() {
            to[name] = value.clone();
        }
    };
    add(&mut definition, &case["task"]);
    add(&mut definition["containerDefinitions"][0], &case["container"]);
    if !case["second"].is_null() {
        definition["containerDefinitions"].as_array_mut().unwrap().push(case["second"].clone());
    }
    let doc: model::TaskDefinition = serde_json::from_value(definition).expect("a task definition");
    let mut task = Task::clone(&launch("app").task);
    let mut settings = (*task.launch).clone();
    settings.volumes = vec![model::TaskVolumeConfiguration {
        name: "data".to_owned(),
        managed_ebs_volume: Some(model::TaskManagedEBSVolumeConfiguration {
            size_in_gib: Some(30),
            role_arn: "arn:aws:iam::123456789012:role/r".to_owned(),
            ..model::TaskManagedEBSVolumeConfiguration::default()
        }),
    }];
    task.launch = settings.into();
    if !case["overrides"].is_null() {
        let with: ContainerOverride = serde_json::from_value(case["overrides"].clone()).expect("overrides");
        let with = ContainerOverride { name: Some("app".to_owned()), ..with };
        let overrides =
            model::TaskOverride { container_overrides: Some(vec![with]), ..model::TaskOverride::default() };
        let doc = model::Task { overrides: Some(overrides.into()), ..(*task.doc).clone() };
        task.doc = kecs_domain::Doc::new(doc);
    }
    let class = |name: &str| (case["storage"] == true).then(|| name.to_owned());
    let storage = StorageClasses { efs: class("nfs"), ebs: class("disk"), docker: class("local") };
    let place = Place { offer: Offer { storage, restarts: true }, ..Place::default() };
    translate(&Identity::new("kecs"), &task, &doc, &place)
}

/// What is in `now` and not in `base`, as lines of path and value.
fn differences(path: &str, base: &Value, now: &Value, lines: &mut Vec<String>) {
    match (base, now) {
        _ if base == now => {}
        (Value::Object(left), Value::Object(right)) => {
            let mut names: Vec<&String> = left.keys().chain(right.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let of = |map: &serde_json::Map<String, Value>| map.get(name).cloned().unwrap_or_default();
                differences(&format!("{path}.{name}"), &of(left), &of(right), lines);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                differences(&format!("{path}[{index}]"), left, right, lines);
            }
        }
        (_, now) => lines.push(format!("  {} = {now}", path.trim_start_matches('.'))),
    }
}

#[test]
fn each_member_does_this_to_the_pod() {
    let cases: Value = serde_json::from_str(&read("fields.json")).expect("the cases are JSON");
    let base = serde_json::to_value(pod_of(&json!({})).pod).unwrap();
    let mut text = String::new();
    let mut all = Vec::new();
    for (name, case) in cases.as_object().unwrap() {
        let made = pod_of(case);
        let mut lines = Vec::new();
        differences("", &base, &serde_json::to_value(&made.pod).unwrap(), &mut lines);
        // The notes stand in an annotation too.
        lines.retain(|line| !line.contains("not-translated"));
        for claim in &made.claims {
            lines.push(format!("  claim {}", serde_json::to_string(claim).unwrap()));
        }
        lines.extend(made.notes.iter().map(|note| format!("  NOT DONE {note}")));
        writeln!(text, "{name}\n{}\n", lines.join("\n")).unwrap();
        all.push((name.clone(), made));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fields.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).expect("the golden file can be written");
    }
    assert!(read("fields.txt") == text, "{} differs; it is now:\n{text}", path.display());
    let Some(kubeconfig) = common::kubeconfig("the dry run of each member") else { return };
    common::block_on(async {
        let client = common::client(&kubeconfig).await;
        let pods: Api<Pod> = Api::namespaced(client.clone(), "default");
        let claims: Api<PersistentVolumeClaim> = Api::namespaced(client, "default");
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        for (name, mut made) in all {
            made.pod.metadata.namespace = Some("default".to_owned());
            pods.create(&dry, &made.pod).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            for mut claim in made.claims {
                claim.metadata.namespace = Some("default".to_owned());
                claims.create(&dry, &claim).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    });
}
