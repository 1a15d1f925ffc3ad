//! Family, containers, their CPU and memory, and the order of the rules.

use serde_json::{Value, json};

use super::{client_errors, ec2, fargate, outcome, passes, refuses, with};
use crate::error::ErrorCode;

#[test]
fn the_bases_of_these_tables_are_right() {
    passes(ec2(), json!({}));
    passes(fargate(), json!({}));
}

#[test]
fn family_and_containers() {
    let eleven: Vec<_> = (0..11).map(|n| json!({"name": n.to_string(), "image": "i", "memory": 8})).collect();
    let long = "x".repeat(70_000);
    client_errors(
        ec2,
        &[
            (json!({"family": "we b"}), "Family contains invalid characters."),
            (json!({"family": "a".repeat(256)}), "Family contains invalid characters."),
            (json!({"family": ""}), "Family should not be null or empty."),
            (json!({"containerDefinitions": []}), "Container list cannot be empty."),
            (json!({"containerDefinitions": eleven}), "Too many containers."),
            (json!({"app": {"essential": false}}), "Task definition doesn't have any essential container."),
            (json!({"app": {"image": null}}), "Container.image should not be null or empty."),
            (json!({"app": {"image": ""}}), "Container.image should not be null or empty."),
            (json!({"app": {"name": null}}), "Container.name should not be null or empty."),
            (json!({"app": {"name": "a/b"}}), "Container.name contains invalid characters."),
        ],
    );
    let twice = json!([{"name": "a", "image": "i"}, {"name": "a", "image": "i"}]);
    client_errors(
        fargate,
        &[(
            json!({"containerDefinitions": twice}),
            "Container names must be unique within a task definition",
        )],
    );
    let error = outcome(with(ec2(), &json!({"app": {"command": [long]}}))).unwrap_err();
    assert!(error.message.starts_with("Actual length: '70"), "{}", error.message);
    assert!(error.message.ends_with("'. Max allowed length is '65536' bytes."), "{}", error.message);
}

#[test]
fn memory_of_containers() {
    let none = "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be specified.";
    client_errors(
        ec2,
        &[
            (json!({"app": {"memory": null}}), none),
            (json!({"app": {"memory": 0}}), none),
            (
                json!({"app": {"memory": 64, "memoryReservation": 65}}),
                "Invalid setting for container 'app'. 'memory' must be greater than or equal to 'memoryReservation'.",
            ),
            (
                json!({"memory": "64", "app": {"memory": 65}}),
                "The 'memory' setting for container 'app' is greater than for the task",
            ),
            (json!({"app": {"memory": 3}}), "Invalid 'memory' setting for container 'app'."),
            (
                json!({"app": {"memoryReservation": -1}}),
                "Invalid 'memoryReservation' setting for container 'app'.",
            ),
        ],
    );
    passes(ec2(), json!({"app": {"memory": null, "memoryReservation": 64}}));
    passes(ec2(), json!({"app": {"memory": 64, "memoryReservation": 64}}));
    passes(ec2(), json!({"memory": "0.5 GB", "app": {"memory": null}}));
}

#[test]
fn cpu_of_task_and_containers() {
    for cpu in ["", "x", "0", "127", "196609", "1 GB"] {
        refuses(ec2(), json!({"cpu": cpu}), ErrorCode::InvalidParameter, "Invalid 'cpu' setting for task.");
    }
    refuses(ec2(), json!({"memory": "x"}), ErrorCode::InvalidParameter, "Invalid 'memory' setting for task.");
    let sum = "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.";
    client_errors(
        ec2,
        &[
            (json!({"cpu": "128", "app": {"cpu": 129}}), sum),
            (json!({"app": {"cpu": -1}}), "Invalid 'cpu' setting for container 'app'."),
        ],
    );
    passes(ec2(), json!({"cpu": ".125 vCPU", "app": {"cpu": 128}}));
}

#[test]
fn rules_are_checked_in_the_order_cpu_format_essential_network_mode() {
    let all = json!({"cpu": "", "networkMode": "host", "containerDefinitions": [{"name": "a", "image": "b", "essential": false}]});
    let broken = |fixed: Value| with(with(fargate(), &all), &fixed);
    refuses(broken(json!({})), json!({}), ErrorCode::InvalidParameter, "Invalid 'cpu' setting for task.");
    let essential = "Task definition doesn't have any essential container.";
    refuses(broken(json!({"cpu": "256"})), json!({}), ErrorCode::Client, essential);
    let containers = json!({"cpu": "256", "containerDefinitions": [{"name": "a", "image": "b"}]});
    let network = "Fargate only supports network mode ‘awsvpc’.";
    refuses(broken(containers), json!({}), ErrorCode::Client, network);
}
