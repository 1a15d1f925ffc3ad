//! The operations on daemons over a store in memory, and their reconciler over instances that run nothing.

mod support;

use kecs_domain::ErrorCode;
use kecs_domain::arn::{ClusterKey, cluster_ref};
use kecs_domain::daemon::{DaemonKey, daemon_ref};
use kecs_domain::name::HexId;
use kecs_domain::pagination::PageRequest;
use kecs_domain::task::{ContainerObservation, ContainerState, TaskObservation};
use kecs_usecases::ports::{
    Instance, InstanceStatus, Observation, Resources, TaskQuery, TaskStore as _, WakeKey,
};
use serde_json::{Value, json};
use support::{World, assert_refused, from, refused, wire};

const ARN: &str = "arn:aws:ecs:eu-central-1:123456789012";

fn instance(number: u128) -> Instance {
    let room = Resources { cpu: 4096, memory: 4096, ports: Vec::new() };
    Instance {
        id: HexId::from_bits(number),
        host: format!("node-{number}"),
        availability_zone: "eu-central-1a".to_owned(),
        status: InstanceStatus::Active,
        connected: true,
        registered: room.clone(),
        remaining: room,
        attributes: Vec::new(),
        versions: Default::default(),
        registered_at: None,
    }
}

impl World {
    /// A world with the cluster `main`, two instances and the daemon task definition `agent:1`.
    async fn with_instances() -> Self {
        let world = Self::new();
        wire(world.ecs.clusters().create(&world.ctx, from(json!({"clusterName": "main"}))).await);
        *world.orchestrator.instances.lock() = vec![instance(1), instance(2)];
        let definition = json!({
            "family": "agent",
            "containerDefinitions": [{"name": "app", "image": "agent", "memory": 64}],
        });
        wire(world.ecs.daemon_task_definitions().register(&world.ctx, from(definition)).await);
        world
    }

    async fn create(&self, changes: Value) -> Value {
        let mut request = json!({
            "daemonName": "agent",
            "clusterArn": "main",
            "daemonTaskDefinitionArn": "agent:1",
            "capacityProviderArns": ["managed"],
        });
        for (member, value) in changes.as_object().unwrap() {
            request[member] = value.clone();
        }
        wire(self.ecs.daemons().create(&self.ctx, from(request)).await)
    }

    fn key(&self) -> DaemonKey {
        daemon_ref(&self.ctx.scope, &format!("{ARN}:daemon/main/agent")).unwrap()
    }

    fn cluster(&self) -> ClusterKey {
        cluster_ref(&self.ctx.scope, Some("main")).unwrap()
    }

    async fn reconcile(&self) {
        self.ecs.reconciler().reconcile(&WakeKey::Daemon(self.key())).await.unwrap();
    }

    /// Lets the orchestrator tell that every unfinished task runs, or has ended if it should.
    async fn go_on(&self) {
        let page = PageRequest { after: None, limit: 100 };
        let unfinished = self.store.unfinished_tasks(page).await.unwrap().items;
        let seen = unfinished.iter().map(|task| {
            let ends = task.doc.stop_code.is_some();
            let state = if ends { ContainerState::Stopped } else { ContainerState::Running };
            TaskObservation {
                placed: true,
                containers: vec![ContainerObservation { state, ..ContainerObservation::pending("app") }],
                released: ends,
                ..TaskObservation::accepted(task.key.clone())
            }
        });
        self.ecs.reconciler().observed(&[Observation::Changed(seen.collect())]).await.unwrap();
    }

    async fn running(&self) -> usize {
        let query =
            TaskQuery { started_by: Some(self.key().started_by()), ..TaskQuery::of_cluster(&self.cluster()) };
        let query = TaskQuery { desired: Some(kecs_domain::task::DesiredStatus::Running), ..query };
        self.store.list_tasks(&query, PageRequest { after: None, limit: 100 }).await.unwrap().items.len()
    }

    async fn status_of(&self, deployment: &Value) -> String {
        let request = json!({"daemonDeploymentArns": [deployment]});
        let answer = wire(self.ecs.daemons().describe_deployments(&self.ctx, from(request)).await);
        answer["daemonDeployments"][0]["status"].as_str().unwrap().to_owned()
    }

    async fn run_task(&self) -> Value {
        let definition = json!({
            "family": "web",
            "containerDefinitions": [{"name": "app", "image": "nginx", "memory": 64}],
        });
        wire(self.ecs.task_definitions().register(&self.ctx, from(definition)).await);
        let request = json!({"cluster": "main", "taskDefinition": "web", "launchType": "EC2"});
        wire(self.ecs.tasks().run(&self.ctx, from(request)).await)
    }
}

