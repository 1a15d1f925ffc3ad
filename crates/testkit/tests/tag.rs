//! The operations on tags over a store in memory, with ECS's literal answers.

mod support;

use kecs_domain::ErrorCode;
use serde_json::{Value, json};
use support::{World, assert_refused, from, service, task, wire};

const CLUSTER: &str = "arn:aws:ecs:eu-central-1:123456789012:cluster/main";
const DEFINITION: &str = "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:1";
const TASK: &str = "arn:aws:ecs:eu-central-1:123456789012:task/main/00000000000000000000000000000001";
const SERVICE: &str = "arn:aws:ecs:eu-central-1:123456789012:service/main/web";

impl World {
    /// A world with one of everything that can be tagged.
    async fn furnished() -> Self {
        let world = Self::new();
        world.ecs.clusters().create(&world.ctx, from(json!({"clusterName": "main"}))).await.unwrap();
        let definition = json!({
            "family": "web", "containerDefinitions": [{"name": "app", "image": "nginx", "memory": 64}],
        });
        world.ecs.task_definitions().register(&world.ctx, from(definition)).await.unwrap();
        world.put([task(1, "RUNNING", "FARGATE"), service("web", "Active", "FARGATE")]).await;
        world
    }

    async fn tag(&self, arn: &str, tags: Value) -> Value {
        wire(self.ecs.tags().tag(&self.ctx, from(json!({"resourceArn": arn, "tags": tags}))).await)
    }

    async fn untag(&self, arn: &str, keys: &[&str]) -> Value {
        wire(self.ecs.tags().untag(&self.ctx, from(json!({"resourceArn": arn, "tagKeys": keys}))).await)
    }

    async fn tags(&self, arn: &str) -> Value {
        wire(self.ecs.tags().list(&self.ctx, from(json!({"resourceArn": arn}))).await)["tags"].clone()
    }

    async fn refuses(&self, arn: &str, tags: Value, code: ErrorCode, message: &str) {
        let request = from(json!({"resourceArn": arn, "tags": tags}));
        assert_refused(self.ecs.tags().tag(&self.ctx, request).await, code, message);
    }

    /// All three operations refuse the resource itself.
    async fn refuses_resource(&self, arn: &str, code: ErrorCode, message: &str) {
        self.refuses(arn, json!([{"key": "a", "value": ""}]), code, message).await;
        let untag = from(json!({"resourceArn": arn, "tagKeys": ["a"]}));
        assert_refused(self.ecs.tags().untag(&self.ctx, untag).await, code, message);
        assert_refused(
            self.ecs.tags().list(&self.ctx, from(json!({"resourceArn": arn}))).await,
            code,
            message,
        );
    }
}

#[tokio::test]
async fn clusters_task_definitions_tasks_and_services_are_tagged_and_untagged() {
    let world = World::furnished().await;
    for arn in [CLUSTER, DEFINITION, TASK, SERVICE] {
        assert_eq!(world.tags(arn).await, json!([]), "{arn}");
        let answer = world.tag(arn, json!([{"key": "a", "value": "1"}, {"key": "b", "value": ""}])).await;
        assert_eq!(answer, json!({}));
        world.tag(arn, json!([{"key": "c", "value": "3"}, {"key": "a", "value": "2"}])).await;
        let all = json!([{"key": "a", "value": "2"}, {"key": "b", "value": ""}, {"key": "c", "value": "3"}]);
        assert_eq!(world.tags(arn).await, all, "{arn}");
        assert_eq!(world.untag(arn, &["a", "absent"]).await, json!({}));
        assert_eq!(world.untag(arn, &["absent"]).await, json!({}), "an absent key is no error");
        assert_eq!(
            world.tags(arn).await,
            json!([{"key": "b", "value": ""}, {"key": "c", "value": "3"}]),
            "{arn}"
        );
    }
}

#[tokio::test]
async fn a_call_with_one_wrong_tag_keeps_nothing() {
    let world = World::furnished().await;
    let tags = json!([{"key": "a", "value": "1"}, {"key": "b"}]);
    let message = "Tag value can not be null.";
    world.refuses(CLUSTER, tags.clone(), ErrorCode::InvalidParameter, message).await;
    world.refuses(DEFINITION, tags, ErrorCode::Client, message).await;
    for arn in [CLUSTER, DEFINITION] {
        assert_eq!(world.tags(arn).await, json!([]));
    }
}

