//! What a real cluster's own rules refuse: the port's error has the server's words, and no retry is asked for.

mod common;
mod scene;

use k8s_openapi::api::core::v1::{Namespace, ResourceQuota};
use kecs_adapters_k8s::{KubernetesOptions, KubernetesOrchestrator, namespace_name};
use kecs_domain::model::ContainerDefinition;
use kecs_usecases::ports::{Orchestrator as _, PortErrorKind};
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;

use scene::{cluster, container, launch_of};

/// The refusal of a task in a namespace to which `rule` was added.
async fn refusal(
    name: &str,
    rule: impl AsyncFnOnce(kube::Client, String),
    container: ContainerDefinition,
) -> Option<(PortErrorKind, String)> {
    let path = common::kubeconfig(name)?;
    let client = common::client(&path).await;
    let installation = format!("{name}-{}", std::process::id());
    let namespace = namespace_name(&installation, &cluster());
    let options = KubernetesOptions { kubeconfig: Some(path), installation, ..KubernetesOptions::default() };
    let ours = KubernetesOrchestrator::connect(options).await.expect("the cluster answers");
    ours.ensure_cluster(&cluster()).await.expect("the namespace is made");
    rule(client, namespace).await;
    let refused = ours.launch(launch_of(vec![container])).await;
    ours.delete_cluster(&cluster()).await.expect("the namespace can be deleted");
    let error = refused.expect_err("the rule refuses the task");
    Some((error.kind, error.message.into_owned()))
}

#[test]
fn a_quota_refuses_in_its_own_words() {
    let rule = async |client: kube::Client, namespace: String| {
        let quota: ResourceQuota = serde_json::from_value(json!({
            "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}
        }))
        .unwrap();
        let api: Api<ResourceQuota> = Api::namespaced(client, &namespace);
        api.create(&PostParams::default(), &quota).await.expect("the quota is made");
        // A quota counts from when its controller has seen it.
        for _ in 0..100 {
            let seen = api.get("none").await.expect("the quota is there");
            if seen.status.is_some_and(|status| status.hard.is_some()) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let refused = common::block_on(refusal("quota", rule, container("web")));
    let Some((kind, message)) = refused else { return };
    assert!(message.contains("exceeded quota: none"), "{message}");
    assert_eq!(kind, PortErrorKind::Permanent);
}

#[test]
fn pod_security_refuses_in_its_own_words() {
    let rule = async |client: kube::Client, namespace: String| {
        let labels = json!({"pod-security.kubernetes.io/enforce": "baseline"});
        let patch = Patch::Merge(json!({"metadata": {"labels": labels}}));
        let api: Api<Namespace> = Api::all(client);
        api.patch(&namespace, &PatchParams::default(), &patch).await.expect("the namespace is labelled");
    };
    let privileged = ContainerDefinition { privileged: Some(true), ..container("web") };
    let Some((kind, message)) = common::block_on(refusal("security", rule, privileged)) else { return };
    assert!(message.contains("violates PodSecurity"), "{message}");
    assert_eq!(kind, PortErrorKind::Permanent);
}
