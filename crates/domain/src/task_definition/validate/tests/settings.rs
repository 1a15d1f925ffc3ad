//! Logs, secrets, health, kernel and placement.

use serde_json::{Value, json};

use super::{client_errors, ec2, fargate, outcome, passes, with};

#[test]
fn logging() {
    let log = |driver: &str, options: Value| json!({"app": {"logConfiguration": {"logDriver": driver, "options": options}}});
    let router = "When awsfirelens log driver is specified in log configuration, a firelens configuration object must be specified.";
    let full = json!({"awslogs-region": "r", "awslogs-group": "g", "awslogs-stream-prefix": "p"});
    let without_role = |mut changes: Value| {
        changes["executionRoleArn"] = Value::Null;
        changes
    };
    client_errors(
        fargate,
        &[
            (
                log("json-file", json!({})),
                "json-file is not a valid log driver. Must be one of [awslogs,splunk,awsfirelens]",
            ),
            (log("awslogs", json!({})), "Log driver awslogs requires options: awslogs-region, awslogs-group"),
            (
                log("awslogs", json!({"awslogs-region": "r"})),
                "Log driver awslogs requires options: awslogs-group",
            ),
            (
                log("awslogs", json!({"awslogs-region": "r", "awslogs-group": "g"})),
                "Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.",
            ),
            (
                without_role(log("awslogs", full.clone())),
                "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
            ),
            (log("splunk", json!({"splunk-url": "u"})), "Log driver splunk requires options: splunk-token"),
            (log("awsfirelens", json!({})), router),
        ],
    );
    passes(fargate(), log("awslogs", full.clone()));
    passes(ec2(), log("json-file", json!({})));
    passes(ec2(), log("awslogs", json!({"awslogs-region": "r", "awslogs-group": "g"})));
    let sides = json!([
        {"name": "app", "image": "i", "logConfiguration": {"logDriver": "awsfirelens"}},
        {"name": "log", "image": "i", "firelensConfiguration": {"type": "fluentbit"}},
    ]);
    passes(fargate(), json!({"containerDefinitions": sides}));
    let s3 = json!({"app": {"firelensConfiguration": {"type": "fluentbit", "options": {"config-file-type": "s3"}}}});
    client_errors(fargate, &[(s3.clone(), "Fargate only supports the config-file-type 'file'.")]);
    passes(ec2(), s3);
}

#[test]
fn secrets_and_environment_files() {
    let role =
        "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.";
    let secret = json!([{"name": "A", "valueFrom": "a"}]);
    let log = json!({"logDriver": "syslog", "secretOptions": secret.clone()});
    client_errors(
        ec2,
        &[
            (json!({"app": {"secrets": secret.clone()}}), role),
            (json!({"executionRoleArn": "", "app": {"secrets": secret.clone()}}), role),
            (json!({"app": {"logConfiguration": log}}), role),
        ],
    );
    let taken = "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'A'.";
    let files = |values: &[&str]| -> Vec<Value> {
        values.iter().map(|value| json!({"value": value, "type": "s3"})).collect()
    };
    let arn = "arn:aws:s3:::bucket/app.env";
    client_errors(
        fargate,
        &[
            (json!({"app": {"secrets": secret.clone(), "environment": [{"name": "A", "value": ""}]}}), taken),
            (json!({"app": {"secrets": [secret[0], secret[0]]}}), taken),
            (
                json!({"app": {"secrets": [{"name": "", "valueFrom": "a"}]}}),
                "Invalid 'secrets' setting for container 'app'.",
            ),
            (
                json!({"app": {"environmentFiles": files(&[arn; 11])}}),
                "The maximum number of environment files was exceeded. Specify ten or less and try again.",
            ),
            (json!({"app": {"environmentFiles": files(&["app.env"])}}), "Invalid arn syntax."),
            (
                json!({"app": {"environmentFiles": files(&["arn:aws:s3:::bucket/app.txt"])}}),
                "The environment file 'arn:aws:s3:::bucket/app.txt' must have the extension .env.",
            ),
        ],
    );
    passes(fargate(), json!({"app": {"secrets": secret, "environmentFiles": files(&[arn])}}));
}

