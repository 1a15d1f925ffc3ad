//! Gateways over a store in memory: what the reconcilers make of updates and of associations that end.

mod support;

use kecs_domain::ErrorCode;
use kecs_domain::arn::gateway_ref;
use kecs_usecases::ports::WakeKey;
use serde_json::{Value, json};
use support::{World, assert_refused, from, wire};

const ROLE: &str = "arn:aws:iam::123456789012:role/x";

impl World {
    /// A cluster `main`, a gateway `front` and a task definition with a port.
    async fn furnished() -> Self {
        let world = Self::new();
        world.ecs.clusters().create(&world.ctx, from(json!({"clusterName": "main"}))).await.unwrap();
        world.make("front").await;
        let definition = json!({
            "family": "web",
            "containerDefinitions": [{
                "name": "app", "image": "nginx", "memory": 64,
                "portMappings": [{"containerPort": 80, "name": "http"}],
            }],
        });
        world.ecs.task_definitions().register(&world.ctx, from(definition)).await.unwrap();
        world
    }

    async fn make(&self, name: &str) {
        let request = json!({
            "name": name, "infrastructureRoleArn": ROLE, "configuration": {"hostSharedAlb": {}},
            "deletionProtection": false,
        });
        wire(self.ecs.gateways().create(&self.ctx, from(request)).await);
    }

    async fn associate(&self) {
        let request = from(json!({"gateway": "front", "cluster": "main"}));
        wire(self.ecs.gateways().associate(&self.ctx, request).await);
    }

    async fn disassociate(&self) -> Value {
        let request = from(json!({"gateway": "front", "cluster": "main"}));
        wire(self.ecs.gateways().disassociate(&self.ctx, request).await)["status"].clone()
    }

    async fn create_service(&self) {
        let request = json!({
            "cluster": "main", "serviceName": "web", "taskDefinition": "web", "desiredCount": 0,
            "gatewayConnectors": [{"portName": "http"}],
        });
        wire(self.ecs.services().create(&self.ctx, from(request)).await);
    }

    async fn reconcile(&self) {
        let key = gateway_ref(&self.ctx.scope, "front").unwrap().unwrap();
        self.ecs.reconciler().reconcile(&WakeKey::Gateway(key)).await.unwrap();
        let cluster = kecs_domain::arn::cluster_ref(&self.ctx.scope, Some("main")).unwrap();
        let service = kecs_domain::arn::service_ref(&cluster, "web").unwrap().unwrap();
        self.ecs.reconciler().reconcile(&WakeKey::Service(service)).await.unwrap();
    }

    async fn status(&self) -> Value {
        let request = from(json!({"gateway": "front"}));
        wire(self.ecs.gateways().describe(&self.ctx, request).await)["gateway"]["status"].clone()
    }

    async fn associations(&self) -> Vec<String> {
        let answer = wire(self.ecs.gateways().list_associations(&self.ctx, from(json!({}))).await);
        let all = answer["gatewayClusterAssociations"].as_array().unwrap();
        all.iter().map(|one| one["status"].as_str().unwrap().to_owned()).collect()
    }

    async fn routes(&self) -> Vec<String> {
        let answer = wire(self.ecs.gateways().list_routes(&self.ctx, from(json!({}))).await);
        let all = answer["gatewayRoutes"].as_array().unwrap();
        all.iter().map(|one| one["status"].as_str().unwrap().to_owned()).collect()
    }

    async fn update_service(&self, mut members: Value) {
        members["cluster"] = json!("main");
        members["service"] = json!("web");
        wire(self.ecs.services().update(&self.ctx, from(members)).await);
    }
}

