//! Containers that wait for the end of another one, whatever its exit code.

mod fake;
mod scene;

use futures::StreamExt as _;
use kecs_adapters_k8s::KubernetesOrchestrator;
use kecs_domain::model::ContainerCondition::{Complete, Success};
use kecs_domain::task::{ContainerState, TaskFailure};
use kecs_testkit::orchestrator::ContainerExt as _;
use kecs_usecases::ports::{Launch, Observation, Orchestrator as _};
use serde_json::json;

use fake::{FakeApi, Fault, running};
use scene::{container, in_virtual_time, launch_of, until};

fn waits() -> Launch {
    launch_of(vec![
        container("web").depends_on("Fetch", Complete),
        container("Fetch").non_essential(),
        container("last").depends_on("web", Success),
    ])
}

/// The Pod as its node shows it while `Fetch` runs.
fn fetch_runs(api: &FakeApi) {
    api.change_pod(|pod| {
        let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
        let all = pod["spec"]["containers"].as_array().unwrap().clone();
        let fetch = &all[0];
        let held = |one: &serde_json::Value| {
            let message = format!("configmap \"{name}.{}\" not found", one["name"].as_str().unwrap());
            json!({
                "name": one["name"], "ready": false, "restartCount": 0, "image": "", "imageID": "",
                "state": {"waiting": {"reason": "CreateContainerConfigError", "message": message}}
            })
        };
        pod["spec"]["nodeName"] = json!("node-1");
        pod["status"] = json!({
            "phase": "Pending", "startTime": "2026-01-01T00:00:00Z",
            "containerStatuses": [running(&fetch["name"]), held(&all[1]), held(&all[2])]
        });
    });
}

fn fetch_name(api: &FakeApi) -> String {
    api.pod()["spec"]["containers"][0]["name"].as_str().unwrap().to_owned()
}

/// Lets time pass: what was begun is done by then.
async fn settle(stream: &mut futures::stream::BoxStream<'static, Observation>) {
    let minute = tokio::time::sleep(std::time::Duration::from_secs(60));
    stream.take_until(minute).collect::<Vec<_>>().await;
}

#[test]
fn a_gate_is_opened_by_the_end_of_what_is_waited_for() {
    in_virtual_time(async {
        let api = FakeApi::default();
        let orchestrator = KubernetesOrchestrator::with_client(api.client(), "kecs");
        orchestrator.launch(waits()).await.unwrap();
        let mut stream = orchestrator.observe();
        fetch_runs(&api);
        let waiting = until(&mut stream, &mut Vec::new(), |task| task.placed).await;
        assert_eq!(waiting.failure, None, "waiting is no failure");
        let state = |name: &str| waiting.containers.iter().find(|it| it.name == name).unwrap().state;
        assert_eq!((state("Fetch"), state("web")), (ContainerState::Running, ContainerState::Pending));
        assert_eq!(api.all("configmaps"), [] as [serde_json::Value; 0]);
        // The first answer gets lost, the second attempt is refused: it is tried until it is done.
        let busy = Fault::Status(500, "InternalError", "etcd".to_owned());
        api.fail("POST", "/configmaps", [busy, Fault::Lost]);
        api.end_container(&fetch_name(&api), 3);
        let ended = until(&mut stream, &mut Vec::new(), |task| {
            task.containers.iter().any(|it| it.name == "Fetch" && it.exit_code == Some(3))
        })
        .await;
        assert_eq!(ended.failure, None);
        settle(&mut stream).await;
        let maps = api.all("configmaps");
        assert_eq!(maps.len(), 1, "only web may begin: {maps:#?}");
        let pod = api.pod();
        let name = pod["metadata"]["name"].as_str().unwrap();
        assert_eq!(maps[0]["metadata"]["name"], format!("{name}.web"));
        assert_eq!(maps[0]["metadata"]["ownerReferences"][0]["uid"], pod["metadata"]["uid"]);
        assert_eq!(maps[0]["metadata"]["labels"]["kecs.dev/installation"], "kecs");
        assert_eq!(pod["metadata"]["annotations"]["kecs.dev/gates-opened"], "web");
    });
}

#[test]
fn a_gate_is_opened_by_a_process_that_comes_later() {
    in_virtual_time(async {
        let api = FakeApi::default();
        KubernetesOrchestrator::with_client(api.client(), "kecs").launch(waits()).await.unwrap();
        fetch_runs(&api);
        api.end_container(&fetch_name(&api), 0);
        let later = KubernetesOrchestrator::with_client(api.client(), "kecs");
        let mut stream = later.observe();
        settle(&mut stream).await;
        assert_eq!(api.all("configmaps").len(), 1);
    });
}

#[test]
fn a_gate_that_can_never_be_opened_fails_the_task() {
    in_virtual_time(async {
        let api = FakeApi::default();
        let orchestrator = KubernetesOrchestrator::with_client(api.client(), "kecs");
        orchestrator.launch(waits()).await.unwrap();
        let mut stream = orchestrator.observe();
        fetch_runs(&api);
        api.end_container(&fetch_name(&api), 3);
        api.change_pod(|pod| pod["status"]["containerStatuses"][1] = running(&json!("web")));
        api.end_container("web", 4);
        let failed = until(&mut stream, &mut Vec::new(), |task| task.failure.is_some()).await;
        let reason = "Task failed to start".to_owned();
        assert_eq!(failed.failure, Some(TaskFailure::FailedToStart { reason }));
    });
}
