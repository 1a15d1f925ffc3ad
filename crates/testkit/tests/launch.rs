//! What an orchestrator refuses, or does only in part, and who hears of it.

mod support;

use kecs_domain::ErrorCode;
use kecs_domain::arn::{TaskKey, cluster_ref, service_ref, task_ref};
use kecs_usecases::ports::{PortError, WakeKey};
use serde_json::{Value, json};
use support::{World, assert_refused, from, wire};

impl World {
    /// A service of two tasks that the scheduler has made, not launched yet.
    async fn with_service() -> Self {
        let world = Self::new();
        wire(world.ecs.clusters().create(&world.ctx, from(json!({"clusterName": "main"}))).await);
        let definition = json!({
            "family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256",
            "memory": "512", "containerDefinitions": [{"name": "app", "image": "busybox"}],
        });
        wire(world.ecs.task_definitions().register(&world.ctx, from(definition)).await);
        let service = json!({
            "cluster": "main", "serviceName": "web", "taskDefinition": "web", "desiredCount": 2,
            "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a"]}},
        });
        wire(world.ecs.services().create(&world.ctx, from(service)).await);
        let cluster = cluster_ref(&world.ctx.scope, Some("main")).unwrap();
        let key = service_ref(&cluster, "web").unwrap().unwrap();
        world.ecs.reconciler().reconcile(&WakeKey::Service(key)).await.unwrap();
        world
    }

    async fn task_keys(&self) -> Vec<TaskKey> {
        let cluster = cluster_ref(&self.ctx.scope, Some("main")).unwrap();
        let listed = wire(self.ecs.tasks().list(&self.ctx, from(json!({"cluster": "main"}))).await);
        let arns = listed["taskArns"].as_array().unwrap();
        arns.iter().map(|arn| task_ref(&cluster, arn.as_str().unwrap()).unwrap()).collect()
    }

    async fn events(&self) -> Vec<String> {
        let request = from(json!({"cluster": "main", "services": ["web"]}));
        let described = wire(self.ecs.services().describe(&self.ctx, request).await);
        let events = described["services"][0]["events"].as_array().unwrap();
        events.iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_service_says_once_what_its_orchestrator_does_not_do() {
    let world = World::with_service().await;
    *world.orchestrator.notes.lock() =
        vec!["containerDefinitions[0].links: left out.".to_owned(), "taskRoleArn: not assumed.".to_owned()];
    for key in world.task_keys().await {
        world.ecs.reconciler().reconcile(&WakeKey::Task(key)).await.unwrap();
    }
    let said: Vec<_> = world.events().await.into_iter().filter(|event| event.contains("links")).collect();
    let expected = "(service web) runs task definition web:1 not in full. \
                    containerDefinitions[0].links: left out.; taskRoleArn: not assumed.";
    assert_eq!(said, [expected]);
}

#[tokio::test]
async fn a_task_that_is_refused_for_good_ends_with_the_orchestrators_words() {
    let world = World::with_service().await;
    let key = world.task_keys().await.remove(0);
    world.ecs.reconciler().reconcile(&WakeKey::Task(key.clone())).await.unwrap();
    let request = from(json!({"cluster": "main", "tasks": [key.arn()]}));
    let described: Value = wire(world.ecs.tasks().describe(&world.ctx, request).await);
    let task = &described["tasks"][0];
    assert_eq!(task["desiredStatus"], "STOPPED", "{task}");
    assert_eq!(task["stopCode"], "TaskFailedToStart", "{task}");
    assert_eq!(task["stoppedReason"], "this orchestrator runs nothing", "{task}");
}

#[tokio::test]
async fn a_cluster_that_is_refused_for_good_is_refused_in_the_orchestrators_words() {
    let world = World::new();
    *world.orchestrator.failure.lock() = Some(PortError::permanent("The namespace n is not ours."));
    let answer = world.ecs.clusters().create(&world.ctx, from(json!({"clusterName": "main"}))).await;
    assert_refused(answer, ErrorCode::Client, "The namespace n is not ours.");
}