#[tokio::test]
async fn an_update_is_in_progress_until_the_reconciler_has_seen_it() {
    let world = World::furnished().await;
    assert_eq!(world.status().await, "ACTIVE");
    world.reconcile().await;
    assert_eq!(world.status().await, "ACTIVE", "there is nothing to do");
    let request = from(json!({"gateway": "front", "propagateTags": "NONE"}));
    wire(world.ecs.gateways().update(&world.ctx, request).await);
    assert_eq!(world.status().await, "UPDATE_IN_PROGRESS");
    world.reconcile().await;
    assert_eq!(world.status().await, "UPDATE_COMPLETE");
}

#[tokio::test]
async fn a_route_goes_the_way_of_its_deployments() {
    let world = World::furnished().await;
    world.associate().await;
    world.create_service().await;
    assert_eq!(world.routes().await, ["CREATE_IN_PROGRESS"]);
    world.reconcile().await;
    world.reconcile().await;
    assert_eq!(world.routes().await, ["ACTIVE"]);
    world.update_service(json!({"forceNewDeployment": true})).await;
    assert_eq!(world.routes().await, ["UPDATE_IN_PROGRESS"]);
    world.reconcile().await;
    world.reconcile().await;
    assert_eq!(world.routes().await, ["ACTIVE"]);
    world.update_service(json!({"gatewayConnectors": []})).await;
    assert_eq!(world.routes().await, ["DELETE_IN_PROGRESS"]);
    world.reconcile().await;
    world.reconcile().await;
    assert!(world.routes().await.is_empty());
}

#[tokio::test]
async fn an_association_ends_when_its_last_route_is_gone() {
    let world = World::furnished().await;
    world.associate().await;
    world.create_service().await;
    world.reconcile().await;
    assert_eq!(world.disassociate().await, "DISASSOCIATING");
    world.reconcile().await;
    assert_eq!(world.associations().await, ["DISASSOCIATING"], "the service still has its route");
    let request = from(json!({"gateway": "front"}));
    let (code, _) = support::refused(world.ecs.gateways().delete(&world.ctx, request).await);
    assert_eq!(code, ErrorCode::InvalidParameter);
    world.update_service(json!({"forceNewDeployment": true})).await;
    world.reconcile().await;
    world.reconcile().await;
    assert!(world.routes().await.is_empty());
    assert!(world.associations().await.is_empty());
    wire(world.ecs.gateways().delete(&world.ctx, from(json!({"gateway": "front"}))).await);
}

#[tokio::test]
async fn associating_again_revives_an_association_that_ends() {
    let world = World::furnished().await;
    world.associate().await;
    world.create_service().await;
    assert_eq!(world.disassociate().await, "DISASSOCIATING");
    assert_eq!(world.disassociate().await, "DISASSOCIATING", "asking again answers the same");
    world.associate().await;
    world.reconcile().await;
    assert_eq!(world.associations().await, ["ACTIVE"]);
}

#[tokio::test]
async fn the_gateways_of_a_deleted_cluster_can_be_let_go() {
    let world = World::furnished().await;
    world.associate().await;
    wire(world.ecs.clusters().delete(&world.ctx, from(json!({"cluster": "main"}))).await);
    let request = from(json!({"gateway": "front", "cluster": "main"}));
    let response = world.ecs.gateways().associate(&world.ctx, request).await;
    assert_refused(response, ErrorCode::ClusterNotFound, "The referenced cluster was inactive.");
    assert_eq!(world.disassociate().await, "DISASSOCIATING");
    world.reconcile().await;
    assert!(world.associations().await.is_empty());
}

#[tokio::test]
async fn a_start_takes_up_what_was_left_undone() {
    let world = World::furnished().await;
    let request = from(json!({"gateway": "front", "deletionProtection": false}));
    wire(world.ecs.gateways().update(&world.ctx, request).await);
    // The hints go nowhere in here: it is enough that the start finds the gateway and says so.
    world.ecs.reconciler().start().await.unwrap();
    world.ecs.reconciler().resync().await.unwrap();
    world.reconcile().await;
    assert_eq!(world.status().await, "UPDATE_COMPLETE");
}
