//! `dependsOn` and timeouts.

use serde_json::{Value, json};

use super::{client_errors, ec2, fargate, passes, with};

/// A container that waits for `side`.
fn waits(condition: &str, side: Value) -> Value {
    let app = json!({"name": "app", "image": "i", "dependsOn": [{"containerName": "side", "condition": condition}]});
    json!({"containerDefinitions": [app, with(json!({"name": "side", "image": "i"}), &side)]})
}

#[test]
fn dependencies() {
    let essential =
        "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container";
    let health = "A dependency container with HEALTHY condition must have health check configured";
    let back = json!({"dependsOn": [{"containerName": "app", "condition": "START"}]});
    let itself = json!({"dependsOn": [{"containerName": "app", "condition": "START"}]});
    let unknown = json!({"dependsOn": [{"containerName": "db", "condition": "START"}]});
    client_errors(
        fargate,
        &[
            (json!({"app": unknown}), "Cannot depend on container + 'db' because it does not exist"),
            (waits("START", back), "Container dependsOn contains a cycle"),
            (json!({"app": itself}), "Container dependsOn contains a cycle"),
            (waits("SUCCESS", json!({})), essential),
            (waits("COMPLETE", json!({"essential": true})), essential),
            (waits("HEALTHY", json!({})), health),
        ],
    );
    passes(fargate(), waits("START", json!({})));
    passes(fargate(), waits("SUCCESS", json!({"essential": false})));
    passes(fargate(), waits("HEALTHY", json!({"healthCheck": {"command": ["CMD", "true"]}})));
    // A diamond is no circle.
    let on = |names: &[&str]| -> Vec<Value> {
        names.iter().map(|name| json!({"containerName": name, "condition": "START"})).collect()
    };
    let diamond = [("a", on(&["b", "c"])), ("b", on(&["d"])), ("c", on(&["d"])), ("d", on(&[]))];
    let diamond = diamond.map(|(name, on)| json!({"name": name, "image": "i", "dependsOn": on}));
    passes(fargate(), json!({"containerDefinitions": diamond}));
}

#[test]
fn timeouts() {
    client_errors(
        fargate,
        &[
            (
                json!({"app": {"startTimeout": 1}}),
                "Granular start timeout on container 'app' must be at least 2 seconds.",
            ),
            (
                json!({"app": {"stopTimeout": 1}}),
                "Granular stop timeout on container 'app' must be at least 2 seconds.",
            ),
            (
                json!({"app": {"stopTimeout": 121}}),
                "Tasks using the Fargate launch type must have a container stop timeout of less than 120 seconds.",
            ),
        ],
    );
    passes(fargate(), json!({"app": {"startTimeout": 121, "stopTimeout": 120}}));
    passes(ec2(), json!({"app": {"startTimeout": 2, "stopTimeout": 121}}));
}
