//! Whatever fails, and wherever the process dies: of a task that was let go of nothing is left.

mod fake;
mod scene;

use kecs_adapters_k8s::KubernetesOrchestrator;
use kecs_usecases::ports::{Orchestrator as _, PortError, StopOrder};
use serde_json::json;

use fake::{FakeApi, Fault};
use scene::{cluster, in_virtual_time, launch};

/// Does what a reconciler does with a step: again and again until it is done. After each failure it is another
/// process that tries.
async fn persist<F: Future<Output = Result<(), PortError>>>(
    api: &FakeApi,
    step: impl Fn(KubernetesOrchestrator) -> F,
) -> usize {
    let mut failures = 0;
    while let Err(error) = step(KubernetesOrchestrator::with_client(api.client(), "kecs")).await {
        failures += 1;
        assert!(failures < 5, "{error}");
    }
    failures
}

/// The life of a task. How often a process died.
async fn live(api: &FakeApi) -> usize {
    let mut deaths = persist(api, |ours| async move { ours.launch(launch("web")).await }).await;
    assert_eq!(api.pod()["metadata"]["finalizers"], json!(["kecs.dev/task"]));
    api.run_pod();
    let order = || StopOrder { task: launch("web").task.key.clone(), definition: None };
    deaths += persist(api, |ours| async move { ours.stop(order()).await }).await;
    api.end_container("web", 0);
    assert_eq!(api.all("pods").len(), 1, "it is there until its end is stored");
    deaths += persist(api, |ours| async move { ours.forget(&launch("web").task.key).await }).await;
    assert_eq!(api.all("pods"), [] as [serde_json::Value; 0]);
    deaths += persist(api, |ours| async move { ours.delete_cluster(&cluster()).await }).await;
    assert_eq!(api.all("namespaces"), [] as [serde_json::Value; 0]);
    deaths
}

#[test]
fn nothing_is_left_behind_wherever_a_process_dies() {
    let broken = || Fault::Status(500, "InternalError", "etcd".to_owned());
    for (method, path) in [
        ("POST", "/namespaces"),
        ("POST", "/pods"),
        ("DELETE", "/pods"),
        ("PATCH", "/pods"),
        ("GET", "/pods"),
        ("DELETE", "/namespaces"),
        ("GET", "/namespaces"),
    ] {
        for before in 0..4 {
            for fault in [broken(), Fault::Lost, Fault::Silence] {
                in_virtual_time(async {
                    let api = FakeApi::default();
                    let faults = (0..before).map(|_| Fault::None).chain([fault.clone()]);
                    api.fail(method, path, faults);
                    let deaths = live(&api).await;
                    let calls = api
                        .calls()
                        .iter()
                        .filter(|call| call.starts_with(method) && call.contains(path))
                        .count();
                    let met = calls > before;
                    assert_eq!(
                        deaths,
                        usize::from(met),
                        "{method} {path} {before} {fault:?}: {:#?}",
                        api.calls()
                    );
                });
            }
        }
    }
}

#[test]
fn a_pod_that_somebody_deleted_is_let_go_of() {
    in_virtual_time(async {
        let api = FakeApi::default();
        let ours = KubernetesOrchestrator::with_client(api.client(), "kecs");
        ours.launch(launch("web")).await.unwrap();
        api.run_pod();
        api.change_pod(|pod| {
            pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:09Z");
            pod["metadata"]["deletionGracePeriodSeconds"] = json!(30);
        });
        ours.forget(&launch("web").task.key).await.unwrap();
        assert_eq!(api.all("pods"), [] as [serde_json::Value; 0]);
    });
}

#[test]
fn the_finalizers_of_others_stay() {
    in_virtual_time(async {
        let api = FakeApi::default();
        let ours = KubernetesOrchestrator::with_client(api.client(), "kecs");
        ours.launch(launch("web")).await.unwrap();
        api.change_pod(|pod| pod["metadata"]["finalizers"] = json!(["example.com/theirs", "kecs.dev/task"]));
        ours.forget(&launch("web").task.key).await.unwrap();
        assert_eq!(api.pod()["metadata"]["finalizers"], json!(["example.com/theirs"]));
    });
}