#[tokio::test]
async fn a_daemon_goes_from_pending_to_successful_and_away() {
    let world = World::with_instances().await;
    let made = world.create(json!({})).await;
    assert_eq!(world.status_of(&made["deploymentArn"]).await, "PENDING");
    world.reconcile().await;
    assert_eq!(world.running().await, 2);
    world.reconcile().await;
    assert_eq!(world.running().await, 2, "a second call does nothing more");
    assert_eq!(world.status_of(&made["deploymentArn"]).await, "IN_PROGRESS");
    world.go_on().await;
    world.reconcile().await;
    assert_eq!(world.status_of(&made["deploymentArn"]).await, "SUCCESSFUL");

    let request = json!({"daemonArn": made["daemonArn"]});
    let deleted = wire(world.ecs.daemons().delete(&world.ctx, from(request.clone())).await);
    assert_eq!(deleted["status"], "DELETE_IN_PROGRESS");
    let again = world.ecs.daemons().delete(&world.ctx, from(request.clone())).await;
    assert_refused(again, ErrorCode::InvalidParameter, "The daemon's deployment deletion is ongoing.");
    for _ in 0..2 {
        world.reconcile().await;
        world.go_on().await;
    }
    world.reconcile().await;
    assert_eq!(world.running().await, 0);
    assert_eq!(world.status_of(&deleted["deploymentArn"]).await, "SUCCESSFUL");
    let gone = world.ecs.daemons().describe(&world.ctx, from(request)).await;
    assert_refused(gone, ErrorCode::DaemonNotFound, "Daemon not found.");
}

#[tokio::test]
async fn nothing_else_is_placed_before_the_task_of_a_critical_daemon_runs() {
    for critical in [true, false] {
        let world = World::with_instances().await;
        world.create(json!({"critical": critical})).await;
        world.reconcile().await;
        let early = world.run_task().await;
        assert_eq!(early["failures"].as_array().unwrap().is_empty(), !critical, "{early}");
        world.go_on().await;
        world.reconcile().await;
        assert_eq!(world.run_task().await["failures"], json!([]));
    }
}

#[tokio::test]
async fn on_an_instance_that_is_drained_the_daemon_goes_last() {
    let world = World::with_instances().await;
    world.create(json!({})).await;
    for _ in 0..2 {
        world.reconcile().await;
        world.go_on().await;
    }
    world.reconcile().await;
    let other = world.run_task().await["tasks"][0]["taskArn"].clone();
    for drained in world.orchestrator.instances.lock().iter_mut() {
        drained.status = InstanceStatus::Draining;
    }
    world.reconcile().await;
    assert_eq!(world.running().await, 1, "only that beside the other task is left");
    let stop = json!({"cluster": "main", "task": other});
    wire(world.ecs.tasks().stop(&world.ctx, from(stop)).await);
    world.go_on().await;
    world.reconcile().await;
    assert_eq!(world.running().await, 0);
}

#[tokio::test]
async fn a_cluster_with_a_daemon_is_not_deleted() {
    let world = World::with_instances().await;
    *world.orchestrator.instances.lock() = Vec::new();
    world.create(json!({})).await;
    let response = world.ecs.clusters().delete(&world.ctx, from(json!({"cluster": "main"}))).await;
    assert_eq!(refused(response).0, ErrorCode::ClusterContainsServices);
}

#[tokio::test]
async fn a_task_that_only_says_it_is_a_daemon_s_is_not_one() {
    let world = World::with_instances().await;
    world.create(json!({"critical": false})).await;
    let definition = json!({
        "family": "web",
        "containerDefinitions": [{"name": "app", "image": "nginx", "memory": 64}],
    });
    wire(world.ecs.task_definitions().register(&world.ctx, from(definition)).await);
    let request = json!({
        "cluster": "main", "taskDefinition": "web", "launchType": "EC2", "startedBy": "ecs-daemon/agent",
    });
    wire(world.ecs.tasks().run(&world.ctx, from(request)).await);
    let list = json!({"cluster": "main", "daemonName": "agent"});
    assert_eq!(wire(world.ecs.tasks().list(&world.ctx, from(list.clone())).await), json!({"taskArns": []}));
    world.reconcile().await;
    let listed = wire(world.ecs.tasks().list(&world.ctx, from(list)).await);
    assert_eq!(listed["taskArns"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_update_ends_the_deployment_before_it() {
    let world = World::with_instances().await;
    let made = world.create(json!({})).await;
    world.reconcile().await;
    let request = json!({
        "daemonArn": made["daemonArn"], "daemonTaskDefinitionArn": "agent", "capacityProviderArns": ["other"],
    });
    let updated = wire(world.ecs.daemons().update(&world.ctx, from(request)).await);
    assert_eq!(world.status_of(&made["deploymentArn"]).await, "STOPPED");
    for _ in 0..4 {
        world.reconcile().await;
        world.go_on().await;
    }
    world.reconcile().await;
    assert_eq!(world.status_of(&updated["deploymentArn"]).await, "SUCCESSFUL");
    assert_eq!(world.running().await, 2);
}
