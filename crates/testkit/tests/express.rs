//! Express services over a store in memory: what is saved with what, and what a rollback and an UpdateService leave of
//! them.

mod support;

use kecs_domain::ErrorCode;
use serde_json::{Value, json};
use support::{World, assert_refused, from, wire};

const ROLE: &str = "arn:aws:iam::123456789012:role/x";
const WEB: &str = "arn:aws:ecs:eu-central-1:123456789012:service/main/web";

impl World {
    async fn with_cluster() -> Self {
        let world = Self::new();
        world.ecs.clusters().create(&world.ctx, from(json!({"clusterName": "main"}))).await.unwrap();
        world
    }

    async fn create(&self, members: Value) -> Value {
        let mut request = json!({
            "cluster": "main", "serviceName": "web", "infrastructureRoleArn": ROLE, "executionRoleArn": ROLE,
            "primaryContainer": {"image": "nginx"},
        });
        for (member, value) in members.as_object().unwrap() {
            request[member] = value.clone();
        }
        wire(self.ecs.express().create(&self.ctx, from(request)).await)["service"].clone()
    }

    async fn update(&self, mut members: Value) -> Value {
        members["serviceArn"] = json!(WEB);
        wire(self.ecs.express().update(&self.ctx, from(members)).await)["service"].clone()
    }

    async fn describe(&self) -> Value {
        wire(self.ecs.express().describe(&self.ctx, from(json!({"serviceArn": WEB}))).await)["service"]
            .clone()
    }

    async fn as_service(&self) -> Value {
        let request = from(json!({"cluster": "main", "services": ["web"]}));
        wire(self.ecs.services().describe(&self.ctx, request).await)["services"][0].clone()
    }

    async fn families(&self) -> Value {
        wire(self.ecs.task_definitions().list(&self.ctx, from(json!({}))).await)["taskDefinitionArns"].clone()
    }
}

#[tokio::test]
async fn creating_one_makes_its_task_definition_and_its_service_together() {
    let world = World::with_cluster().await;
    let made = world.create(json!({"scalingTarget": {"minTaskCount": 3}})).await;
    assert_eq!(world.describe().await, made);
    let service = world.as_service().await;
    assert_eq!(service["desiredCount"], 3);
    assert_eq!(service["resourceManagementType"], "ECS");
    assert_eq!(service["taskDefinition"], made["activeConfigurations"][0]["taskDefinitionArn"]);
    assert_eq!(service["currentServiceDeployment"], made["currentDeployment"]);
    assert_eq!(service["deployments"][0]["status"], "PRIMARY");
    assert_eq!(service.get("networkConfiguration"), None, "the network is left to the orchestrator");
}

#[tokio::test]
async fn a_refused_creation_leaves_no_task_definition() {
    let world = World::with_cluster().await;
    world.create(json!({})).await;
    let request = json!({
        "cluster": "main", "serviceName": "web", "infrastructureRoleArn": ROLE, "executionRoleArn": ROLE,
        "primaryContainer": {"image": "other"},
    });
    let message = "Creation of service was not idempotent.";
    let response = world.ecs.express().create(&world.ctx, from(request)).await;
    assert_refused(response, ErrorCode::InvalidParameter, message);
    assert_eq!(world.families().await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_the_orchestrator_can_not_run_is_refused_in_its_words() {
    let world = World::with_cluster().await;
    *world.orchestrator.complaint.lock() = Some(kecs_domain::EcsError::client("Not here."));
    let request = json!({
        "cluster": "main", "infrastructureRoleArn": ROLE, "executionRoleArn": ROLE,
        "primaryContainer": {"image": "nginx"},
    });
    assert_refused(
        world.ecs.express().create(&world.ctx, from(request)).await,
        ErrorCode::Client,
        "Not here.",
    );
}

#[tokio::test]
async fn settings_alone_make_a_revision_but_no_task_definition() {
    let world = World::with_cluster().await;
    let made = world.create(json!({})).await;
    let updated = world.update(json!({"healthCheckPath": "/up"})).await;
    let (before, target) = (&made["activeConfigurations"][0], &updated["targetConfiguration"]);
    assert_eq!(target["taskDefinitionArn"], before["taskDefinitionArn"]);
    assert_ne!(target["serviceRevisionArn"], before["serviceRevisionArn"]);
    assert_eq!(target["healthCheckPath"], "/up");
    let active = world.describe().await["activeConfigurations"].clone();
    assert_eq!(active[0], *target);
    assert_eq!(active[1], *before, "it keeps its own settings until it is replaced");
}

#[tokio::test]
async fn update_service_keeps_it_an_express_service() {
    let world = World::with_cluster().await;
    world.create(json!({"healthCheckPath": "/up"})).await;
    let request =
        from(json!({"cluster": "main", "service": "web", "forceNewDeployment": true, "desiredCount": 2}));
    wire(world.ecs.services().update(&world.ctx, request).await);
    let described = world.describe().await;
    assert_eq!(described["activeConfigurations"].as_array().unwrap().len(), 2);
    assert_eq!(described["activeConfigurations"][0]["healthCheckPath"], "/up");
    assert_eq!(world.as_service().await["resourceManagementType"], "ECS");
}

#[tokio::test]
async fn a_deleted_one_drains_and_is_deleted_again_alike() {
    let world = World::with_cluster().await;
    world.create(json!({})).await;
    for _ in 0..2 {
        let request = from(json!({"serviceArn": WEB}));
        let deleted = wire(world.ecs.express().delete(&world.ctx, request).await);
        assert_eq!(deleted["service"]["status"], json!({"statusCode": "DRAINING"}));
    }
    assert_eq!(world.as_service().await["desiredCount"], 0);
    let update = from(json!({"serviceArn": WEB, "cpu": "512"}));
    let response = world.ecs.express().update(&world.ctx, update).await;
    assert_refused(response, ErrorCode::ServiceNotActive, "Service was not ACTIVE.");
}
