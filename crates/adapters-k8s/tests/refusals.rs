//! What Kubernetes refuses, what it refuses for a moment only, and servers that are busy or don't answer.

mod fake;
mod scene;

use std::time::Duration;

use kecs_adapters_k8s::KubernetesOrchestrator;
use kecs_usecases::ports::{Orchestrator as _, PortErrorKind, StopOrder};
use tokio::time::Instant;

use fake::{FakeApi, Fault};
use scene::{cluster, in_virtual_time, launch};

const QUOTA: &str =
    "pods \"web\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0";
const SECURITY: &str = "pods \"web\" is forbidden: violates PodSecurity \"restricted:latest\": privileged";
const WEBHOOK: &str = "admission webhook \"policy.example.com\" denied the request: no";
const RIGHTS: &str = "pods is forbidden: User \"kecs\" cannot create resource \"pods\" in API group \"\"";
const LEAVES: &str =
    "pods \"web\" is forbidden: unable to create new content in namespace x because it is being terminated";
const ACCOUNT: &str = "pods \"web\" is forbidden: error looking up service account x/default: serviceaccount \"default\" not found";

fn fault(code: u16, reason: &'static str, message: &str) -> Fault {
    Fault::Status(code, reason, message.to_owned())
}

#[test]
fn what_the_clusters_rules_refuse_is_refused_for_good_in_the_servers_words() {
    for (code, reason, message) in [
        (403, "Forbidden", QUOTA),
        (403, "Forbidden", SECURITY),
        (403, "Forbidden", WEBHOOK),
        (400, "BadRequest", WEBHOOK),
        (403, "Forbidden", RIGHTS),
        (422, "Invalid", "Pod \"web\" is invalid: spec.containers[0].name: Invalid value"),
    ] {
        in_virtual_time(async {
            let api = FakeApi::default();
            let ours = KubernetesOrchestrator::with_client(api.client(), "kecs");
            api.fail("POST", "/pods", [fault(code, reason, message)]);
            let error = ours.launch(launch("web")).await.unwrap_err();
            assert_eq!((error.kind, &*error.message), (PortErrorKind::Permanent, message));
        });
    }
}

#[test]
fn a_refusal_of_a_moment_is_tried_again() {
    for (code, reason, message) in [
        (403, "Forbidden", LEAVES),
        (409, "Conflict", "Operation cannot be fulfilled on resourcequotas \"q\""),
        (500, "InternalError", "failed calling webhook \"policy.example.com\": connection refused"),
    ] {
        in_virtual_time(async {
            let api = FakeApi::default();
            let ours = KubernetesOrchestrator::with_client(api.client(), "kecs");
            api.fail("POST", "/pods", [fault(code, reason, message)]);
            let error = ours.launch(launch("web")).await.unwrap_err();
            assert_eq!(error.kind, PortErrorKind::Transient, "{error}");
            ours.launch(launch("web")).await.unwrap();
            assert_eq!(api.all("pods").len(), 1);
        });
    }
}

#[test]
fn a_namespace_that_has_no_service_account_yet_is_waited_for() {
    in_virtual_time(async {
        let api = FakeApi::default();
        let ours = KubernetesOrchestrator::with_client(api.client(), "kecs");
        api.fail("POST", "/pods", vec![fault(403, "Forbidden", ACCOUNT); 5]);
        ours.launch(launch("web")).await.unwrap();
        assert_eq!(api.all("pods").len(), 1);
    });
}

#[test]
fn a_busy_server_is_asked_again_after_pauses_and_not_for_ever() {
    in_virtual_time(async {
        let api = FakeApi::default();
        let ours = KubernetesOrchestrator::with_client(api.client(), "kecs");
        ours.ensure_cluster(&cluster()).await.unwrap();
        let begin = Instant::now();
        api.fail("POST", "/pods", vec![fault(429, "TooManyRequests", "slow down"); 3]);
        ours.launch(launch("web")).await.unwrap();
        assert!(begin.elapsed() >= Duration::from_millis(100), "{:?}", begin.elapsed());
        assert_eq!(api.all("pods").len(), 1);
        api.fail("DELETE", "/pods", vec![fault(503, "ServiceUnavailable", "away"); 100]);
        let order = StopOrder { task: launch("web").task.key.clone(), definition: None };
        let error = ours.stop(order).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Transient);
        let asked = api.calls().iter().filter(|call| call.starts_with("DELETE")).count();
        assert_eq!(asked, 5);
    });
}

#[test]
fn a_call_that_is_never_answered_ends() {
    in_virtual_time(async {
        let api = FakeApi::default();
        let ours = KubernetesOrchestrator::with_client(api.client(), "kecs");
        ours.ensure_cluster(&cluster()).await.unwrap();
        api.fail("POST", "/pods", [Fault::Silence]);
        let begin = Instant::now();
        let error = ours.launch(launch("web")).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Transient, "{error}");
        assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
        ours.launch(launch("web")).await.unwrap();
    });
}

#[test]
fn no_more_than_so_many_calls_are_under_way_at_once() {
    in_virtual_time(async {
        let api = FakeApi::default();
        let ours = KubernetesOrchestrator::with_client(api.client(), "kecs");
        ours.ensure_cluster(&cluster()).await.unwrap();
        api.slow_down(Duration::from_millis(10));
        let calls = (0..200).map(|_| ours.launch(launch("web")));
        for outcome in futures::future::join_all(calls).await {
            outcome.unwrap();
        }
        assert_eq!((api.most_at_once(), api.all("pods").len()), (32, 1));
    });
}
