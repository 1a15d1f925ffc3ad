//! The operations on capacity providers over a store in memory, and what they do to clusters, tasks and services.

#[path = "../support/mod.rs"]
mod support;
mod tasks;

use kecs_domain::model::Attribute;
use kecs_domain::name::HexId;
use kecs_domain::{ErrorCode, Scope};
use kecs_usecases::ports::{Instance, InstanceStatus, Resources};
use kecs_usecases::{Context, Error};
use serde_json::{Value, json};
use support::{World, assert_refused, from, refused, wire};

const NOT_THERE: &str =
    "The specified capacity provider does not exist. Specify a valid name or ARN and try again.";
const IN_USE: &str = "The specified capacity provider is in use and cannot be removed.";

impl World {
    async fn provider(&self, name: &str) -> Value {
        let group =
            json!({"autoScalingGroupArn": format!("asg-{name}"), "managedScaling": {"status": "ENABLED"}});
        let request = json!({"name": name, "autoScalingGroupProvider": group});
        wire(self.ecs.capacity_providers().create(&self.ctx, from(request)).await)["capacityProvider"].clone()
    }

    async fn managed(&self, name: &str, cluster: &str) -> Value {
        let request = json!({"name": name, "cluster": cluster, "managedInstancesProvider": {
            "infrastructureRoleArn": "arn:aws:iam::123456789012:role/infra",
            "instanceLaunchTemplate": {
                "ec2InstanceProfileArn": "arn:aws:iam::123456789012:instance-profile/nodes",
                "networkConfiguration": {"subnets": ["subnet-1"]},
            },
        }});
        wire(self.ecs.capacity_providers().create(&self.ctx, from(request)).await)["capacityProvider"].clone()
    }

    async fn remove(&self, name: &str) -> Value {
        let request = from(json!({"capacityProvider": name}));
        wire(self.ecs.capacity_providers().delete(&self.ctx, request).await)["capacityProvider"].clone()
    }

    async fn describe(&self, request: Value) -> Value {
        wire(self.ecs.capacity_providers().describe(&self.ctx, from(request)).await)
    }

    async fn names(&self, request: Value) -> Vec<String> {
        let answer = self.describe(request).await;
        let providers = answer["capacityProviders"].as_array().unwrap().iter();
        providers.map(|provider| provider["name"].as_str().unwrap().to_owned()).collect()
    }

    async fn cluster(&self, name: &str) {
        self.ecs.clusters().create(&self.ctx, from(json!({"clusterName": name}))).await.unwrap();
    }

    async fn associate(&self, cluster: &str, providers: &[&str], strategy: Value) -> Result<Value, Error> {
        let request = json!({"cluster": cluster, "capacityProviders": providers,
            "defaultCapacityProviderStrategy": strategy});
        let answer = self.ecs.clusters().put_capacity_providers(&self.ctx, from(request)).await?;
        Ok(serde_json::to_value(answer).unwrap()["cluster"].clone())
    }

    async fn definition(&self) {
        let request =
            json!({"family": "app", "containerDefinitions": [{"name": "app", "image": "i", "memory": 64}]});
        self.ecs.task_definitions().register(&self.ctx, from(request)).await.unwrap();
    }

    async fn run(&self, members: Value) -> Result<Value, Error> {
        let mut request = json!({"cluster": "main", "taskDefinition": "app"});
        request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let answer = self.ecs.tasks().run(&self.ctx, from(request)).await?;
        Ok(serde_json::to_value(answer).unwrap())
    }

    /// Instances with these labels, in this order.
    fn instances(&self, labels: &[&[(&str, &str)]]) {
        let resources = Resources { cpu: 4096, memory: 4096, ports: Vec::new() };
        let attribute = |(name, value): &(&str, &str)| Attribute {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
            ..Attribute::default()
        };
        let instance = |(index, labels): (usize, &&[(&str, &str)])| Instance {
            id: HexId::from_bits(index as u128),
            host: format!("node-{index}"),
            availability_zone: "a".to_owned(),
            status: InstanceStatus::Active,
            connected: true,
            registered: resources.clone(),
            remaining: resources.clone(),
            attributes: labels.iter().map(attribute).collect(),
            versions: Default::default(),
            registered_at: None,
        };
        *self.orchestrator.instances.lock() = labels.iter().enumerate().map(instance).collect();
    }
}

