//! Tags, wherever a request can carry them: their limits, and that a request which breaks one leaves nothing behind.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::scene::{self, ROLE, Scene};
use crate::schema::{Kind, MODEL};
use crate::view::everything;
use crate::world::{ME, World};

/// How many operations have tags.
const CASES: usize = 13;

/// For each operation with tags: a request, and where its answer tells the ARN of what has them. None: in the request.
fn cases(scene: &Scene) -> Vec<(&'static str, Value, Option<&'static str>)> {
    vec![
        (
            "CreateCapacityProvider",
            json!({"name": "new", "autoScalingGroupProvider": {"autoScalingGroupArn": "x"}}),
            Some("/capacityProvider/capacityProviderArn"),
        ),
        ("CreateCluster", json!({"clusterName": "new"}), Some("/cluster/clusterArn")),
        (
            "CreateDaemon",
            json!({
                "daemonName": "new", "daemonTaskDefinitionArn": ME.arn("daemon-task-definition/agent:1"),
                "capacityProviderArns": [ME.arn("capacity-provider/managed")],
            }),
            Some("/daemonArn"),
        ),
        (
            "CreateExpressGatewayService",
            json!({
                "serviceName": "newer", "infrastructureRoleArn": ROLE, "executionRoleArn": ROLE,
                "primaryContainer": {"image": "nginx"},
            }),
            Some("/service/serviceArn"),
        ),
        (
            "CreateGateway",
            json!({"name": "new", "infrastructureRoleArn": ROLE, "configuration": {"hostSharedAlb": {}}}),
            Some("/gatewayArn"),
        ),
        (
            "CreateService",
            json!({"serviceName": "new", "taskDefinition": "web", "desiredCount": 0}),
            Some("/service/serviceArn"),
        ),
        (
            "CreateTaskSet",
            json!({"cluster": "default", "service": "sets", "taskDefinition": "web"}),
            Some("/taskSet/taskSetArn"),
        ),
        (
            "RegisterContainerInstance",
            json!({"totalResources": scene::resources()}),
            Some("/containerInstance/containerInstanceArn"),
        ),
        (
            "RegisterDaemonTaskDefinition",
            json!({"family": "new", "containerDefinitions": [{"name": "a", "image": "a", "memory": 16}]}),
            Some("/daemonTaskDefinitionArn"),
        ),
        ("RegisterTaskDefinition", scene::definition("new"), Some("/taskDefinition/taskDefinitionArn")),
        ("RunTask", json!({"taskDefinition": "web"}), Some("/tasks/0/taskArn")),
        (
            "StartTask",
            json!({"taskDefinition": "web", "containerInstances": [scene.agent]}),
            Some("/tasks/0/taskArn"),
        ),
        ("TagResource", json!({"resourceArn": ME.arn("service/default/far")}), None),
    ]
}

fn tag(key: impl Into<Value>, value: impl Into<Value>) -> Value {
    json!({"key": key.into(), "value": value.into()})
}

fn numbered(count: usize) -> Value {
    (0..count).map(|n| tag(format!("k{n}"), "v")).collect()
}

/// Tags that are legal.
fn legal() -> Vec<Value> {
    vec![
        json!([]),
        json!([tag("k", "")]),
        json!([tag("k", "v"), tag("K", "v")]),
        json!([tag("größe 大きさ _.:/=+-@", "größe 大きさ _.:/=+-@")]),
        json!([tag("ä".repeat(128), "ä".repeat(256))]),
        json!([tag("awsx", "not aws:")]),
        numbered(50),
    ]
}

/// Tags that break a limit.
fn illegal() -> Vec<Value> {
    vec![
        numbered(51),
        json!([tag("a".repeat(129), "v")]),
        json!([tag("k", "a".repeat(257))]),
        json!([tag("", "v")]),
        json!([{"value": "v"}]),
        json!([{"key": "k"}]),
        json!([tag("k", Value::Null)]),
        json!([tag(Value::Null, "v")]),
        json!([{}]),
        json!([tag("k", "v"), tag("k", "w")]),
        json!([tag("k", "v"), tag("k", "v")]),
        json!([tag("aws:k", "v")]),
        json!([tag("AWS:k", "v")]),
        json!([tag("aWs:ecs:clusterName", "v")]),
        json!([tag("k", "aws:v")]),
        json!([tag("k!", "v")]),
        json!([tag("k", "v\n")]),
        json!([tag("k", "<v>")]),
        json!([tag("good", "v"), tag("k", Value::Null)]),
    ]
}

