//! Which attributes follow from what.

use serde_json::{Value, json};

use super::*;

const ECR: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:1";

fn derived(definition: Value) -> Vec<String> {
    let definition = serde_json::from_value(definition).unwrap();
    derive(&definition).unwrap_or_default().into_iter().map(|attribute| attribute.name).collect()
}

/// The attributes of a container, with and without an execution role.
fn of(container: Value, role: bool) -> Vec<String> {
    let role = role.then_some("arn:aws:iam::123456789012:role/execution");
    derived(json!({"containerDefinitions": [container], "executionRoleArn": role}))
}

#[test]
fn a_plain_task_definition_requires_nothing() {
    let definition = serde_json::from_value(json!({"containerDefinitions": [{"image": "nginx"}]})).unwrap();
    assert_eq!(derive(&definition), None);
}

#[test]
fn attributes_follow_from_what_a_container_uses() {
    let c = |name: &str| format!("com.amazonaws.ecs.capability.{name}");
    let e = |name: &str| format!("ecs.capability.{name}");
    let awslogs = json!({"logConfiguration": {"logDriver": "awslogs"}});
    let logs = [c("logging-driver.awslogs"), c("docker-remote-api.1.19")];
    assert_eq!(of(awslogs.clone(), false), logs);
    let role = e("execution-role-awslogs");
    assert_eq!(of(awslogs, true), [logs[0].clone(), role, logs[1].clone()]);
    assert_eq!(
        of(json!({"logConfiguration": {"logDriver": "json-file"}}), true),
        [c("logging-driver.json-file")]
    );
    assert_eq!(of(json!({"image": ECR}), false), [c("ecr-auth")]);
    assert_eq!(of(json!({"image": ECR}), true), [c("ecr-auth"), e("execution-role-ecr-pull")]);
    assert_eq!(of(json!({"image": "nginx@sha256:0"}), false), [c("docker-remote-api.1.21")]);
    assert_eq!(of(json!({"memoryReservation": 64}), false), [c("docker-remote-api.1.21")]);
    assert_eq!(
        of(json!({"healthCheck": {"command": ["CMD", "true"]}}), false),
        [c("docker-remote-api.1.24"), e("container-health-check")]
    );
    let late = json!({"healthCheck": {"command": ["CMD", "true"], "startPeriod": 0}});
    assert_eq!(of(late, false), [e("container-health-check"), c("docker-remote-api.1.29")]);
    assert_eq!(of(json!({"user": "1337"}), false), [c("docker-remote-api.1.17")]);
    let init = json!({"linuxParameters": {"initProcessEnabled": true}});
    assert_eq!(of(init, false), [c("docker-remote-api.1.25")]);
    for (option, version) in [("awslogs-create-group", "29"), ("mode", "28"), ("max-buffer-size", "28")] {
        let container = json!({"logConfiguration": {"logDriver": "awslogs", "options": {option: "x"}}});
        assert!(of(container, false).contains(&c(&format!("docker-remote-api.1.{version}"))), "{option}");
    }
    for member in [
        json!({"startTimeout": 2}),
        json!({"stopTimeout": 2}),
        json!({"dependsOn": [{"containerName": "a", "condition": "START"}]}),
    ] {
        assert_eq!(of(member, false), [e("container-ordering")]);
    }
    let secrets = json!({"secrets": [
        {"name": "a", "valueFrom": "plain-name"},
        {"name": "b", "valueFrom": "arn:aws:ssm:eu-central-1:123456789012:parameter/b"},
        {"name": "c", "valueFrom": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:c"},
    ]});
    assert_eq!(
        of(secrets, true),
        [e("secrets.asm.environment-variables"), e("secrets.ssm.environment-variables")]
    );
}

#[test]
fn attributes_follow_from_what_the_task_uses() {
    assert_eq!(
        derived(json!({"networkMode": "awsvpc"})),
        ["com.amazonaws.ecs.capability.docker-remote-api.1.18", "ecs.capability.task-eni"]
    );
    assert_eq!(derived(json!({"taskRoleArn": "arn"})), ["com.amazonaws.ecs.capability.task-iam-role"]);
    assert_eq!(
        derived(json!({"volumes": [{"name": "a", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]})),
        [
            "ecs.capability.efsAuth",
            "ecs.capability.efs",
            "com.amazonaws.ecs.capability.docker-remote-api.1.25"
        ]
    );
}

#[test]
fn each_attribute_is_named_once() {
    let container = json!({"memoryReservation": 64});
    assert_eq!(derived(json!({"containerDefinitions": [container.clone(), container]})).len(), 1);
}

#[test]
fn an_image_of_ecr_is_told_by_its_host() {
    assert!(is_ecr(ECR));
    assert!(is_ecr("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/app"));
    assert!(is_ecr("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app"));
    for image in
        ["nginx", "public.ecr.aws/nginx", "12345.dkr.ecr.eu.amazonaws.com/a", "x.dkr.ecr.eu.example/a"]
    {
        assert!(!is_ecr(image), "{image}");
    }
}
