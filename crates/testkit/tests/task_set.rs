//! The operations on task sets over a store in memory, with the scheduler called by hand.

mod support;

use kecs_domain::ErrorCode;
use serde_json::{Value, json};
use support::{World, assert_refused, from, wire};

const NETWORK: &str = r#"{"awsvpcConfiguration": {"subnets": ["subnet-a"]}}"#;

fn network() -> Value {
    serde_json::from_str(NETWORK).unwrap()
}

impl World {
    /// A cluster, a task definition for FARGATE, and a service of four tasks with task sets.
    async fn external() -> Self {
        let world = Self::with_web().await;
        let service = json!({
            "cluster": "main", "serviceName": "web", "desiredCount": 4,
            "deploymentController": {"type": "EXTERNAL"},
        });
        wire(world.ecs.services().create(&world.ctx, from(service)).await);
        world
    }

    async fn add(&self, scale: f64) -> Value {
        let request = json!({
            "cluster": "main", "service": "web", "taskDefinition": "web", "launchType": "FARGATE",
            "networkConfiguration": network(), "scale": {"value": scale, "unit": "PERCENT"},
        });
        wire(self.ecs.task_sets().create(&self.ctx, from(request)).await)["taskSet"].clone()
    }

    async fn tasks_of(&self, set: &Value) -> usize {
        let request = json!({"cluster": "main", "startedBy": set["id"]});
        let listed = wire(self.ecs.tasks().list(&self.ctx, from(request)).await);
        listed["taskArns"].as_array().unwrap().len()
    }

    async fn look(&self, set: &Value) -> Value {
        let request = json!({"cluster": "main", "service": "web", "taskSets": [set["taskSetArn"]]});
        wire(self.ecs.task_sets().describe(&self.ctx, from(request)).await)["taskSets"][0].clone()
    }

    fn named(set: &Value) -> Value {
        json!({"cluster": "main", "service": "web", "taskSet": set["id"]})
    }
}

#[tokio::test]
async fn each_task_set_has_its_share_of_the_tasks() {
    let world = World::external().await;
    let (blue, green) = (world.add(100.0).await, world.add(30.0).await);
    assert_eq!(blue["computedDesiredCount"], 0, "the scheduler has not seen it");
    world.schedule().await;
    assert_eq!((world.tasks_of(&blue).await, world.tasks_of(&green).await), (4, 2));
    let seen = world.look(&green).await;
    assert_eq!((&seen["computedDesiredCount"], &seen["pendingCount"]), (&json!(2), &json!(2)));
    assert_eq!(seen["stabilityStatus"], "STABILIZING");
    world.schedule().await;
    assert_eq!(world.tasks_of(&green).await, 2, "a second look starts nothing");
}

#[tokio::test]
async fn a_smaller_scale_ends_tasks_and_a_deletion_ends_all() {
    let world = World::external().await;
    let set = world.add(100.0).await;
    world.schedule().await;
    let mut scaled = World::named(&set);
    scaled["scale"] = json!({"value": 50.0, "unit": "PERCENT"});
    wire(world.ecs.task_sets().update(&world.ctx, from(scaled)).await);
    world.schedule().await;
    assert_eq!(world.tasks_of(&set).await, 2);
    let mut deleted = World::named(&set);
    assert_refused(
        world.ecs.task_sets().delete(&world.ctx, from(deleted.clone())).await,
        ErrorCode::InvalidParameter,
        "The task set cannot be deleted while it is scaled above 0.",
    );
    deleted["force"] = json!(true);
    let answer = wire(world.ecs.task_sets().delete(&world.ctx, from(deleted)).await);
    assert_eq!(answer["taskSet"]["status"], "DRAINING");
    world.schedule().await;
    assert_eq!(world.tasks_of(&set).await, 0);
}

#[tokio::test]
async fn the_service_shows_what_its_primary_task_set_was_made_with() {
    let world = World::external().await;
    let set = world.add(100.0).await;
    let promote = json!({"cluster": "main", "service": "web", "primaryTaskSet": set["taskSetArn"]});
    let answer = wire(world.ecs.task_sets().promote(&world.ctx, from(promote)).await);
    assert_eq!(answer["taskSet"]["status"], "PRIMARY");
    let request = json!({"cluster": "main", "services": ["web"]});
    let service = &wire(world.ecs.services().describe(&world.ctx, from(request)).await)["services"][0];
    assert_eq!(service["taskDefinition"], set["taskDefinition"]);
    assert_eq!((&service["launchType"], &service["platformVersion"]), (&json!("FARGATE"), &json!("1.4.0")));
    assert_eq!(service["networkConfiguration"], set["networkConfiguration"]);
    assert_eq!(service["taskSets"][0]["id"], set["id"]);
}

#[tokio::test]
async fn tags_of_a_task_set_are_its_own() {
    let world = World::external().await;
    let set = world.add(0.0).await;
    let arn = &set["taskSetArn"];
    let tags = json!([{"key": "team", "value": "a"}]);
    wire(world.ecs.tags().tag(&world.ctx, from(json!({"resourceArn": arn, "tags": tags}))).await);
    let listed = wire(world.ecs.tags().list(&world.ctx, from(json!({"resourceArn": arn}))).await);
    assert_eq!(listed["tags"], tags);
    let request = json!({"cluster": "main", "services": ["web"], "include": ["TAGS"]});
    let service = &wire(world.ecs.services().describe(&world.ctx, from(request)).await)["services"][0];
    assert_eq!((&service["tags"], &service["taskSets"][0]["tags"]), (&json!([]), &tags));
}
