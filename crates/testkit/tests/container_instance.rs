//! The operations on container instances over a store in memory: two nodes, and what agents register.

mod support;

use kecs_domain::name::HexId;
use kecs_domain::{ErrorCode, Scope, model};
use kecs_usecases::Context;
use kecs_usecases::ports::{Instance, InstanceStatus, Resources};
use serde_json::{Value, json};
use support::{World, assert_refused, from, refused, wire};

const NODE_1: &str =
    "arn:aws:ecs:eu-central-1:123456789012:container-instance/main/f0000000000000000000000000000001";
const NODE_2: &str =
    "arn:aws:ecs:eu-central-1:123456789012:container-instance/main/f0000000000000000000000000000002";

fn node(number: u32) -> Instance {
    let attribute = |name: &str, value: &str| model::Attribute {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        ..Default::default()
    };
    Instance {
        id: HexId::from_bits((0xf << 124) | u128::from(number)),
        host: format!("node-{number}"),
        availability_zone: "eu-central-1a".into(),
        status: InstanceStatus::Active,
        connected: true,
        registered: Resources { cpu: 1024, memory: 2048, ports: vec![22] },
        remaining: Resources { cpu: 512, memory: 1024, ports: vec![22, 80] },
        attributes: vec![attribute("ecs.os-type", "linux"), attribute("stack", "own")],
        versions: model::VersionInfo { agent_version: Some("1.0.0".into()), ..Default::default() },
        registered_at: None,
    }
}

impl World {
    /// A cluster, a task definition and two nodes.
    async fn with_nodes() -> Self {
        let world = Self::new();
        world.orchestrator.instances.lock().extend([node(1), node(2)]);
        world.ecs.clusters().create(&world.ctx, from(json!({"clusterName": "main"}))).await.unwrap();
        let definition = json!({
            "family": "web", "containerDefinitions": [{"name": "app", "image": "nginx", "memory": 64, "cpu": 100}],
        });
        world.ecs.task_definitions().register(&world.ctx, from(definition)).await.unwrap();
        world
    }

    async fn list(&self, members: Value) -> Value {
        let mut request = json!({"cluster": "main"});
        request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        wire(self.ecs.container_instances().list(&self.ctx, from(request)).await)
    }

    async fn instance(&self, arn: &str) -> Value {
        let request = json!({"cluster": "main", "containerInstances": [arn], "include": ["TAGS"]});
        let answer = wire(self.ecs.container_instances().describe(&self.ctx, from(request)).await);
        answer["containerInstances"][0].clone()
    }

    async fn set_state(&self, arns: &[&str], status: &str) -> Value {
        let request = json!({"cluster": "main", "containerInstances": arns, "status": status});
        wire(self.ecs.container_instances().update_state(&self.ctx, from(request)).await)
    }

    async fn join(&self, cpu: i32) -> String {
        let request = json!({
            "cluster": "main",
            "totalResources": [
                {"name": "CPU", "type": "INTEGER", "integerValue": cpu},
                {"name": "MEMORY", "type": "INTEGER", "integerValue": 1024},
            ],
        });
        let answer = wire(self.ecs.container_instances().register(&self.ctx, from(request)).await);
        answer["containerInstance"]["containerInstanceArn"].as_str().unwrap().to_owned()
    }

    async fn start(&self, arns: &[&str]) -> Value {
        let request = json!({"cluster": "main", "taskDefinition": "web", "containerInstances": arns});
        wire(self.ecs.tasks().start(&self.ctx, from(request)).await)
    }

    async fn task_status(&self, arn: &str) -> Value {
        let request = json!({"cluster": "main", "tasks": [arn]});
        let answer = wire(self.ecs.tasks().describe(&self.ctx, from(request)).await);
        answer["tasks"][0]["lastStatus"].clone()
    }
}

