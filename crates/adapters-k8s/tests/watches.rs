//! What is observed, over watches that break, versions that are gone, and lists that fail.

mod fake;
mod scene;

use futures::stream::BoxStream;
use kecs_adapters_k8s::KubernetesOrchestrator;
use kecs_domain::model::{ContainerDefinition, ContainerRestartPolicy};
use kecs_domain::task::{ContainerState, TaskFailure, TaskObservation};
use kecs_usecases::ports::{Observation, Orchestrator as _};
use serde_json::json;

use fake::{FakeApi, Fault};
use scene::{container, in_virtual_time, launch, launch_of, next_observation, until};

/// A task that runs and was seen to.
struct Seen {
    api: FakeApi,
    _orchestrator: KubernetesOrchestrator,
    stream: BoxStream<'static, Observation>,
    running: TaskObservation,
}

async fn running_task() -> Seen {
    let api = FakeApi::default();
    let orchestrator = KubernetesOrchestrator::with_client(api.client(), "kecs");
    orchestrator.launch(launch("web")).await.unwrap();
    let mut stream = orchestrator.observe();
    assert!(matches!(next_observation(&mut stream).await, Observation::Snapshot(all) if all.len() == 1));
    api.run_pod();
    let running = until(&mut stream, &mut Vec::new(), runs).await;
    Seen { api, _orchestrator: orchestrator, stream, running }
}

fn runs(task: &TaskObservation) -> bool {
    task.containers.iter().any(|it| it.state == ContainerState::Running)
}

fn has_ended(task: &TaskObservation) -> bool {
    task.containers.iter().any(|it| it.state == ContainerState::Stopped)
}

fn lists(api: &FakeApi) -> usize {
    api.calls().iter().filter(|call| *call == "GET /api/v1/pods").count()
}

fn snapshots(told: &[Observation]) -> usize {
    told.iter().filter(|one| matches!(one, Observation::Snapshot(_))).count()
}

/// The task as it runs, with the end that a container had.
fn expected(running: &TaskObservation, code: i32) -> TaskObservation {
    let mut task = running.clone();
    for container in &mut task.containers {
        container.state = ContainerState::Stopped;
        container.exit_code = Some(code);
        container.finished_at = Some("2026-01-01T00:00:05Z".parse::<jiff::Timestamp>().unwrap().into());
    }
    task
}

#[test]
fn a_watch_that_breaks_goes_on_where_it_was() {
    for torn in [false, true] {
        in_virtual_time(async {
            let Seen { api, mut stream, running, .. } = running_task().await;
            api.break_watches(torn);
            // It happens while nobody watches.
            api.end_container("web", 7);
            let mut told = Vec::new();
            let ended = until(&mut stream, &mut told, has_ended).await;
            assert_eq!(ended, expected(&running, 7));
            assert_eq!((lists(&api), snapshots(&told)), (1, 0), "nothing is listed again: {told:#?}");
        });
    }
}