#[tokio::test]
async fn a_resource_has_at_most_fifty_tags() {
    let world = World::furnished().await;
    let numbered = |from: usize, to: usize| -> Value {
        (from..to).map(|n| json!({"key": n.to_string(), "value": ""})).collect()
    };
    world.tag(CLUSTER, numbered(0, 50)).await;
    let message = "tags can have at most 50 items";
    world.refuses(CLUSTER, numbered(50, 51), ErrorCode::InvalidParameter, message).await;
    world.refuses(SERVICE, numbered(0, 51), ErrorCode::InvalidParameter, message).await;
    world.tag(CLUSTER, json!([{"key": "7", "value": "new"}])).await;
}

#[tokio::test]
async fn reserved_double_and_long_keys_are_refused() {
    let world = World::furnished().await;
    let reserved = "aws: prefixed tag key names are not allowed for external use.";
    for (tags, message) in [
        (json!([{"key": "AWS:a", "value": ""}]), reserved),
        (
            json!([{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]),
            "Duplicate tag key 'a' in the request.",
        ),
        (json!([{"key": "a".repeat(129), "value": ""}]), "tags[0].key must have a length of at most 128"),
    ] {
        world.refuses(CLUSTER, tags, ErrorCode::InvalidParameter, message).await;
    }
    let untag = from(json!({"resourceArn": CLUSTER, "tagKeys": ["aws:ecs:clusterName"]}));
    let response = world.ecs.tags().untag(&world.ctx, untag).await;
    assert_refused(response, ErrorCode::InvalidParameter, reserved);
}

#[tokio::test]
async fn what_has_ended_has_no_tags_to_be_read_or_changed_but_a_task_definition_has() {
    let world = World::furnished().await;
    world.put([task(1, "STOPPED", "FARGATE"), service("web", "Inactive", "FARGATE")]).await;
    let delete = from(json!({"cluster": "main"}));
    world.ecs.clusters().delete(&world.ctx, delete).await.unwrap();
    let inactive = ErrorCode::InvalidParameter;
    for (arn, message) in [
        (CLUSTER, "The specified cluster is inactive. Specify an active cluster and try again."),
        (TASK, "The specified task is stopped. Specify a running task and try again."),
        (SERVICE, "The specified service is inactive. Specify an active service and try again."),
    ] {
        world.refuses_resource(arn, inactive, message).await;
    }
    let deregister = from(json!({"taskDefinition": "web:1"}));
    world.ecs.task_definitions().deregister(&world.ctx, deregister).await.unwrap();
    world.tag(DEFINITION, json!([{"key": "a", "value": ""}])).await;
    assert_eq!(world.tags(DEFINITION).await, json!([{"key": "a", "value": ""}]));
}

#[tokio::test]
async fn what_is_not_there_is_refused_as_its_kind_has_it() {
    let world = World::furnished().await;
    let unknown = "Unable to describe task definition.";
    for (arn, code, message) in [
        (CLUSTER.replace("main", "gone"), ErrorCode::ClusterNotFound, "Cluster not found."),
        (TASK.replace("main", "gone"), ErrorCode::ClusterNotFound, "Cluster not found."),
        (SERVICE.replace("main", "gone"), ErrorCode::ClusterNotFound, "Cluster not found."),
        (TASK.replace("0001", "0002"), ErrorCode::InvalidParameter, "The referenced task was not found."),
        (
            SERVICE.replace("web", "gone"),
            ErrorCode::InvalidParameter,
            "The specified service was not found. Specify a valid service and try again.",
        ),
        ("main".to_owned(), ErrorCode::InvalidParameter, "Invalid arn syntax."),
        (
            CLUSTER.replace("123456789012", "999999999999"),
            ErrorCode::InvalidParameter,
            "Identifier is for 999999999999. Your accountId is 123456789012",
        ),
        (
            SERVICE.replace("main/", ""),
            ErrorCode::InvalidParameter,
            "Long arn format must be used for tagging operations",
        ),
        (
            CLUSTER.replace("cluster/", "attachment/"),
            ErrorCode::InvalidParameter,
            "Unsupported resource type: attachment",
        ),
    ] {
        world.refuses_resource(&arn, code, message).await;
    }
    let family = DEFINITION.strip_suffix(":1").unwrap();
    for arn in [format!("{family}:2"), family.to_owned()] {
        world.refuses_resource(&arn, ErrorCode::Client, unknown).await;
    }
}

#[tokio::test]
async fn tags_set_at_once_are_all_kept() {
    let world = World::furnished().await;
    let calls = (0..30).map(|n| {
        let tags = json!([{"key": format!("k{n}"), "value": ""}]);
        let world = &world;
        async move { world.tag(CLUSTER, tags).await }
    });
    futures::future::join_all(calls).await;
    assert_eq!(world.tags(CLUSTER).await.as_array().unwrap().len(), 30);
}