#[tokio::test]
async fn nodes_are_instances_though_nobody_registered_them() {
    let world = World::with_nodes().await;
    assert_eq!(world.list(json!({})).await, json!({"containerInstanceArns": [NODE_1, NODE_2]}));
    let number = |name: &str, value: i32| json!({"name": name, "type": "INTEGER", "doubleValue": 0.0, "longValue": 0, "integerValue": value});
    let ports = |name: &str, ports: &[&str]| {
        json!({
            "name": name, "type": "STRINGSET", "doubleValue": 0.0, "longValue": 0, "integerValue": 0,
            "stringSetValue": ports,
        })
    };
    assert_eq!(
        world.instance(NODE_1).await,
        json!({
            "containerInstanceArn": NODE_1,
            "ec2InstanceId": "node-1",
            "version": 1,
            "versionInfo": {"agentVersion": "1.0.0"},
            "registeredResources": [
                number("CPU", 1024), number("MEMORY", 2048), ports("PORTS", &["22"]), ports("PORTS_UDP", &[]),
            ],
            "remainingResources": [
                number("CPU", 512), number("MEMORY", 1024), ports("PORTS", &["22", "80"]), ports("PORTS_UDP", &[]),
            ],
            "status": "ACTIVE",
            "agentConnected": true,
            "runningTasksCount": 0,
            "pendingTasksCount": 0,
            "attributes": [{"name": "ecs.os-type", "value": "linux"}, {"name": "stack", "value": "own"}],
            "attachments": [],
            "tags": [],
        })
    );
}

#[tokio::test]
async fn a_node_drains_by_itself_or_because_it_is_asked_to() {
    let world = World::with_nodes().await;
    world.orchestrator.instances.lock()[0].status = InstanceStatus::Draining;
    assert_eq!(world.list(json!({"status": "DRAINING"})).await["containerInstanceArns"], json!([NODE_1]));
    let answer = world.set_state(&[NODE_1, NODE_2], "DRAINING").await;
    assert_eq!(answer["containerInstances"][1]["version"], 2);
    assert_eq!(answer["failures"], json!([]));
    let answer = world.set_state(&[NODE_1, NODE_2], "ACTIVE").await;
    assert_eq!(answer["containerInstances"][0]["status"], "DRAINING", "it is cordoned");
    assert_eq!(answer["containerInstances"][1]["status"], "ACTIVE");
    world.orchestrator.instances.lock()[0].status = InstanceStatus::Active;
    assert_eq!(world.instance(NODE_1).await["status"], "ACTIVE");
}

#[tokio::test]
async fn a_node_that_can_be_cordoned_is_and_then_only_the_cordon_counts() {
    let world = World::with_nodes().await;
    *world.orchestrator.cordons.lock() = true;
    let own = |at: usize| world.orchestrator.instances.lock()[at].status;
    let answer = world.set_state(&[NODE_1], "DRAINING").await;
    assert_eq!(answer["containerInstances"][0]["status"], "DRAINING");
    assert_eq!((own(0), own(1)), (InstanceStatus::Draining, InstanceStatus::Active));
    // Somebody uncordons it.
    world.orchestrator.instances.lock()[0].status = InstanceStatus::Active;
    assert_eq!(world.instance(NODE_1).await["status"], "ACTIVE");
    // Somebody cordons the other one.
    world.orchestrator.instances.lock()[1].status = InstanceStatus::Draining;
    let answer = world.set_state(&[NODE_2], "ACTIVE").await;
    assert_eq!(answer["containerInstances"][0]["status"], "ACTIVE");
    assert_eq!(own(1), InstanceStatus::Active);
    // What was kept of a time without the right to cordon no longer counts once it is asked for again.
    *world.orchestrator.cordons.lock() = false;
    world.set_state(&[NODE_1], "DRAINING").await;
    assert_eq!(own(0), InstanceStatus::Active);
    *world.orchestrator.cordons.lock() = true;
    world.set_state(&[NODE_1], "ACTIVE").await;
    assert_eq!(world.instance(NODE_1).await["status"], "ACTIVE");
}