fn strategy(items: &[(&str, i32, i32)]) -> Value {
    let item = |(name, base, weight): &(&str, i32, i32)| json!({"capacityProvider": name, "base": base, "weight": weight});
    items.iter().map(item).collect()
}

/// The provider and the last digit of the instance of each task.
fn places(answer: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let tasks = answer["tasks"].as_array().unwrap().iter();
    tasks
        .map(|task| {
            let arn = text(&task["containerInstanceArn"]);
            (text(&task["capacityProviderName"]), arn.chars().last().map(String::from).unwrap_or_default())
        })
        .collect()
}

#[tokio::test]
async fn a_provider_is_made_shown_changed_and_deleted() {
    let world = World::new();
    let made = world.provider("mine").await;
    assert_eq!(made["capacityProviderArn"], "arn:aws:ecs:eu-central-1:123456789012:capacity-provider/mine");
    assert_eq!((&made["status"], &made["type"]), (&json!("ACTIVE"), &json!("EC2_AUTOSCALING")));
    assert_eq!(made["autoScalingGroupProvider"]["managedScaling"]["targetCapacity"], 100);
    assert_eq!(world.names(json!({})).await, ["FARGATE", "FARGATE_SPOT", "mine"]);

    let change =
        json!({"name": "mine", "autoScalingGroupProvider": {"managedScaling": {"targetCapacity": 80}}});
    let changed = wire(world.ecs.capacity_providers().update(&world.ctx, from(change)).await);
    assert_eq!(changed["capacityProvider"]["updateStatus"], "UPDATE_COMPLETE");
    let shown = world.describe(json!({"capacityProviders": ["mine"]})).await;
    assert_eq!(
        shown["capacityProviders"][0]["autoScalingGroupProvider"]["managedScaling"]["targetCapacity"],
        80
    );

    let deleted = world.remove("mine").await;
    assert_eq!(
        (&deleted["status"], &deleted["updateStatus"]),
        (&json!("ACTIVE"), &json!("DELETE_IN_PROGRESS"))
    );
    let shown = world.describe(json!({"capacityProviders": [made["capacityProviderArn"]]})).await;
    assert_eq!(shown["capacityProviders"][0]["status"], "INACTIVE");
    assert_eq!(shown["capacityProviders"][0]["updateStatus"], "DELETE_COMPLETE");
    assert_eq!(world.names(json!({})).await, ["FARGATE", "FARGATE_SPOT"]);

    assert_eq!(world.provider("mine").await["status"], "ACTIVE", "the name and the group are free again");
}

