//! Tables: a registration that is right, one change to it, and what ECS says of that.

mod containers;
mod fargate;
mod network;
mod ordering;
mod settings;
mod volumes;

use serde_json::{Value, json};

use super::check;
use crate::error::{EcsError, ErrorCode};

/// One container on EC2.
fn ec2() -> Value {
    json!({"family": "web", "containerDefinitions": [{"name": "app", "image": "nginx", "memory": 128}]})
}

/// Two containers on Fargate, the second of which needn't run.
fn fargate() -> Value {
    json!({
        "family": "web",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
        "containerDefinitions": [
            {"name": "app", "image": "nginx"},
            {"name": "side", "image": "nginx", "essential": false},
        ],
    })
}

/// The registration with members set (or, with null, taken away), those of its first container under `app`.
fn with(mut request: Value, changes: &Value) -> Value {
    for (member, value) in changes.as_object().unwrap() {
        if member == "app" {
            request["containerDefinitions"][0] = with(request["containerDefinitions"][0].clone(), value);
        } else if value.is_null() {
            request.as_object_mut().unwrap().remove(member);
        } else {
            request[member] = value.clone();
        }
    }
    request
}

fn outcome(request: Value) -> Result<(), EcsError> {
    check(&serde_json::from_value(request).unwrap())
}

#[track_caller]
fn passes(base: Value, changes: Value) {
    assert_eq!(outcome(with(base, &changes)), Ok(()), "{changes}");
}

#[track_caller]
fn refuses(base: Value, changes: Value, code: ErrorCode, message: &str) {
    let error = outcome(with(base, &changes)).expect_err(message);
    assert_eq!((error.code, error.message.as_str()), (code, message), "{changes}");
}

/// Each row is a `ClientException`.
#[track_caller]
fn client_errors(base: fn() -> Value, rows: &[(Value, &str)]) {
    for (changes, message) in rows {
        refuses(base(), changes.clone(), ErrorCode::Client, message);
    }
}
