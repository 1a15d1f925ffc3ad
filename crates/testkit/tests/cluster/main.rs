//! The operations on clusters over a store in memory, with ECS's literal answers.

#[path = "../support/mod.rs"]
mod support;

mod mocked;

use kecs_domain::ErrorCode;
use kecs_domain::name::HexId;
use kecs_usecases::ports::{Instance, InstanceStatus, PortError, Resources};
use kecs_usecases::{Context, Error};
use serde_json::{Value, json};
use support::{World, assert_refused, from, service, task, wire};

const ARN: &str = "arn:aws:ecs:eu-central-1:123456789012:cluster/main";

impl World {
    async fn create(&self, request: Value) -> Value {
        wire(self.ecs.clusters().create(&self.ctx, from(request)).await)["cluster"].clone()
    }

    async fn describe(&self, request: Value) -> Value {
        wire(self.ecs.clusters().describe(&self.ctx, from(request)).await)
    }

    async fn delete(&self) -> Value {
        wire(self.ecs.clusters().delete(&self.ctx, from(json!({"cluster": "main"}))).await)["cluster"].clone()
    }

    async fn refuses_to_create(&self, request: Value, message: &str) {
        let response = self.ecs.clusters().create(&self.ctx, from(request)).await;
        assert_refused(response, ErrorCode::InvalidParameter, message);
    }
}

/// As it reads after CreateCluster with these members set.
fn cluster(changes: Value) -> Value {
    let mut cluster = json!({
        "clusterArn": ARN,
        "clusterName": "main",
        "status": "ACTIVE",
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": 0,
        "pendingTasksCount": 0,
        "activeServicesCount": 0,
        "statistics": [],
        "tags": [],
        "settings": [{"name": "containerInsights", "value": "disabled"}],
        "capacityProviders": [],
        "defaultCapacityProviderStrategy": [],
    });
    for (member, value) in changes.as_object().unwrap() {
        cluster[member] = value.clone();
    }
    cluster
}

#[tokio::test]
async fn a_cluster_is_created_with_defaults_and_without_attachments() {
    let world = World::new();
    assert_eq!(world.create(json!({"clusterName": "main"})).await, cluster(json!({})));
    assert_eq!(world.create(json!({})).await["clusterName"], "default");
    assert_eq!(*world.orchestrator.calls.lock(), ["ensure main", "ensure default"]);
}

#[tokio::test]
async fn what_was_given_is_shown_with_defaults_filled_in() {
    let world = World::new();
    let created = world
        .create(json!({
            "clusterName": "main",
            "tags": [{"key": "team", "value": "a"}],
            "settings": [{"name": "containerInsights", "value": "enhanced"}],
            "configuration": {"executeCommandConfiguration": {"logging": "NONE"}},
            "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE"}],
            "serviceConnectDefaults": {"namespace": "internal"},
        }))
        .await;
    assert_eq!(
        created,
        cluster(json!({
            "tags": [{"key": "team", "value": "a"}],
            "settings": [{"name": "containerInsights", "value": "enhanced"}],
            "configuration": {"executeCommandConfiguration": {"logging": "NONE"}},
            "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE", "base": 0, "weight": 0}],
            "serviceConnectDefaults": {"namespace": "internal"},
        }))
    );
}

#[tokio::test]
async fn creating_again_is_idempotent_for_the_same_arguments_only() {
    let world = World::new();
    let request =
        json!({"clusterName": "main", "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": ""}]});
    world.create(request.clone()).await;
    let again = json!({"clusterName": ARN, "tags": [{"key": "b", "value": ""}, {"key": "a", "value": "1"}]});
    assert_eq!(world.create(again).await["tags"], request["tags"]);
    assert_eq!(
        *world.orchestrator.calls.lock(),
        ["ensure main", "ensure main"],
        "what a crash left out is made up for"
    );
    let inconsistent =
        "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).";
    world.refuses_to_create(json!({"clusterName": "main"}), inconsistent).await;

    // Later changes are not arguments.
    let update = json!({"cluster": "main", "settings": [{"name": "containerInsights", "value": "enabled"}]});
    world.ecs.clusters().update_settings(&world.ctx, from(update)).await.unwrap();
    assert_eq!(world.create(request).await["settings"][0]["value"], "enabled");
}