#[tokio::test]
async fn a_custom_attribute_hides_the_nodes_own_until_it_is_deleted() {
    let world = World::with_nodes().await;
    let instances = world.ecs.container_instances();
    let attribute = json!({"name": "stack", "value": "prod", "targetId": NODE_1});
    let request = json!({"cluster": "main", "attributes": [attribute.clone()]});
    let put = wire(instances.put_attributes(&world.ctx, from(request.clone())).await);
    assert_eq!(put, json!({"attributes": [attribute]}));
    let query = json!({"cluster": "main", "targetType": "container-instance", "attributeName": "stack"});
    let list = || async { wire(instances.list_attributes(&world.ctx, from(query.clone())).await) };
    assert_eq!(list().await["attributes"][0]["value"], "prod");
    wire(instances.delete_attributes(&world.ctx, from(request)).await);
    assert_eq!(list().await["attributes"][0]["value"], "own");
}

#[tokio::test]
async fn a_bad_attribute_keeps_the_good_ones_of_its_call_out() {
    let world = World::with_nodes().await;
    let absent = "0".repeat(32);
    let request = json!({"cluster": "main", "attributes": [
        {"name": "a", "value": "1", "targetId": NODE_1},
        {"name": "a", "value": "1", "targetType": "container-instance", "targetId": absent},
    ]});
    let answer = world.ecs.container_instances().put_attributes(&world.ctx, from(request)).await;
    assert_refused(answer, ErrorCode::TargetNotFound, "The specified target wasn't found.");
    assert_eq!(world.instance(NODE_1).await["version"], 1);
}

#[tokio::test]
async fn a_task_on_an_agents_instance_lives_by_its_reports() {
    let world = World::with_nodes().await;
    let arn = world.join(1024).await;
    let started = world.start(&[&arn, NODE_2]).await;
    assert_eq!(started["failures"], json!([]));
    let task = started["tasks"][0]["taskArn"].as_str().unwrap();
    assert_eq!(world.instance(&arn).await["remainingResources"][0]["integerValue"], 924);
    let instances = world.ecs.container_instances();
    for status in ["RUNNING", "STOPPED"] {
        let request = json!({"cluster": "main", "task": task, "status": status});
        let answer = wire(instances.submit_task(&world.ctx, from(request)).await);
        assert_eq!(answer, json!({"acknowledgment": "ACK"}));
        assert_eq!(world.task_status(task).await, status);
    }
    // What the orchestrator runs, it observes itself.
    let other = started["tasks"][1]["taskArn"].as_str().unwrap();
    let request = json!({"cluster": "main", "task": other, "status": "STOPPED"});
    wire(instances.submit_task(&world.ctx, from(request)).await);
    assert_eq!(world.task_status(other).await, "PENDING");
}

#[tokio::test]
async fn nothing_is_started_where_there_is_no_room_or_no_instance() {
    let world = World::with_nodes().await;
    let small = world.join(150).await;
    let absent = format!("{}{}", &NODE_1[..NODE_1.len() - 1], 'f');
    wire(
        world
            .ecs
            .container_instances()
            .deregister(&world.ctx, from(json!({"cluster": "main", "containerInstance": NODE_2})))
            .await,
    );
    world.orchestrator.instances.lock()[0].connected = false;
    let answer = world.start(&[&small, &small, &absent, NODE_2, NODE_1]).await;
    assert_eq!(answer["tasks"].as_array().unwrap().len(), 1);
    let reasons: Vec<_> = answer["failures"].as_array().unwrap().iter().map(|it| &it["reason"]).collect();
    assert_eq!(reasons, ["RESOURCE:CPU", "MISSING", "INACTIVE", "AGENT"]);
}

