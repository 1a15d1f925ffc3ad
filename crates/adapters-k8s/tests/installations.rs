//! Several installations on one Kubernetes, and namespaces that aren't ours.

mod fake;
mod scene;

use kecs_adapters_k8s::KubernetesOrchestrator;
use kecs_usecases::ports::{Observation, Orchestrator as _, PortErrorKind, StopOrder};
use serde_json::json;

use fake::FakeApi;
use scene::{cluster, in_virtual_time, launch, next_observation};

#[test]
fn two_installations_never_see_or_touch_each_others_objects() {
    in_virtual_time(async {
        let api = FakeApi::default();
        let ours = KubernetesOrchestrator::with_client(api.client(), "kecs");
        let theirs = KubernetesOrchestrator::with_client(api.client(), "team-b");
        // The same cluster and the same task: only the installation tells them apart.
        let launch = launch("web");
        for orchestrator in [&ours, &theirs] {
            orchestrator.launch(launch.clone()).await.unwrap();
        }
        let pods = api.all("pods");
        let namespaces: Vec<_> =
            pods.iter().map(|pod| pod["metadata"]["namespace"].as_str().unwrap().to_owned()).collect();
        assert_eq!(namespaces.len(), 2, "{pods:#?}");
        assert!(namespaces.iter().any(|name| name.starts_with("kecs-main-")), "{namespaces:?}");
        assert!(namespaces.iter().any(|name| name.starts_with("kecs-team-b-main-")), "{namespaces:?}");
        for (object, installation) in pods.iter().zip(["kecs", "team-b"]) {
            assert_eq!(object["metadata"]["labels"]["kecs.dev/installation"], installation);
        }
        for orchestrator in [&ours, &theirs] {
            let Observation::Snapshot(all) = next_observation(&mut orchestrator.observe()).await else {
                panic!("no snapshot")
            };
            assert_eq!(all.len(), 1, "{all:#?}");
        }
        // One stops and forgets its task and its cluster; the other's stay as they are.
        let before = api.all("pods").into_iter().find(|pod| pod["metadata"]["namespace"] == *namespaces[1]);
        let order = StopOrder { task: launch.task.key.clone(), definition: None };
        ours.stop(order).await.unwrap();
        ours.forget(&launch.task.key).await.unwrap();
        ours.delete_cluster(&cluster()).await.unwrap();
        assert_eq!(api.all("pods"), Vec::from_iter(before));
        assert_eq!(api.all("namespaces").len(), 1);
    });
}

#[test]
fn a_namespace_that_is_not_ours_is_refused_and_left_as_it_is() {
    for labels in
        [json!({}), json!({"kecs.dev/installation": "other"}), json!({"kecs.dev/installation": "kecs"})]
    {
        in_virtual_time(async {
            let api = FakeApi::default();
            let ours = KubernetesOrchestrator::with_client(api.client(), "kecs");
            let name = kecs_adapters_k8s::namespace_name("kecs", &cluster());
            api.put("namespaces", json!({"metadata": {"name": name, "labels": labels}}));
            let before = api.all("namespaces");
            for error in [
                ours.ensure_cluster(&cluster()).await.unwrap_err(),
                ours.launch(launch("web")).await.unwrap_err(),
            ] {
                assert_eq!(error.kind, PortErrorKind::Permanent);
                assert!(error.message.contains(&name) && error.message.contains("--installation"), "{error}");
            }
            ours.delete_cluster(&cluster()).await.unwrap();
            assert_eq!(api.all("namespaces"), before);
        });
    }
}

#[test]
fn a_pod_of_the_right_name_that_is_not_ours_is_refused() {
    in_virtual_time(async {
        let api = FakeApi::default();
        let ours = KubernetesOrchestrator::with_client(api.client(), "kecs");
        ours.ensure_cluster(&cluster()).await.unwrap();
        let launch = launch("web");
        let (namespace, name) = ours.pod_of(&launch.task);
        api.put("pods", json!({"metadata": {"name": name, "namespace": namespace}}));
        let error = ours.launch(launch).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Permanent);
        assert!(error.message.contains(&name), "{error}");
    });
}
