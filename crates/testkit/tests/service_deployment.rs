//! Stopped deployments, protected tasks and namespaces over a store in memory, with the scheduler called by hand.

mod support;

use kecs_domain::ErrorCode;
use serde_json::{Value, json};
use support::web::web;
use support::{World, assert_refused, from, refused, wire};

impl World {
    /// A cluster and a service of two tasks, which the scheduler has started.
    async fn web() -> Self {
        let world = Self::with_web().await;
        let service = json!({
            "cluster": "main", "serviceName": "web", "taskDefinition": "web", "desiredCount": 2,
            "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a"]}},
            "serviceConnectConfiguration": {"enabled": true, "namespace": "internal"},
        });
        wire(world.ecs.services().create(&world.ctx, from(service)).await);
        world.schedule().await;
        world
    }

    async fn deployment(&self) -> Value {
        let request = from(json!({"cluster": "main", "service": "web"}));
        let listed = wire(self.ecs.services().list_deployments(&self.ctx, request).await);
        let arn = &listed["serviceDeployments"][0]["serviceDeploymentArn"];
        let request = json!({"serviceDeploymentArns": [arn]});
        wire(self.ecs.services().describe_deployments(&self.ctx, from(request)).await)["serviceDeployments"]
            [0]
        .clone()
    }

    async fn tasks(&self) -> Vec<Value> {
        let request = json!({"cluster": "main", "serviceName": "web"});
        let listed = wire(self.ecs.tasks().list(&self.ctx, from(request)).await);
        listed["taskArns"].as_array().unwrap().clone()
    }

    async fn protect(&self, tasks: &[Value], on: bool) -> Value {
        let request = json!({"cluster": "main", "tasks": tasks, "protectionEnabled": on});
        wire(self.ecs.tasks().update_protection(&self.ctx, from(request)).await)
    }

    async fn update(&self, members: Value) {
        let mut request = json!({"cluster": "main", "service": "web"});
        for (member, value) in members.as_object().unwrap() {
            request[member] = value.clone();
        }
        wire(self.ecs.services().update(&self.ctx, from(request)).await);
    }
}

#[tokio::test]
async fn a_stop_is_first_asked_for_and_then_done() {
    let world = World::web().await;
    let arn = world.deployment().await["serviceDeploymentArn"].clone();
    let stop = |how: &str| from(json!({"serviceDeploymentArn": arn, "stopType": how}));
    let (code, _) = refused(world.ecs.services().stop_deployment(&world.ctx, stop("ROLLBACK")).await);
    assert_eq!(code, ErrorCode::Conflict, "there is nothing to go back to");
    wire(world.ecs.services().stop_deployment(&world.ctx, stop("ABORT")).await);
    assert_eq!(world.deployment().await["status"], "STOP_REQUESTED");
    let (code, message) = refused(world.ecs.services().stop_deployment(&world.ctx, stop("ABORT")).await);
    assert_eq!(code, ErrorCode::Conflict);
    assert!(message.contains("STOP_REQUESTED"), "{message}");
    world.schedule().await;
    let stopped = world.deployment().await;
    assert_eq!(stopped["status"], "STOPPED");
    assert_eq!(stopped["finishedAt"], stopped["stoppedAt"]);
}

#[tokio::test]
async fn a_newer_deployment_supersedes_one_that_should_be_stopped() {
    let world = World::web().await;
    let arn = world.deployment().await["serviceDeploymentArn"].clone();
    let stop = from(json!({"serviceDeploymentArn": arn, "stopType": "ABORT"}));
    wire(world.ecs.services().stop_deployment(&world.ctx, stop).await);
    world.update(json!({"forceNewDeployment": true})).await;
    world.schedule().await;
    assert_eq!(world.deployment().await["status"], "IN_PROGRESS");
}

#[tokio::test]
async fn a_hook_that_nobody_waits_at_can_not_be_continued() {
    let world = World::web().await;
    let arn = world.deployment().await["serviceDeploymentArn"].clone();
    let request = from(json!({"serviceDeploymentArn": arn, "hookId": "some-hook"}));
    assert_refused(
        world.ecs.services().continue_deployment(&world.ctx, request).await,
        ErrorCode::InvalidParameter,
        "The service deployment is not paused at the lifecycle hook some-hook.",
    );
}

#[tokio::test]
async fn a_hook_holds_the_first_deployment_up_too() {
    let world = World::web().await;
    let hook = json!({"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]});
    world
        .update(json!({
            "forceNewDeployment": true, "deploymentConfiguration": {"lifecycleHooks": [hook]},
        }))
        .await;
    world.schedule().await;
    let waiting = world.deployment().await;
    let detail = &waiting["lifecycleHookDetails"][0];
    assert_eq!(
        (&waiting["lifecycleStage"], &detail["status"]),
        (&json!("PRE_SCALE_UP"), &json!("AWAITING_ACTION"))
    );
    assert_eq!(world.tasks().await.len(), 2, "the old tasks stay, no new ones come");
    let request =
        from(json!({"serviceDeploymentArn": waiting["serviceDeploymentArn"], "hookId": detail["hookId"]}));
    wire(world.ecs.services().continue_deployment(&world.ctx, request).await);
    world.schedule().await;
    let on = world.deployment().await;
    assert_eq!(on["lifecycleHookDetails"][0]["status"], "SUCCEEDED");
    assert_eq!(on["lifecycleStage"], "SCALE_UP");
}

#[tokio::test]
async fn a_protected_task_stays_when_its_service_scales_in() {
    let world = World::web().await;
    let tasks = world.tasks().await;
    assert_eq!(world.protect(&tasks[1..], true).await["failures"], json!([]));
    world.update(json!({"desiredCount": 0})).await;
    world.schedule().await;
    assert_eq!(world.tasks().await, tasks[1..]);
    assert_eq!(world.protect(&tasks[1..], false).await["protectedTasks"][0]["protectionEnabled"], false);
    world.schedule().await;
    assert_eq!(world.tasks().await, Vec::<Value>::new());
}

#[tokio::test]
async fn no_more_tasks_are_protected_than_the_service_wants() {
    let world = World::web().await;
    let tasks = world.tasks().await;
    world.update(json!({"desiredCount": 1})).await;
    let answer = world.protect(&tasks, true).await;
    assert_eq!(answer["protectedTasks"][0]["taskArn"], tasks[0]);
    assert_eq!(answer["failures"], json!([{"arn": tasks[1], "reason": "DEPLOYMENT_BLOCKED"}]));
}

#[tokio::test]
async fn a_service_is_in_its_namespace_until_it_is_deleted() {
    let world = World::web().await;
    let list = async |namespace: &str| {
        let request = from(json!({"namespace": namespace}));
        world.ecs.services().list_by_namespace(&world.ctx, request).await
    };
    assert_eq!(wire(list("internal").await)["serviceArns"], json!([web(&world).arn()]));
    assert_refused(list("other").await, ErrorCode::NamespaceNotFound, "Namespace not found.");
    let delete = from(json!({"cluster": "main", "service": "web", "force": true}));
    wire(world.ecs.services().delete(&world.ctx, delete).await);
    assert_eq!(wire(list("internal").await)["serviceArns"], json!([]));
}