#[test]
fn health_checks_and_restarts() {
    let health = |member: &str, value: i32| json!({"app": {"healthCheck": {"command": ["CMD", "true"], member: value}}});
    for (member, least, most) in
        [("interval", 5, 300), ("timeout", 2, 60), ("retries", 1, 10), ("startPeriod", 0, 300)]
    {
        let message = format!(
            "the 'healthCheck.{member}' setting for container 'app' must be between {least} and {most}"
        );
        client_errors(ec2, &[(health(member, least - 1), &message), (health(member, most + 1), &message)]);
        passes(ec2(), health(member, least));
        passes(ec2(), health(member, most));
    }
    let restart =
        |members: Value| json!({"app": {"restartPolicy": with(json!({"enabled": true}), &members)}});
    client_errors(
        ec2,
        &[
            (
                json!({"app": {"healthCheck": {"command": []}}}),
                "The health check of container 'app' must have a command.",
            ),
            (
                restart(json!({"restartAttemptPeriod": 59})),
                "the 'restartAttemptPeriod' setting for container 'app' must be between 60 and 1800",
            ),
            (restart(json!({"ignoredExitCodes": vec![1; 51]})), "ignoredExitCodes can have at most 50 items"),
        ],
    );
    passes(ec2(), restart(json!({"restartAttemptPeriod": 1800, "ignoredExitCodes": [0]})));
}

#[test]
fn limits_of_the_kernel_and_the_hardware() {
    let ulimit = |soft: i32, hard: i32| json!({"app": {"ulimits": [{"name": "nofile", "softLimit": soft, "hardLimit": hard}]}});
    let linux = |members: Value| json!({"app": {"linuxParameters": members}});
    let control =
        |namespace: &str| json!({"app": {"systemControls": [{"namespace": namespace, "value": "1"}]}});
    let requires =
        |kind: &str, value: Value| json!({"app": {"resourceRequirements": [{"type": kind, "value": value}]}});
    let requirement = "Invalid 'resourceRequirements' setting for container 'app'.";
    client_errors(
        ec2,
        &[
            (ulimit(2, 1), "Soft limit exceeds hard limit for ulimit nofile"),
            (ulimit(-1, 1), "Soft limit exceeds hard limit for ulimit nofile"),
            (linux(json!({"capabilities": {"drop": ["FLY"]}})), "FLY is not a valid kernel capability."),
            (linux(json!({"swappiness": 101})), "Invalid 'swappiness' setting for container 'app'."),
            (linux(json!({"maxSwap": -1})), "Invalid 'maxSwap' setting for container 'app'."),
            (
                linux(json!({"sharedMemorySize": 0})),
                "Invalid 'sharedMemorySize' setting for container 'app'.",
            ),
            (
                linux(json!({"tmpfs": [{"containerPath": "a", "size": 1}]})),
                "Invalid 'tmpfs' setting for container 'app'.",
            ),
            (linux(json!({"devices": [{"hostPath": ""}]})), "Invalid 'devices' setting for container 'app'."),
            (control("vm.swappiness"), "Invalid 'systemControls' setting for container 'app'."),
            (
                with(control("net.core.somaxconn"), &json!({"networkMode": "host"})),
                "Network namespace systemControls are not supported when networkMode=host.",
            ),
            (
                with(control("fs.mqueue.msg_max"), &json!({"ipcMode": "host"})),
                "IPC namespace systemControls are not supported when ipcMode=host.",
            ),
            (requires("GPU", json!("0")), requirement),
            (requires("GPU", Value::Null), requirement),
            (requires("NeuronDevice", json!("1")), requirement),
            (requires("InferenceAccelerator", json!("a")), "Unsupported field 'inferenceAccelerators'."),
            (
                json!({"inferenceAccelerators": [{"deviceName": "a", "deviceType": "b"}]}),
                "Unsupported field 'inferenceAccelerators'.",
            ),
            (json!({"app": {"credentialSpecs": ["a", "b"]}}), "credentialSpecs can have at most 1 items"),
        ],
    );
    passes(ec2(), ulimit(1024, -1));
    passes(ec2(), control("kernel.shmmax"));
    passes(ec2(), requires("GPU", json!("ALL")));
    passes(
        ec2(),
        linux(json!({"tmpfs": [{"containerPath": "/t", "size": 1}], "swappiness": 100, "maxSwap": 0})),
    );
}

#[test]
fn placement_constraints() {
    let constraint = |expression: Value| json!({"type": "memberOf", "expression": expression});
    let many = vec![constraint(json!("attribute:a exists")); 11];
    client_errors(
        ec2,
        &[
            (json!({"placementConstraints": many}), "placementConstraints can have at most 10 items"),
            (
                json!({"placementConstraints": [constraint(Value::Null)]}),
                "memberOf expression should be specified.",
            ),
            (
                json!({"placementConstraints": [{"expression": "attribute:a exists"}]}),
                "Placement constraint type should be one of [memberOf]",
            ),
        ],
    );
    let broken = json!({"placementConstraints": [constraint(json!("attribute:a =~ "))]});
    let error = outcome(with(ec2(), &broken)).unwrap_err();
    assert!(error.message.starts_with("Invalid expression: expected"), "{}", error.message);
    passes(ec2(), json!({"placementConstraints": vec![constraint(json!("attribute:a exists")); 10]}));
}