#[tokio::test]
async fn wrong_arguments_are_refused_in_ecs_words() {
    let world = World::new();
    for (request, message) in [
        (json!({"clusterName": "ma in"}), "Cluster must match ^[a-zA-Z0-9\\-_]{1,255}$, but was ma in"),
        (json!({"settings": [{"name": "containerInsights", "value": "maybe"}]}), "Invalid setting 'value'"),
        (json!({"settings": [{"value": "enabled"}]}), "Invalid setting 'name'"),
        (json!({"tags": [{"key": "a"}]}), "Tag value can not be null."),
        (
            json!({"capacityProviders": ["mine"]}),
            "The specified capacity provider was not found. Specify a valid capacity provider and try again.",
        ),
        (
            json!({"defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}),
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again.",
        ),
        (
            json!({
                "capacityProviders": ["FARGATE"],
                "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1001}],
            }),
            "defaultCapacityProviderStrategy[0].weight must have a value between 0 and 1000",
        ),
    ] {
        world.refuses_to_create(request, message).await;
    }
    assert!(world.orchestrator.calls.lock().is_empty());
}

#[tokio::test]
async fn a_deleted_cluster_keeps_its_tags_and_configuration_until_it_is_created_afresh() {
    let world = World::new();
    let configuration = json!({"executeCommandConfiguration": {"logging": "NONE"}});
    let tags = json!([{"key": "team", "value": "a"}]);
    world.create(json!({"clusterName": "main", "tags": tags, "configuration": configuration})).await;
    let first = world.delete().await;
    assert_eq!((&first["status"], first.get("attachments")), (&json!("INACTIVE"), None));
    let again = world.delete().await;
    assert_eq!((&again["status"], &again["attachments"]), (&json!("INACTIVE"), &json!([])));
    assert_eq!(*world.orchestrator.calls.lock(), ["ensure main", "delete main", "delete main"]);

    let include = json!({"clusters": ["main"], "include": ["TAGS", "CONFIGURATIONS"]});
    let described = world.describe(include.clone()).await["clusters"][0].clone();
    assert_eq!((&described["status"], &described["tags"]), (&json!("INACTIVE"), &tags));
    assert_eq!(described["configuration"], configuration);
    let listed = wire(world.ecs.clusters().list(&world.ctx, from(json!({}))).await);
    assert_eq!(listed, json!({"clusterArns": []}));

    world.create(json!({"clusterName": "main"})).await;
    let described = world.describe(include).await["clusters"][0].clone();
    assert_eq!((&described["status"], &described["tags"]), (&json!("ACTIVE"), &json!([])));
    assert_eq!(described.get("configuration"), None);
}

#[tokio::test]
async fn a_cluster_is_only_deleted_when_nothing_is_in_it() {
    let world = World::new();
    world.create(json!({"clusterName": "main"})).await;
    let delete = || async { world.ecs.clusters().delete(&world.ctx, from(json!({"cluster": ARN}))).await };

    world.put([service("web", "Active", "FARGATE"), task(1, "RUNNING", "FARGATE")]).await;
    let message = "The Cluster cannot be deleted while Services are active.";
    assert_refused(delete().await, ErrorCode::ClusterContainsServices, message);
    world.put([service("web", "Draining", "FARGATE"), task(1, "STOPPING", "FARGATE")]).await;
    let message = "The Cluster cannot be deleted while Tasks are active.";
    assert_refused(delete().await, ErrorCode::ClusterContainsTasks, message);
    world.put([task(1, "STOPPED", "FARGATE")]).await;

    let instance = Instance {
        id: HexId::from_bits(1),
        host: "node-1".into(),
        availability_zone: "eu-central-1a".into(),
        status: InstanceStatus::Draining,
        connected: true,
        registered: Resources::default(),
        remaining: Resources::default(),
        attributes: Vec::new(),
        versions: kecs_domain::model::VersionInfo::default(),
        registered_at: None,
    };
    world.orchestrator.instances.lock().push(instance);
    *world.orchestrator.registers.lock() = true;
    let message = "The Cluster cannot be deleted while Container Instances are active or draining.";
    assert_refused(delete().await, ErrorCode::ClusterContainsContainerInstances, message);

    *world.orchestrator.registers.lock() = false;
    assert_eq!(wire(delete().await)["cluster"]["status"], "INACTIVE", "shared nodes keep no cluster alive");
}

#[tokio::test]
async fn counts_and_statistics_are_live() {
    let world = World::new();
    world.create(json!({"clusterName": "main"})).await;
    let describe = || world.describe(json!({"clusters": ["main"], "include": ["STATISTICS"]}));
    world
        .put([
            task(1, "RUNNING", "FARGATE"),
            task(2, "PENDING", "EC2"),
            task(3, "STOPPED", "EC2"),
            service("web", "Active", "FARGATE"),
            service("old", "Draining", "EC2"),
        ])
        .await;
    let described = describe().await["clusters"][0].clone();
    assert_eq!(described["runningTasksCount"], 1);
    assert_eq!(described["pendingTasksCount"], 1);
    assert_eq!(described["activeServicesCount"], 1, "DRAINING services don't count");
    let statistics = described["statistics"].as_array().unwrap();
    assert_eq!(statistics.len(), 16);
    for (name, value) in [
        ("runningFargateTasksCount", "1"),
        ("pendingEC2TasksCount", "1"),
        ("activeFargateServiceCount", "1"),
        ("drainingEC2ServiceCount", "1"),
        ("runningEC2TasksCount", "0"),
    ] {
        assert!(statistics.contains(&json!({"name": name, "value": value})), "{name}");
    }
    world.put([task(1, "STOPPED", "FARGATE")]).await;
    assert_eq!(describe().await["clusters"][0]["runningTasksCount"], 0);
}

#[tokio::test]
async fn describing_merges_duplicates_and_tells_what_is_missing() {
    let world = World::new();
    world.create(json!({"clusterName": "main"})).await;
    let foreign = "arn:aws:ecs:eu-central-1:999999999999:cluster/main";
    let names = json!({"clusters": ["main", ARN, "gone", "gone", foreign]});
    let described = world.describe(names).await;
    assert_eq!(described["clusters"], json!([cluster(json!({"settings": []}))]));
    assert_eq!(
        described["failures"],
        json!([
            {"arn": "arn:aws:ecs:eu-central-1:123456789012:cluster/gone", "reason": "MISSING"},
            {"arn": foreign, "reason": "MISSING"},
        ])
    );
}

#[tokio::test]
async fn describing_without_names_means_default() {
    let world = World::new();
    let missing = world.describe(json!({})).await;
    assert_eq!(missing["failures"][0]["arn"], "arn:aws:ecs:eu-central-1:123456789012:cluster/default");
    world.create(json!({})).await;
    assert_eq!(world.describe(json!({"clusters": []})).await["clusters"][0]["clusterName"], "default");
}

#[tokio::test]
async fn one_hundred_clusters_are_described_at_once_and_no_more() {
    let world = World::new();
    let named = |count: usize| json!({"clusters": (0..count).map(|n| n.to_string()).collect::<Vec<_>>()});
    assert_eq!(world.describe(named(100)).await["failures"].as_array().unwrap().len(), 100);
    let response = world.ecs.clusters().describe(&world.ctx, from(named(101))).await;
    assert_refused(response, ErrorCode::InvalidParameter, "clusters can have at most 100 items");
}

#[tokio::test]
async fn clusters_are_listed_page_by_page() {
    let world = World::new();
    for name in ["c", "a", "b", "d"] {
        world.create(json!({"clusterName": name})).await;
    }
    let list = |request: Value| {
        let world = &world;
        async move { world.ecs.clusters().list(&world.ctx, from(request)).await }
    };
    let arn = |name: &str| format!("arn:aws:ecs:eu-central-1:123456789012:cluster/{name}");
    let first = wire(list(json!({"maxResults": 2})).await);
    assert_eq!(first["clusterArns"], json!([arn("a"), arn("b")]));
    let second = wire(list(json!({"maxResults": 2, "nextToken": first["nextToken"]})).await);
    assert_eq!(second, json!({"clusterArns": [arn("c"), arn("d")]}), "a full last page has no token");
    assert_refused(list(json!({"nextToken": "x"})).await, ErrorCode::InvalidParameter, "Invalid token");
    let message = "Max results can not be greater than 100";
    assert_refused(list(json!({"maxResults": 101})).await, ErrorCode::InvalidParameter, message);

    let elsewhere = Context::root(kecs_domain::Scope::new("123456789012", "eu-west-1"));
    let foreign = world.ecs.clusters().list(&elsewhere, from(json!({"nextToken": first["nextToken"]}))).await;
    assert_refused(foreign, ErrorCode::InvalidParameter, "Invalid token");
    assert_eq!(
        wire(world.ecs.clusters().list(&elsewhere, from(json!({}))).await),
        json!({"clusterArns": []})
    );
}

#[tokio::test]
async fn updates_change_what_they_name_and_show_attachments() {
    let world = World::new();
    world.create(json!({"clusterName": "main", "serviceConnectDefaults": {"namespace": "a"}})).await;
    let update = |request: Value| {
        let world = &world;
        async move { wire(world.ecs.clusters().update(&world.ctx, from(request)).await)["cluster"].clone() }
    };
    let configuration = json!({"executeCommandConfiguration": {"logging": "NONE"}});
    let updated = update(json!({"cluster": "main", "configuration": configuration})).await;
    let expected = json!({"attachments": [], "configuration": configuration, "serviceConnectDefaults": {"namespace": "a"}});
    assert_eq!(updated, cluster(expected));
    let updated = update(json!({"cluster": ARN, "serviceConnectDefaults": {"namespace": ""}})).await;
    assert_eq!(updated, cluster(json!({"attachments": [], "configuration": configuration})));
    let settings =
        json!({"cluster": "main", "settings": [{"name": "containerInsights", "value": "enabled"}]});
    let updated = wire(world.ecs.clusters().update_settings(&world.ctx, from(settings)).await);
    assert_eq!(updated["cluster"]["settings"], json!([{"name": "containerInsights", "value": "enabled"}]));
    assert_eq!(updated["cluster"]["attachments"], json!([]));
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_told_before_a_setting_that_is_none() {
    let world = World::new();
    let bad = json!({"cluster": "main", "settings": [{"name": "containerInsights", "value": "maybe"}]});
    let settings = || async { world.ecs.clusters().update_settings(&world.ctx, from(bad.clone())).await };
    let update = || async { world.ecs.clusters().update(&world.ctx, from(bad.clone())).await };
    let delete = world.ecs.clusters().delete(&world.ctx, from(json!({"cluster": "main"}))).await;
    assert_refused(delete, ErrorCode::ClusterNotFound, "Cluster not found.");
    assert_refused(settings().await, ErrorCode::ClusterNotFound, "Cluster not found.");
    assert_refused(update().await, ErrorCode::ClusterNotFound, "Cluster not found.");
    world.create(json!({"clusterName": "main"})).await;
    assert_refused(settings().await, ErrorCode::InvalidParameter, "Invalid setting 'value'");
    assert_refused(update().await, ErrorCode::InvalidParameter, "Invalid setting 'value'");
    world.delete().await;
    assert_refused(settings().await, ErrorCode::Client, "Cluster was not ACTIVE.");
    assert_refused(update().await, ErrorCode::Client, "Cluster was not ACTIVE.");
}

#[tokio::test]
async fn when_the_room_can_t_be_made_the_next_call_makes_it() {
    let world = World::new();
    *world.orchestrator.failure.lock() = Some(PortError::transient("no cluster today"));
    let create =
        || async { world.ecs.clusters().create(&world.ctx, from(json!({"clusterName": "main"}))).await };
    assert!(matches!(create().await, Err(Error::Port(_))));
    *world.orchestrator.failure.lock() = None;
    create().await.unwrap();
    assert_eq!(*world.orchestrator.calls.lock(), ["ensure main", "ensure main"]);
}

#[tokio::test]
async fn many_creates_of_one_cluster_at_once_all_succeed() {
    let world = World::new();
    let creates = (0..20).map(|_| world.create(json!({"clusterName": "main"})));
    for created in futures::future::join_all(creates).await {
        assert_eq!(created["status"], "ACTIVE");
    }
}