fn sorted(tags: &Value) -> Vec<String> {
    let mut tags: Vec<String> = tags.as_array().into_iter().flatten().map(Value::to_string).collect();
    tags.sort();
    tags
}

#[test]
fn every_request_with_tags_keeps_their_limits() {
    let world = World::new();
    let scene = scene::fill(&world);
    let cases = cases(&scene);
    assert_eq!(cases.len(), CASES);
    let tried: BTreeSet<&str> = cases.iter().map(|(operation, ..)| *operation).collect();
    let tagged = MODEL.operations.iter().filter(|operation| {
        operation.request.member("tags").is_some_and(|tags| matches!(tags.kind, Kind::List(_)))
    });
    assert_eq!(tried, tagged.map(|operation| operation.name.as_str()).collect());
    // What is wrong with tags is said in the same words everywhere.
    let mut words: BTreeMap<String, String> = BTreeMap::new();
    for (operation, request, _) in &cases {
        let before = everything(&world, ME);
        for tags in illegal() {
            let mut request = request.clone();
            request["tags"] = tags.clone();
            let answer = world.ask(ME, operation, &request);
            assert_eq!(answer.status, 400, "{operation} with {tags}: {}", answer.body);
            let (code, message) = answer.error();
            // Of task definitions nearly everything is a ClientException.
            let expected = match *operation {
                "RegisterTaskDefinition" | "RegisterDaemonTaskDefinition" => "ClientException",
                _ => "InvalidParameterException",
            };
            assert_eq!(code, expected, "{operation} with {tags}: {message}");
            let said = words.entry(tags.to_string()).or_insert(message.to_owned());
            assert_eq!(message, said, "{operation} with {tags}");
        }
        assert_eq!(everything(&world, ME), before, "{operation}: what is refused leaves nothing");
    }
}

#[test]
fn legal_tags_read_back_as_they_were_sent() {
    for n in 0..legal().len() {
        // In a world of its own: a new daemon holds the instances that a task needs.
        for at in 0..CASES {
            let world = World::new();
            let (operation, mut request, arn) = cases(&scene::fill(&world)).swap_remove(at);
            let tags = &legal()[n];
            request["tags"] = tags.clone();
            // Recorded: an empty list is refused with task definitions, and with nothing else.
            if operation.ends_with("TaskDefinition") && *tags == json!([]) {
                let refused = world.ask(ME, operation, &request);
                assert_eq!(refused.status, 400, "{operation}");
                continue;
            }
            let answer = world.ok(operation, &request);
            let arn = arn.map_or(&request["resourceArn"], |at| answer.pointer(at).unwrap_or(&Value::Null));
            let shown = world.ok("ListTagsForResource", &json!({"resourceArn": arn}));
            assert_eq!(sorted(&shown["tags"]), sorted(tags), "{operation}");
            // One by one they go again; one that isn't there is no mistake.
            let keys: Vec<&Value> = tags.as_array().into_iter().flatten().map(|tag| &tag["key"]).collect();
            for key in keys.iter().take(3).copied().chain([&json!("absent")]) {
                world.ok("UntagResource", &json!({"resourceArn": arn, "tagKeys": [key]}));
            }
            let shown = world.ok("ListTagsForResource", &json!({"resourceArn": arn}));
            assert_eq!(sorted(&shown["tags"]).len(), keys.len().saturating_sub(3), "{operation}");
        }
    }
}

#[test]
fn a_resource_has_fifty_tags_at_most_however_they_come() {
    for at in 0..CASES {
        let world = World::new();
        let (operation, mut request, arn) = cases(&scene::fill(&world)).swap_remove(at);
        request["tags"] = numbered(49);
        let answer = world.ok(operation, &request);
        let arn = arn.map_or(&request["resourceArn"], |at| answer.pointer(at).unwrap_or(&Value::Null));
        let add = |tags: Value| world.ask(ME, "TagResource", &json!({"resourceArn": arn, "tags": tags}));
        assert_eq!(add(json!([tag("a", "1"), tag("b", "1")])).status, 400, "{operation}");
        assert_eq!(add(json!([tag("a", "1"), tag("k7", "new")])).status, 200, "{operation}");
        assert_eq!(add(json!([tag("b", "1")])).status, 400, "{operation}");
        assert_eq!(add(json!([tag("k8", "new")])).status, 200, "{operation}");
        let shown = world.ok("ListTagsForResource", &json!({"resourceArn": arn}));
        assert_eq!(sorted(&shown["tags"]).len(), 50, "{operation}");
        assert!(sorted(&shown["tags"]).contains(&tag("k7", "new").to_string()), "{operation}");
    }
}
