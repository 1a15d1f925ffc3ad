//! Daemon task definitions, the names of things, and what a daemon is told.

use serde_json::{Value, json};

use crate::daemon::*;
use crate::error::EcsError;
use crate::generated as model;
use crate::model::{NetworkMode, PidMode};
use crate::{Scope, Timestamp};

fn scope() -> Scope {
    Scope::new("123456789012", "eu-central-1")
}

fn request(changes: Value) -> model::RegisterDaemonTaskDefinitionRequest {
    let mut request = json!({
        "family": "agent",
        "containerDefinitions": [{"name": "app", "image": "agent:1", "memory": 64}],
    });
    for (member, value) in changes.as_object().unwrap() {
        request[member] = value.clone();
    }
    serde_json::from_value(request).unwrap()
}

fn refused(changes: Value) -> EcsError {
    DaemonRegistration::new(request(changes)).unwrap_err()
}

#[test]
fn what_is_registered_reads_back_with_defaults_and_runs_as_a_task_definition() {
    let registration = DaemonRegistration::new(request(json!({
        "cpu": "0.25 vCPU",
        "pidMode": "shared",
        "volumes": [{"name": "logs", "logDriverVolumeConfiguration": {"driver": "json-file"}}],
    })))
    .unwrap();
    let now = Timestamp::from_millis(1_700_000_000_123);
    let (family, first) = registration.next_revision(&scope(), None, "me", now);
    assert_eq!(
        serde_json::to_value(&first.doc).unwrap(),
        json!({
            "daemonTaskDefinitionArn": "arn:aws:ecs:eu-central-1:123456789012:daemon-task-definition/agent:1",
            "family": "agent",
            "revision": 1,
            "containerDefinitions": [{
                "name": "app", "image": "agent:1", "memory": 64, "cpu": 0, "essential": true,
                "environment": [], "mountPoints": [], "systemControls": [],
            }],
            "volumes": [{"name": "logs", "logDriverVolumeConfiguration": {"driver": "json-file"}}],
            "cpu": "256",
            "status": "ACTIVE",
            "registeredAt": 1_700_000_000.123,
            "registeredBy": "me",
            "pidMode": "shared",
        })
    );
    let runs = first.working_copy();
    assert_eq!(runs.doc.network_mode, Some(NetworkMode::Bridge));
    assert_eq!(runs.doc.pid_mode, Some(PidMode::Host));
    let volume = &runs.doc.volumes.as_ref().unwrap()[0];
    assert_eq!(volume.host.as_ref().unwrap().source_path.as_deref(), Some(LOG_FILES));
    let (_, second) = registration.next_revision(&scope(), Some(&family), "me", now);
    assert_eq!(second.key.revision, 2);
}

#[test]
fn the_rules_of_task_definitions_hold() {
    for (changes, message) in [
        (json!({"containerDefinitions": []}), "Container list cannot be empty."),
        (json!({"family": "a b"}), "Family contains invalid characters."),
        (
            json!({"volumes": [{"name": "a"}, {"name": "a"}]}),
            "Volume names must be unique within a task definition",
        ),
        (json!({"tags": [{"key": "a"}]}), "Tag value can not be null."),
        (
            json!({"volumes": [{"name": "a", "logDriverVolumeConfiguration": {"driver": "syslog"}}]}),
            "Volume 'a': the only supported driver in logDriverVolumeConfiguration is json-file.",
        ),
        (
            json!({"volumes": [
                {"name": "a", "host": {}, "logDriverVolumeConfiguration": {"driver": "json-file"}},
            ]}),
            "Volume 'a' can not have both host and logDriverVolumeConfiguration.",
        ),
    ] {
        assert_eq!(refused(changes).message, message);
    }
}

#[test]
fn only_an_active_definition_is_deleted() {
    let registration = DaemonRegistration::new(request(json!({}))).unwrap();
    let now = Timestamp::from_millis(0);
    let (_, first) = registration.next_revision(&scope(), None, "me", now);
    let deleted = first.delete(now).unwrap();
    assert!(first.is_active() && !deleted.is_active());
    assert_eq!(deleted.doc.delete_requested_at, Some(now));
    assert!(deleted.delete(now).is_err());
}

#[test]
fn arns_are_read_back() {
    let arn = "arn:aws:ecs:eu-central-1:123456789012:daemon/main/agent";
    let key = daemon_ref(&scope(), arn).unwrap();
    assert_eq!(key.arn(), arn);
    assert_eq!(DaemonKey::of_resource(&key.resource()), Some(key.clone()));
    let revision = DaemonRevisionKey { daemon: key.clone(), id: DeploymentId::from_random(7) };
    let text = revision.arn();
    let (of, digits) = daemon_child_ref(&scope(), "daemon-revision", &text).unwrap();
    assert_eq!((of, DeploymentId::parse_number(digits)), (key, Some(revision.id)));
    for bad in [
        "agent",
        "arn:aws:ecs:eu-central-1:123456789012:daemon/agent",
        "arn:aws:ecs:eu-central-1:123456789012:daemon/main/agent/x",
        "arn:aws:ecs:eu-central-1:123456789012:service/main/agent",
        "arn:aws:ecs:eu-central-1:999999999999:daemon/main/agent",
    ] {
        assert!(daemon_ref(&scope(), bad).is_err(), "{bad}");
    }
}

#[test]
fn capacity_providers_are_named_by_arn_or_name_and_are_not_fargate_s() {
    let arn = "arn:aws:ecs:eu-central-1:123456789012:capacity-provider/mine".to_owned();
    let check = |given: &[&str]| {
        check_providers(&scope(), &given.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(check(&["mine"]), Ok(vec![arn.clone()]));
    assert_eq!(check(&[&arn]), Ok(vec![arn.clone()]));
    for bad in [&["FARGATE"][..], &[""], &["a b"], &["mine", &arn], &[]] {
        assert!(check(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_configuration_is_completed_and_checked() {
    let complete = configuration(None).unwrap();
    assert_eq!((complete.drain_percent, complete.bake_time_in_minutes), (Some(25.0), Some(0)));
    for bad in [
        json!({"bakeTimeInMinutes": -1}),
        json!({"bakeTimeInMinutes": 1441}),
        json!({"alarms": {"enable": true}}),
        json!({"alarms": {"enable": false, "alarmNames": [""]}}),
    ] {
        assert!(configuration(Some(&serde_json::from_value(bad.clone()).unwrap())).is_err(), "{bad}");
    }
}
