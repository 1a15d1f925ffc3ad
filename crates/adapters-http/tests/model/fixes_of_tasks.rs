//! The same for task definitions and tasks.

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::fixes::{clear, each, has, set, tags, tidy};
use crate::scene::ROLE;

fn container(dice: &mut Dice, network: bool) -> Value {
    let all = json!({
        "cpu": dice.below(100) + 2, "memoryReservation": 32, "essential": true,
        "portMappings": [{"containerPort": 80, "hostPort": if network { 80 } else { 0 }, "protocol": "tcp",
            "name": "http", "appProtocol": "http2"}],
        "restartPolicy": {"enabled": true, "ignoredExitCodes": [0, 137], "restartAttemptPeriod": 90},
        "entryPoint": ["sh", "-c"], "command": ["run", "", "é"], "environment": [{"name": "A", "value": ""}],
        "environmentFiles": [{"value": "arn:aws:s3:::bucket/file.env", "type": "s3"}],
        "mountPoints": [{"sourceVolume": "data", "containerPath": "/data", "readOnly": true}],
        "linuxParameters": {"initProcessEnabled": true, "capabilities": {"drop": ["ALL"]}},
        "secrets": [{"name": "S", "valueFrom": "arn:aws:ssm:eu-central-1:111122223333:parameter/x"}],
        "startTimeout": 60, "stopTimeout": 90, "versionConsistency": "disabled", "user": "1000:1000",
        "workingDirectory": "/w", "readonlyRootFilesystem": true, "interactive": true, "pseudoTerminal": true,
        "dockerLabels": {"a.b/c": "d", "": "e"}, "ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 2}],
        "logConfiguration": {"logDriver": "awslogs", "options": {
            "awslogs-group": "g", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "p"}},
        "healthCheck": {"command": ["CMD-SHELL", "true"], "interval": 6, "timeout": 3, "retries": 2, "startPeriod": 1},
        "systemControls": [{"namespace": "net.core.somaxconn", "value": "1024"}],
        "repositoryCredentials": {"credentialsParameter": "arn:aws:secretsmanager:eu-central-1:1:secret:x"},
    });
    let more = json!({
        "hostname": "h", "dnsServers": ["10.0.0.2"], "dnsSearchDomains": ["example.com"],
        "extraHosts": [{"hostname": "h", "ipAddress": "10.0.0.3"}], "disableNetworking": false, "privileged": true,
        "dockerSecurityOptions": ["no-new-privileges"], "resourceRequirements": [{"type": "GPU", "value": "1"}],
        "credentialSpecs": ["credentialspec:file:x"],
    });
    let mut made = json!({"name": "app", "image": "nginx:1", "memory": 64});
    let members = all.as_object().into_iter().flatten();
    let members = members.chain(more.as_object().into_iter().flatten().filter(|_| !network));
    for (member, value) in members {
        if dice.percent(35) {
            set(&mut made, member, value.clone());
        }
    }
    made
}

fn registration(request: &mut Value, dice: &mut Dice, network: bool) {
    tags(request);
    let mut first = container(dice, network);
    set(&mut first, "essential", json!(true));
    let mut second = json!({"name": "side", "image": "envoy", "memory": 16, "essential": false});
    if has(&first, "healthCheck") {
        set(&mut second, "dependsOn", json!([{"containerName": "app", "condition": "HEALTHY"}]));
        set(&mut second, "volumesFrom", json!([{"sourceContainer": "app", "readOnly": true}]));
    }
    set(request, "containerDefinitions", json!([first, second]));
    set(request, "executionRoleArn", json!(ROLE));
    let mut volumes = vec![json!({"name": "data", "host": {"sourcePath": "/data"}})];
    if network {
        volumes[0] = json!({"name": "data", "efsVolumeConfiguration": {
            "fileSystemId": "fs-1", "rootDirectory": "/", "transitEncryption": "ENABLED",
            "authorizationConfig": {"accessPointId": "fsap-1", "iam": "ENABLED"},
        }});
    }
    if dice.percent(30) {
        volumes.push(json!({"name": "more", "configuredAtLaunch": true}));
        let mount = json!({"sourceVolume": "more", "containerPath": "/more", "readOnly": false});
        set(&mut request["containerDefinitions"][1], "mountPoints", json!([mount]));
    }
    set(request, "volumes", json!(volumes));
    for member in ["placementConstraints", "inferenceAccelerators", "trustedExecutionConfiguration"] {
        clear(request, member);
    }
    if has(request, "proxyConfiguration") {
        set(
            request,
            "proxyConfiguration",
            json!({
                "type": "APPMESH", "containerName": "app", "properties": [
                {"name": "ProxyIngressPort", "value": "15000"}, {"name": "ProxyEgressPort", "value": "15001"},
                {"name": "AppPorts", "value": "80"}, {"name": "IgnoredUID", "value": "1337"},
            ],
            }),
        );
    }
}