#[tokio::test]
async fn a_name_and_a_group_are_taken_once() {
    let world = World::new();
    world.provider("mine").await;
    for (request, message) in [
        (
            json!({"name": "mine", "autoScalingGroupProvider": {"autoScalingGroupArn": "other"}}),
            "The specified capacity provider already exists. To change the configuration of an existing capacity provider, update the capacity provider.",
        ),
        (
            json!({"name": "other", "autoScalingGroupProvider": {"autoScalingGroupArn": "asg-mine"}}),
            "The specified Auto Scaling group ARN is already being used by another capacity provider. Specify a unique Auto Scaling group ARN and try again.",
        ),
    ] {
        let response = world.ecs.capacity_providers().create(&world.ctx, from(request)).await;
        assert_refused(response, ErrorCode::Client, message);
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_failure_when_described_and_an_error_when_changed() {
    let world = World::new();
    let foreign = "arn:aws:ecs:eu-central-1:999999999999:capacity-provider/mine";
    let answer = world.describe(json!({"capacityProviders": ["FARGATE", "nope", foreign]})).await;
    assert_eq!(answer["capacityProviders"][0]["type"], "FARGATE");
    let missing = |arn: &str| json!({"arn": arn, "reason": "MISSING"});
    assert_eq!(
        answer["failures"],
        json!([missing("arn:aws:ecs:eu-central-1:123456789012:capacity-provider/nope"), missing(foreign)])
    );
    let providers = world.ecs.capacity_providers();
    let update = json!({"name": "nope", "autoScalingGroupProvider": {}});
    assert_refused(providers.update(&world.ctx, from(update)).await, ErrorCode::Client, NOT_THERE);
    let delete = json!({"capacityProvider": "nope"});
    assert_refused(providers.delete(&world.ctx, from(delete)).await, ErrorCode::Client, NOT_THERE);
    for name in ["FARGATE", "FARGATE_SPOT"] {
        let update = json!({"name": name, "autoScalingGroupProvider": {}});
        assert_eq!(refused(providers.update(&world.ctx, from(update)).await).0, ErrorCode::InvalidParameter);
        let delete = json!({"capacityProvider": name});
        assert_eq!(refused(providers.delete(&world.ctx, from(delete)).await).0, ErrorCode::InvalidParameter);
    }
}

#[tokio::test]
async fn scopes_do_not_see_each_others_providers() {
    let world = World::new();
    world.provider("mine").await;
    let elsewhere = Context::root(Scope::new("123456789012", "eu-west-1"));
    let request = json!({"capacityProviders": ["mine"]});
    let answer = wire(world.ecs.capacity_providers().describe(&elsewhere, from(request)).await);
    assert_eq!(answer["failures"][0]["reason"], "MISSING");
    let request = json!({"clusterName": "main", "capacityProviders": ["mine"]});
    let refusal = refused(world.ecs.clusters().create(&elsewhere, from(request)).await);
    assert!(refusal.1.starts_with("The specified capacity provider was not found."));
}

#[tokio::test]
async fn providers_come_in_pages_of_ten() {
    let world = World::new();
    for number in 0..12 {
        world.provider(&format!("p{number:02}")).await;
    }
    let first = world.describe(json!({})).await;
    assert_eq!(first["capacityProviders"].as_array().unwrap().len(), 10);
    // One that goes away between two pages leaves no gap.
    world.remove("p07").await;
    let rest = world.names(json!({"nextToken": first["nextToken"]})).await;
    assert_eq!(rest, ["p08", "p09", "p10", "p11"]);
    let named = json!({"capacityProviders": ["p11", "p00", "p11", "nope", "FARGATE"], "maxResults": 2});
    let first = world.describe(named.clone()).await;
    assert_eq!(first["failures"].as_array().unwrap().len(), 1);
    let mut second = named;
    second["nextToken"] = first["nextToken"].clone();
    let second = world.describe(second).await;
    assert_eq!(second["failures"], json!([]));
    assert_eq!(second["capacityProviders"][0]["name"], "FARGATE");
    assert!(second.get("nextToken").is_none());
}

#[tokio::test]
async fn a_cluster_has_the_providers_that_were_put_last() {
    let world = World::new();
    world.cluster("main").await;
    world.provider("mine").await;
    let cluster = world.associate("main", &["FARGATE", "mine"], strategy(&[("mine", 0, 1)])).await.unwrap();
    assert_eq!(cluster["capacityProviders"], json!(["FARGATE", "mine"]));
    assert_eq!(cluster["defaultCapacityProviderStrategy"], strategy(&[("mine", 0, 1)]));
    assert_eq!(cluster["attachmentsStatus"], "UPDATE_COMPLETE");
    let kinds: Vec<_> = cluster["attachments"].as_array().unwrap().iter().map(|one| &one["type"]).collect();
    assert_eq!(kinds, ["managed_draining", "as_policy"]);
    assert_eq!(world.names(json!({"cluster": "main"})).await, ["FARGATE", "mine"]);

    let described = json!({"clusters": ["main"], "include": ["ATTACHMENTS"]});
    let described = wire(world.ecs.clusters().describe(&world.ctx, from(described)).await);
    assert_eq!(described["clusters"][0]["attachments"], cluster["attachments"], "with the same identifiers");

    let cluster = world.associate("main", &[], json!([])).await.unwrap();
    assert_eq!((&cluster["capacityProviders"], &cluster["attachments"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn bad_associations_are_refused() {
    let world = World::new();
    world.provider("mine").await;
    let refusal = refused(world.associate("main", &["FARGATE"], json!([])).await);
    assert_eq!(refusal, (ErrorCode::ClusterNotFound, "Cluster not found.".to_owned()));
    world.cluster("main").await;
    world.cluster("other").await;
    world.managed("managed", "other").await;
    for (providers, items, start) in [
        (vec!["nope"], json!([]), "The specified capacity provider was not found."),
        (vec!["managed"], json!([]), "The specified capacity provider was not found."),
        (
            vec!["FARGATE"],
            strategy(&[("mine", 0, 1)]),
            "The specified capacity provider strategy cannot contain",
        ),
        (
            vec!["FARGATE", "mine"],
            strategy(&[("mine", 0, 1), ("FARGATE", 0, 1)]),
            "A capacity provider strategy cannot contain a mix",
        ),
        (
            vec!["FARGATE", "FARGATE_SPOT"],
            strategy(&[("FARGATE", 1, 1), ("FARGATE_SPOT", 1, 1)]),
            "There are multiple capacity providers",
        ),
    ] {
        let (code, message) = refused(world.associate("main", &providers, items).await);
        assert_eq!(code, ErrorCode::InvalidParameter);
        assert!(message.starts_with(start), "{message}");
    }
    let delete = from(json!({"cluster": "main"}));
    world.ecs.clusters().delete(&world.ctx, delete).await.unwrap();
    assert_refused(
        world.associate("main", &["FARGATE"], json!([])).await,
        ErrorCode::Client,
        "Cluster was not ACTIVE.",
    );
}

#[tokio::test]
async fn an_associated_provider_is_not_deleted_and_says_why() {
    let world = World::new();
    world.cluster("main").await;
    world.provider("mine").await;
    world.associate("main", &["mine"], json!([])).await.unwrap();
    let kept = world.remove("mine").await;
    assert_eq!((&kept["status"], &kept["updateStatus"]), (&json!("ACTIVE"), &json!("DELETE_FAILED")));
    assert_eq!(
        kept["updateStatusReason"],
        "The capacity provider cannot be deleted because it is associated with cluster: main. Remove the capacity provider from the cluster and try again."
    );
    let shown = world.describe(json!({"capacityProviders": ["mine"]})).await;
    assert_eq!(shown["capacityProviders"][0]["updateStatus"], "DELETE_FAILED");

    world.ecs.clusters().delete(&world.ctx, from(json!({"cluster": "main"}))).await.unwrap();
    assert_eq!(world.remove("mine").await["updateStatus"], "DELETE_IN_PROGRESS", "its cluster is gone");
    world.provider("mine").await;
    let again = json!({"clusterName": "main", "capacityProviders": ["mine"]});
    world.ecs.clusters().create(&world.ctx, from(again)).await.unwrap();
    assert_eq!(world.remove("mine").await["updateStatus"], "DELETE_FAILED", "CreateCluster associates too");
}

#[tokio::test]
async fn a_provider_that_is_used_stays_with_its_cluster() {
    let world = World::new();
    world.cluster("main").await;
    world.definition().await;
    world.provider("mine").await;
    world.provider("spare").await;
    world.instances(&[&[]]);
    world.associate("main", &["mine", "spare"], json!([])).await.unwrap();
    world.run(json!({"capacityProviderStrategy": strategy(&[("mine", 0, 1)])})).await.unwrap();
    assert_refused(world.associate("main", &["spare"], json!([])).await, ErrorCode::ResourceInUse, IN_USE);
    world.associate("main", &["mine"], json!([])).await.unwrap();

    let service = json!({"cluster": "main", "serviceName": "web", "taskDefinition": "app", "desiredCount": 0,
        "capacityProviderStrategy": strategy(&[("spare", 0, 1)])});
    world.associate("main", &["mine", "spare"], json!([])).await.unwrap();
    world.ecs.services().create(&world.ctx, from(service)).await.unwrap();
    assert_refused(world.associate("main", &["mine"], json!([])).await, ErrorCode::ResourceInUse, IN_USE);
    let delete = json!({"cluster": "main", "service": "web"});
    world.ecs.services().delete(&world.ctx, from(delete)).await.unwrap();
    world.associate("main", &["mine"], json!([])).await.unwrap();
}

#[tokio::test]
async fn managed_instances_belong_to_their_cluster() {
    let world = World::new();
    let nowhere = json!({"name": "managed", "managedInstancesProvider": {
        "infrastructureRoleArn": "arn:aws:iam::123456789012:role/infra",
        "instanceLaunchTemplate": {
            "ec2InstanceProfileArn": "arn:aws:iam::123456789012:instance-profile/nodes",
            "networkConfiguration": {"subnets": ["subnet-1"]}}}, "cluster": "main"});
    let refusal = refused(world.ecs.capacity_providers().create(&world.ctx, from(nowhere)).await);
    assert_eq!(refusal.0, ErrorCode::ClusterNotFound);
    world.cluster("main").await;
    let made = world.managed("managed", "main").await;
    assert_eq!(
        (&made["status"], &made["updateStatus"]),
        (&json!("PROVISIONING"), &json!("CREATE_IN_PROGRESS"))
    );
    assert_eq!(made["cluster"], "main");
    let shown = world.describe(json!({"cluster": "main"})).await["capacityProviders"][0].clone();
    assert_eq!((&shown["status"], &shown["updateStatus"]), (&json!("ACTIVE"), &json!("CREATE_COMPLETE")));

    let delete = || from(json!({"cluster": "main"}));
    assert_refused(
        world.ecs.clusters().delete(&world.ctx, delete()).await,
        ErrorCode::Client,
        "The Cluster cannot be deleted while Cluster Scoped Capacity Providers are attached to the cluster.",
    );
    world.associate("main", &["managed"], strategy(&[("managed", 0, 1)])).await.unwrap();
    assert_eq!(world.remove("managed").await["updateStatus"], "DELETE_FAILED", "the default strategy has it");
    world.associate("main", &["managed"], json!([])).await.unwrap();
    let wrong = json!({"capacityProvider": "managed", "cluster": "elsewhere"});
    let refusal = refused(world.ecs.capacity_providers().delete(&world.ctx, from(wrong)).await);
    assert_eq!(refusal.0, ErrorCode::ClusterNotFound);
    assert_eq!(world.remove("managed").await["updateStatus"], "DELETE_IN_PROGRESS");
    assert_eq!(world.names(json!({"cluster": "main"})).await, [""; 0]);
    world.ecs.clusters().delete(&world.ctx, delete()).await.unwrap();
}

#[tokio::test]
async fn providers_have_tags() {
    let world = World::new();
    let arn = world.provider("mine").await["capacityProviderArn"].clone();
    let tag = json!({"resourceArn": arn, "tags": [{"key": "team", "value": "a"}]});
    world.ecs.tags().tag(&world.ctx, from(tag)).await.unwrap();
    let shown = world.describe(json!({"capacityProviders": ["mine"], "include": ["TAGS"]})).await;
    assert_eq!(shown["capacityProviders"][0]["tags"], json!([{"key": "team", "value": "a"}]));
    let untag = json!({"resourceArn": arn, "tagKeys": ["team"]});
    world.ecs.tags().untag(&world.ctx, from(untag)).await.unwrap();
    let listed = world.ecs.tags().list(&world.ctx, from(json!({"resourceArn": arn}))).await;
    assert_eq!(wire(listed)["tags"], json!([]));
    world.remove("mine").await;
    let listed = world.ecs.tags().list(&world.ctx, from(json!({"resourceArn": arn}))).await;
    assert!(refused(listed).1.starts_with("The specified capacity provider is inactive."));
    let fargate = "arn:aws:ecs:eu-central-1:123456789012:capacity-provider/FARGATE";
    let listed = world.ecs.tags().list(&world.ctx, from(json!({"resourceArn": fargate}))).await;
    assert_eq!(refused(listed).0, ErrorCode::InvalidParameter);
}
