//! The service `web` of the cluster `main`, which the tests of deployments and task sets are about.

use kecs_domain::arn::{ServiceKey, cluster_ref, service_ref};
use kecs_usecases::ports::WakeKey;
use serde_json::json;

use super::{World, from, wire};

/// The service's key.
pub(crate) fn web(world: &World) -> ServiceKey {
    let cluster = cluster_ref(&world.ctx.scope, Some("main")).unwrap();
    service_ref(&cluster, "web").unwrap().unwrap()
}

impl World {
    /// The cluster, and a task definition `web` for FARGATE.
    pub(crate) async fn with_web() -> Self {
        let world = Self::new();
        wire(world.ecs.clusters().create(&world.ctx, from(json!({"clusterName": "main"}))).await);
        let definition = json!({
            "family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256",
            "memory": "512", "containerDefinitions": [{"name": "app", "image": "busybox"}],
        });
        wire(world.ecs.task_definitions().register(&world.ctx, from(definition)).await);
        world
    }

    /// Calls the service's scheduler.
    pub(crate) async fn schedule(&self) {
        self.ecs.reconciler().reconcile(&WakeKey::Service(web(self))).await.unwrap();
    }
}