pub(crate) fn on_instances(request: &mut Value, dice: &mut Dice) {
    registration(request, dice, false);
    set(request, "networkMode", json!(*dice.pick(&["bridge", "awsvpc"])));
    if request["networkMode"] == "awsvpc" {
        for container in 0..2 {
            let of = &mut request["containerDefinitions"][container];
            for member in
                ["hostname", "dnsServers", "dnsSearchDomains", "extraHosts", "links", "disableNetworking"]
            {
                clear(of, member);
            }
            each(&mut of["portMappings"], |_, mapping| set(mapping, "hostPort", json!(80)));
        }
    } else {
        clear(request, "proxyConfiguration");
    }
    if dice.percent(30) {
        let expression = "attribute:ecs.os-type == linux";
        set(request, "placementConstraints", json!([{"type": "memberOf", "expression": expression}]));
    }
    if has(request, "requiresCompatibilities") {
        set(request, "requiresCompatibilities", json!(["EC2"]));
    }
    for (member, value) in [("cpu", "2048"), ("memory", "4096")] {
        if has(request, member) {
            set(request, member, json!(value));
        }
    }
    if has(request, "runtimePlatform") {
        set(
            request,
            "runtimePlatform",
            json!({"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}),
        );
    }
    clear(request, "ephemeralStorage");
    tidy(request);
}

pub(crate) fn on_fargate(request: &mut Value, dice: &mut Dice) {
    registration(request, dice, true);
    set(request, "networkMode", json!("awsvpc"));
    set(request, "requiresCompatibilities", json!(["FARGATE"]));
    set(request, "cpu", json!("512"));
    set(request, "memory", json!("2048"));
    for member in ["ipcMode", "placementConstraints", "trustedExecutionConfiguration"] {
        clear(request, member);
    }
    if has(request, "pidMode") {
        set(request, "pidMode", json!("task"));
    }
    if has(request, "runtimePlatform") {
        set(
            request,
            "runtimePlatform",
            json!({"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}),
        );
    }
    if has(request, "ephemeralStorage") {
        set(request, "ephemeralStorage", json!({"sizeInGiB": 21 + dice.below(100)}));
    }
    tidy(request);
}

pub(crate) fn daemon_definition(request: &mut Value, dice: &mut Dice) {
    tags(request);
    let mut made = container(dice, true);
    for member in ["portMappings", "versionConsistency", "dockerLabels", "hostname"] {
        clear(&mut made, member);
    }
    set(request, "containerDefinitions", json!([made]));
    set(request, "executionRoleArn", json!(ROLE));
    let mut volumes = vec![json!({"name": "data", "host": {"sourcePath": "/data"}})];
    if dice.percent(50) {
        volumes.push(json!({"name": "logs", "logDriverVolumeConfiguration": {"driver": "json-file"}}));
    }
    set(request, "volumes", json!(volumes));
    for (member, value) in [("cpu", "2048"), ("memory", "4096")] {
        if has(request, member) {
            set(request, member, json!(value));
        }
    }
    tidy(request);
}

pub(crate) fn task(request: &mut Value, dice: &mut Dice) {
    tags(request);
    let fargate = request["launchType"] == "FARGATE" && has(request, "networkConfiguration");
    for member in [
        "capacityProviderStrategy",
        "count",
        "placementConstraints",
        "placementStrategy",
        "propagateTags",
        "volumeConfigurations",
        "clientToken",
        "enableECSManagedTags",
        "cluster",
    ] {
        clear(request, member);
    }
    if !fargate {
        clear(request, "networkConfiguration");
        clear(request, "platformVersion");
        if has(request, "launchType") {
            set(request, "launchType", json!("EC2"));
        }
    } else if has(request, "platformVersion") {
        set(request, "platformVersion", json!(*dice.pick(&["LATEST", "1.3.0"])));
    }
    let name = if fargate { "Main" } else { "app" };
    let overrides = &mut request["overrides"];
    if overrides.is_object() {
        if let Some(containers) = overrides["containerOverrides"].as_array_mut() {
            containers.truncate(1);
        }
        each(&mut overrides["containerOverrides"], |_, container| {
            set(container, "name", json!(name));
            for (member, least) in [("cpu", 1), ("memory", 32), ("memoryReservation", 8)] {
                if has(container, member) {
                    set(container, member, json!(least + dice.below(8)));
                }
            }
            clear(container, "resourceRequirements");
        });
        clear(overrides, "inferenceAcceleratorOverrides");
        // Fargate has no task of half an override.
        let both = fargate && (has(overrides, "cpu") || has(overrides, "memory"));
        for (member, value) in [("cpu", "512"), ("memory", "1024")] {
            if both || has(overrides, member) {
                set(overrides, member, json!(value));
            }
        }
        if has(overrides, "ephemeralStorage") {
            set(overrides, "ephemeralStorage", json!({"sizeInGiB": 21 + dice.below(100)}));
        }
    }
    tidy(request);
}