#[test]
fn a_version_that_is_gone_is_followed_by_a_list_that_loses_nothing() {
    in_virtual_time(async {
        let Seen { api, mut stream, running, .. } = running_task().await;
        api.break_watches(false);
        api.end_container("web", 7);
        api.forget_history();
        let mut told = Vec::new();
        let ended = until(&mut stream, &mut told, has_ended).await;
        assert_eq!(ended, expected(&running, 7));
        let snapshot = [Observation::Snapshot(vec![ended.key.clone()]), Observation::Changed(vec![ended])];
        assert_eq!(told, snapshot, "one snapshot, and nothing before it");
        // From there on it is watched.
        api.change_pod(|pod| pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:09Z"));
        until(&mut stream, &mut told, |task| task.released).await;
        assert_eq!(lists(&api), 2);
    });
}

#[test]
fn a_watch_that_is_refused_as_gone_begins_anew() {
    in_virtual_time(async {
        let Seen { api, mut stream, .. } = running_task().await;
        let gone = Fault::Status(410, "Expired", "too old resource version".to_owned());
        api.fail("WATCH", "/api/v1/pods", vec![gone; 100]);
        api.break_watches(false);
        api.end_container("web", 7);
        api.forget_history();
        until(&mut stream, &mut Vec::new(), has_ended).await;
    });
}

#[test]
fn a_task_that_went_away_unseen_is_not_in_the_next_snapshot() {
    in_virtual_time(async {
        let Seen { api, mut stream, .. } = running_task().await;
        let pod = api.pod();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        api.break_watches(false);
        api.remove("pods", &text(&pod["metadata"]["namespace"]), &text(&pod["metadata"]["name"]));
        api.forget_history();
        assert_eq!(next_observation(&mut stream).await, Observation::Snapshot(Vec::new()));
    });
}

#[test]
fn a_list_that_fails_replaces_nothing() {
    in_virtual_time(async {
        let Seen { api, mut stream, running, .. } = running_task().await;
        api.break_watches(false);
        api.forget_history();
        let fault = || Fault::Status(500, "InternalError", "etcd".to_owned());
        api.fail("GET", "/api/v1/pods", [fault(), fault(), fault()]);
        let next = next_observation(&mut stream).await;
        let keys = vec![running.key.clone()];
        assert_eq!(next, Observation::Snapshot(keys), "no empty snapshot comes in between");
        assert_eq!(next_observation(&mut stream).await, Observation::Changed(vec![running]));
    });
}

#[test]
fn an_evicted_pod_is_a_lost_task() {
    in_virtual_time(async {
        let Seen { api, mut stream, .. } = running_task().await;
        api.change_pod(|pod| {
            pod["status"] = json!({
                "phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."
            });
        });
        let lost = until(&mut stream, &mut Vec::new(), |task| task.failure.is_some()).await;
        let reason = "The node was low on resource: memory.".to_owned();
        assert_eq!(lost.failure, Some(TaskFailure::Lost { reason }));
        assert!(has_ended(&lost), "{lost:#?}");
        // What was true before the eviction stays told: the Pod has forgotten it.
        assert!(lost.network.is_some() && lost.containers[0].runtime_id.is_some(), "{lost:#?}");
    });
}

#[test]
fn a_pod_that_found_no_node_and_then_one_starts() {
    in_virtual_time(async {
        let api = FakeApi::default();
        let orchestrator = KubernetesOrchestrator::with_client(api.client(), "kecs");
        orchestrator.launch(launch("web")).await.unwrap();
        let mut stream = orchestrator.observe();
        let message = "0/1 nodes are available: 1 Insufficient cpu.";
        api.change_pod(|pod| {
            pod["status"] = json!({"phase": "Pending", "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
            ]});
        });
        let held_back = until(&mut stream, &mut Vec::new(), |task| task.failure.is_some()).await;
        assert_eq!(held_back.failure, Some(TaskFailure::Unplaceable { reason: message.to_owned() }));
        assert!(!held_back.placed);
        api.run_pod();
        let running = until(&mut stream, &mut Vec::new(), runs).await;
        assert!(running.placed && running.failure.is_none(), "{running:#?}");
    });
}

#[test]
fn digests_runtime_ids_and_times_are_those_of_the_node() {
    in_virtual_time(async {
        let Seen { running, .. } = running_task().await;
        let web = &running.containers[0];
        assert_eq!(web.image_digest.as_deref(), Some("sha256:11"));
        assert_eq!(web.runtime_id.as_deref(), Some("id-web"));
        assert_eq!(web.started_at.unwrap().as_millis(), 1_767_225_601_000);
        assert_eq!(running.pull_started_at.unwrap().as_millis(), 1_767_225_600_000);
        assert_eq!(running.pull_stopped_at, web.started_at);
        assert_eq!(running.network.unwrap().private_ipv4, "10.0.0.7");
    });
}

#[test]
fn a_container_that_is_started_again_runs_until_it_is_left_alone() {
    in_virtual_time(async {
        let api = FakeApi::default();
        let orchestrator = KubernetesOrchestrator::with_client(api.client(), "kecs");
        let policy = ContainerRestartPolicy {
            enabled: true,
            ignored_exit_codes: Some(vec![0, 9]),
            restart_attempt_period: None,
        };
        let web = ContainerDefinition { restart_policy: Some(policy), ..container("web") };
        orchestrator.launch(launch_of(vec![web])).await.unwrap();
        let mut stream = orchestrator.observe();
        api.run_pod();
        let first = until(&mut stream, &mut Vec::new(), runs).await;
        let ended = |code: i32| {
            json!({"terminated": {
                "exitCode": code, "startedAt": "2026-01-01T00:00:01Z", "finishedAt": "2026-01-01T00:00:05Z"
            }})
        };
        let show = |state: serde_json::Value, last: serde_json::Value| {
            api.change_pod(|pod| {
                let status = &mut pod["status"]["containerStatuses"][0];
                (status["state"], status["lastState"]) = (state, last);
                status["ready"] = json!(status["state"]["running"].is_object());
            });
        };
        // It ends, is waited with, runs again: to those who observe it, nothing has happened.
        show(ended(1), json!({}));
        show(json!({"waiting": {"reason": "CrashLoopBackOff"}}), ended(1));
        show(json!({"running": {"startedAt": "2026-01-01T00:00:20Z"}}), ended(1));
        show(ended(9), ended(1));
        let mut told = Vec::new();
        let last = until(&mut stream, &mut told, has_ended).await;
        assert_eq!(told.len(), 1, "{told:#?}");
        assert_eq!(last.containers[0].exit_code, Some(9));
        assert_eq!(last.containers[0].started_at, first.containers[0].started_at);
        assert_eq!(last.failure, None);
    });
}
