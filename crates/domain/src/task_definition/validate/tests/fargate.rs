//! The rules that only tasks for Fargate have.

use serde_json::{Value, json};

use super::{client_errors, ec2, fargate, passes, with};

#[test]
fn fargate_sizes_and_network() {
    let memory = "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be specified.";
    let sized = json!([{"name": "app", "image": "nginx", "memory": 128}]);
    client_errors(
        fargate,
        &[
            (
                json!({"memory": "4096"}),
                "No Fargate configuration exists for given values: 256 CPU, 4096 memory. See the Amazon ECS documentation for the valid values.",
            ),
            (
                json!({"cpu": "0.25 vCPU", "memory": "4 GB"}),
                "No Fargate configuration exists for given values: 256 CPU, 4096 memory. See the Amazon ECS documentation for the valid values.",
            ),
            (json!({"networkMode": "bridge"}), "Fargate only supports network mode ‘awsvpc’."),
            (json!({"networkMode": null}), "Fargate only supports network mode ‘awsvpc’."),
            (json!({"cpu": null}), "Fargate requires that 'cpu' be defined at the task level."),
            (json!({"memory": null}), memory),
            (
                json!({"memory": null, "containerDefinitions": sized}),
                "Fargate requires that 'memory' be defined at the task level.",
            ),
        ],
    );
}

#[test]
fn fargate_platforms() {
    let windows = |family: &str, architecture: &str| {
        json!({
            "cpu": "1024",
            "memory": "2048",
            "runtimePlatform": {"operatingSystemFamily": family, "cpuArchitecture": architecture},
        })
    };
    client_errors(
        fargate,
        &[
            (
                windows("WINDOWS_SERVER_2016_FULL", "X86_64"),
                "Tasks using the Fargate launch type are not supported on operating system family WINDOWS_SERVER_2016_FULL",
            ),
            (windows("WINDOWS_SERVER_2022_CORE", "ARM64"), "Invalid CPU architecture"),
            (
                with(windows("WINDOWS_SERVER_2022_CORE", "X86_64"), &json!({"cpu": "512", "memory": "1024"})),
                "No Fargate configuration exists for given values: 512 CPU, 1024 memory. See the Amazon ECS documentation for the valid values.",
            ),
        ],
    );
    passes(fargate(), windows("WINDOWS_SERVER_2022_CORE", "X86_64"));
    passes(fargate(), windows("LINUX", "ARM64"));
    passes(ec2(), json!({"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2016_FULL"}}));
}

#[test]
fn what_fargate_refuses() {
    let linux = |members: Value| json!({"app": {"linuxParameters": members}});
    let memory_of =
        |constraint: &str| json!({"placementConstraints": [{"type": "memberOf", "expression": constraint}]});
    let ecr = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app";
    client_errors(
        fargate,
        &[
            (
                memory_of("attribute:a exists"),
                "Fargate compatible task definitions do not support constraints",
            ),
            (
                json!({"app": {"privileged": true}}),
                "Fargate requires that the 'privileged' setting be 'false'",
            ),
            (json!({"ipcMode": "task"}), "Fargate compatible task definitions do not support ipcMode"),
            (
                json!({"pidMode": "host"}),
                "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.",
            ),
            (
                json!({"volumes": [{"name": "v", "dockerVolumeConfiguration": {}}]}),
                "Fargate compatible task definitions do not support dockerVolumeConfiguration",
            ),
            (
                json!({"volumes": [{"name": "v", "host": {"sourcePath": "/srv"}}]}),
                "Fargate compatible task definitions do not support sourcePath",
            ),
            (
                json!({"app": {"dockerSecurityOptions": ["no-new-privileges"]}}),
                "Fargate compatible task definitions do not support dockerSecurityOptions",
            ),
            (
                linux(json!({"devices": [{"hostPath": "/dev/a"}]})),
                "Fargate compatible task definitions do not support devices",
            ),
            (
                linux(json!({"sharedMemorySize": 64})),
                "Fargate compatible task definitions do not support sharedMemorySize",
            ),
            (linux(json!({"maxSwap": 64})), "Fargate compatible task definitions do not support maxSwap"),
            (
                linux(json!({"swappiness": 1})),
                "Fargate compatible task definitions do not support swappiness",
            ),
            (linux(json!({"capabilities": {"add": ["NET_ADMIN"]}})), "NET_ADMIN is not allowed on Fargate."),
            (
                json!({"app": {"resourceRequirements": [{"type": "GPU", "value": "1"}]}}),
                "Tasks using the Fargate launch type do not support GPU resource requirements",
            ),
            (
                json!({"executionRoleArn": null, "app": {"image": ecr}}),
                "Fargate requires task definition to have execution role ARN to support ECR images.",
            ),
        ],
    );
    passes(fargate(), json!({"pidMode": "task", "app": {"privileged": false, "image": ecr}}));
    passes(
        fargate(),
        linux(json!({"capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]}, "initProcessEnabled": true})),
    );
    passes(fargate(), json!({"volumes": [{"name": "v", "host": {}}]}));
    passes(ec2(), memory_of("attribute:a exists"));
    passes(ec2(), json!({"app": {"privileged": true, "image": ecr}}));
}