#[tokio::test]
async fn an_instance_with_tasks_is_only_deregistered_by_force() {
    let world = World::with_nodes().await;
    let arn = world.join(1024).await;
    let started = world.start(&[&arn]).await;
    let task = started["tasks"][0]["taskArn"].as_str().unwrap();
    let instances = world.ecs.container_instances();
    let deregister = |force: bool| {
        let request = json!({"cluster": "main", "containerInstance": arn, "force": force});
        instances.deregister(&world.ctx, from(request))
    };
    let message = "Found running tasks on the instance.";
    assert_refused(deregister(false).await, ErrorCode::InvalidParameter, message);
    assert_eq!(wire(deregister(true).await)["containerInstance"]["status"], "INACTIVE");
    assert_eq!(world.task_status(task).await, "STOPPED");
    assert_eq!(world.list(json!({})).await["containerInstanceArns"], json!([NODE_1, NODE_2]));
    assert_eq!(world.instance(&arn).await["status"], "INACTIVE", "it stays describable");
}

#[tokio::test]
async fn an_agents_instance_keeps_its_cluster_and_nodes_do_not() {
    let world = World::with_nodes().await;
    let arn = world.join(1024).await;
    world.set_state(&[NODE_1], "DRAINING").await;
    let clusters = world.ecs.clusters();
    let delete = || clusters.delete(&world.ctx, from(json!({"cluster": "main"})));
    let message = "The Cluster cannot be deleted while Container Instances are active or draining.";
    assert_refused(delete().await, ErrorCode::ClusterContainsContainerInstances, message);
    let request = json!({"cluster": "main", "containerInstance": arn});
    wire(world.ecs.container_instances().deregister(&world.ctx, from(request)).await);
    assert_eq!(wire(delete().await)["cluster"]["status"], "INACTIVE");
    wire(clusters.create(&world.ctx, from(json!({"clusterName": "main"}))).await);
    assert_eq!(world.instance(NODE_1).await["status"], "ACTIVE", "it begins afresh");
    assert_eq!(world.instance(&arn).await, Value::Null);
}

#[tokio::test]
async fn no_account_and_no_region_sees_anothers_instances() {
    let world = World::with_nodes().await;
    let arn = world.join(1024).await;
    world.set_state(&[NODE_1], "DRAINING").await;
    for scope in [Scope::new("999999999999", "eu-central-1"), Scope::new("123456789012", "us-east-1")] {
        let other = Context::root(scope);
        world.ecs.clusters().create(&other, from(json!({"clusterName": "main"}))).await.unwrap();
        let list = world.ecs.container_instances().list(&other, from(json!({"cluster": "main"}))).await;
        assert_eq!(wire(list)["containerInstanceArns"].as_array().unwrap().len(), 2);
        let request = json!({"cluster": "main", "containerInstances": [arn]});
        let (code, message) = refused(world.ecs.container_instances().describe(&other, from(request)).await);
        assert_eq!(code, ErrorCode::InvalidParameter);
        assert!(message.starts_with("Identifier is for"), "{message}");
        let query = json!({"cluster": "main", "status": "DRAINING"});
        let draining = world.ecs.container_instances().list(&other, from(query)).await;
        assert_eq!(wire(draining)["containerInstanceArns"], json!([]));
    }
}

#[tokio::test]
async fn an_instance_is_tagged_like_anything_else() {
    let world = World::with_nodes().await;
    let tags = json!([{"key": "a", "value": "1"}]);
    let request = json!({"resourceArn": NODE_1, "tags": tags});
    wire(world.ecs.tags().tag(&world.ctx, from(request)).await);
    assert_eq!(world.instance(NODE_1).await["tags"], tags);
    let listed = world.ecs.tags().list(&world.ctx, from(json!({"resourceArn": NODE_1}))).await;
    assert_eq!(wire(listed)["tags"], tags);
    let short = NODE_1.replace("main/", "");
    let request = json!({"resourceArn": short, "tags": tags});
    let message = "Long arn format must be used for tagging operations";
    assert_refused(
        world.ecs.tags().tag(&world.ctx, from(request)).await,
        ErrorCode::InvalidParameter,
        message,
    );
}
