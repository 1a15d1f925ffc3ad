//! What capacity providers do to tasks and services.

use kecs_domain::ErrorCode;
use kecs_usecases::ports::WakeKey;
use serde_json::{Value, json};

use super::{places, strategy};
use crate::support::{World, assert_refused, from, refused, wire};

#[tokio::test]
async fn tasks_run_on_the_instances_of_their_provider() {
    let world = World::new();
    world.cluster("main").await;
    world.definition().await;
    world.provider("mine").await;
    world.provider("other").await;
    world.associate("main", &["mine", "other"], json!([])).await.unwrap();
    let node = |name| [("kecs.dev/capacity-provider", name)];
    world.instances(&[&node("other"), &node("mine"), &[("eks.amazonaws.com/nodegroup", "asg-mine")], &[]]);

    let on_mine = json!({"capacityProviderStrategy": strategy(&[("mine", 0, 1)]), "count": 8});
    let answer = world.run(on_mine).await.unwrap();
    assert!(places(&answer).iter().all(|(provider, node)| provider == "mine" && "12".contains(node)));
    assert_eq!(answer["tasks"][0]["launchType"], "EC2");

    let shared = strategy(&[("mine", 0, 1), ("other", 2, 1)]);
    let answer = world.run(json!({"capacityProviderStrategy": shared, "count": 6})).await.unwrap();
    let mut providers: Vec<_> = places(&answer).into_iter().map(|(provider, _)| provider).collect();
    assert_eq!(providers[..2], ["other", "other"], "the base first");
    providers.sort();
    assert_eq!(providers, ["mine", "mine", "other", "other", "other", "other"]);
    assert!(places(&answer).iter().all(|(provider, node)| (provider == "other") == (node == "0")));

    let anywhere = world.run(json!({"launchType": "EC2", "count": 1})).await.unwrap();
    assert_eq!(places(&anywhere)[0].0, "");
}

#[tokio::test]
async fn where_ecs_scales_a_task_waits_for_capacity() {
    let world = World::new();
    world.cluster("main").await;
    world.definition().await;
    world.provider("mine").await;
    world.associate("main", &["mine"], strategy(&[("mine", 0, 1)])).await.unwrap();
    let answer = world.run(json!({})).await.unwrap();
    assert_eq!(places(&answer), [("mine".to_owned(), String::new())]);
    assert_eq!(
        (&answer["tasks"][0]["lastStatus"], &answer["failures"]),
        (&json!("PROVISIONING"), &json!([]))
    );

    let key = kecs_domain::arn::cluster_ref(&world.ctx.scope, Some("main")).unwrap();
    let key = kecs_domain::arn::task_ref(&key, answer["tasks"][0]["taskArn"].as_str().unwrap()).unwrap();
    let reconcile = async || {
        let next = world.ecs.reconciler().reconcile(&WakeKey::Task(key.clone())).await.unwrap();
        let tasks = json!({"cluster": "main", "tasks": [answer["tasks"][0]["taskArn"]]});
        (next.after, wire(world.ecs.tasks().describe(&world.ctx, from(tasks)).await))
    };
    world.instances(&[&[("kecs.dev/capacity-provider", "other")]]);
    let (again, task) = reconcile().await;
    assert!(again.is_some(), "it looks again");
    assert_eq!(task["tasks"][0]["lastStatus"], "PROVISIONING");

    world.instances(&[&[("kecs.dev/capacity-provider", "other")], &[("kecs.dev/capacity-provider", "mine")]]);
    let (again, task) = reconcile().await;
    assert_eq!(again, None);
    assert_eq!(places(&task), [("mine".to_owned(), "1".to_owned())]);
    assert_eq!(task["tasks"][0]["availabilityZone"], "a");
    // This orchestrator refuses every task for good, so that it was asked can be seen.
    assert_eq!(task["tasks"][0]["stopCode"], "TaskFailedToStart");
}

#[tokio::test]
async fn the_clusters_default_strategy_is_used_when_nothing_is_said() {
    let world = World::new();
    world.cluster("main").await;
    world.definition().await;
    world.provider("mine").await;
    world.instances(&[&[("kecs.dev/capacity-provider", "somebody")], &[]]);
    world.associate("main", &["mine"], strategy(&[("mine", 0, 1)])).await.unwrap();
    let answer = world.run(json!({"count": 3})).await.unwrap();
    assert_eq!(
        places(&answer),
        vec![("mine".to_owned(), "1".to_owned()); 3],
        "not on another provider's node"
    );

    let service =
        json!({"cluster": "main", "serviceName": "web", "taskDefinition": "app", "desiredCount": 2});
    let made = wire(world.ecs.services().create(&world.ctx, from(service)).await)["service"].clone();
    assert_eq!(made["capacityProviderStrategy"], strategy(&[("mine", 0, 1)]));
    assert_eq!((made.get("launchType"), made.get("platformVersion")), (None, None));
    let key = kecs_domain::arn::cluster_ref(&world.ctx.scope, Some("main")).unwrap();
    let key = kecs_domain::arn::service_ref(&key, "web").unwrap().unwrap();
    world.ecs.reconciler().reconcile(&WakeKey::Service(key)).await.unwrap();
    let listed = json!({"cluster": "main", "serviceName": "web"});
    let listed = wire(world.ecs.tasks().list(&world.ctx, from(listed)).await);
    let tasks = json!({"cluster": "main", "tasks": listed["taskArns"]});
    let tasks = wire(world.ecs.tasks().describe(&world.ctx, from(tasks)).await);
    assert_eq!(places(&tasks), vec![("mine".to_owned(), "1".to_owned()); 2]);
}

#[tokio::test]
async fn strategies_that_break_a_rule_are_refused_by_tasks_and_services() {
    let world = World::new();
    world.cluster("main").await;
    world.definition().await;
    world.provider("mine").await;
    world.provider("lone").await;
    let still = json!({"name": "still", "autoScalingGroupProvider": {"autoScalingGroupArn": "asg-still"}});
    world.ecs.capacity_providers().create(&world.ctx, from(still)).await.unwrap();
    world.associate("main", &["mine", "still", "FARGATE"], strategy(&[("mine", 0, 0)])).await.unwrap();
    let items = |items| json!({"capacityProviderStrategy": strategy(items)});
    for (members, start) in [
        (items(&[("nope", 0, 1)]), "The specified capacity provider strategy cannot contain"),
        (items(&[("lone", 0, 1)]), "The specified capacity provider strategy cannot contain"),
        (items(&[("mine", 0, 1), ("FARGATE", 0, 1)]), "A capacity provider strategy cannot contain a mix"),
        (items(&[("mine", 0, 0)]), "There are no capacity providers in the capacity provider strategy"),
        (json!({}), "There are no capacity providers in the capacity provider strategy"),
        (items(&[("still", 0, 1)]), "No Container Instances were found in your capacity provider."),
    ] {
        let (code, message) = refused(world.run(members).await);
        assert_eq!(code, ErrorCode::InvalidParameter);
        assert!(message.starts_with(start), "{message}");
    }
    let both = json!({"launchType": "EC2", "capacityProviderStrategy": strategy(&[("mine", 0, 1)])});
    let message = "You may choose a capacity provider or a launch type but not both.";
    assert_refused(world.run(both).await, ErrorCode::InvalidParameter, message);
    let daemon = json!({"cluster": "main", "serviceName": "web", "taskDefinition": "app",
        "schedulingStrategy": "DAEMON", "capacityProviderStrategy": strategy(&[("mine", 0, 1)])});
    let refusal = refused(world.ecs.services().create(&world.ctx, from(daemon)).await);
    assert!(refusal.1.starts_with("The daemon scheduling strategy does not support"), "{}", refusal.1);
}

#[tokio::test]
async fn a_service_moves_between_providers_and_launch_types() {
    let world = World::new();
    world.cluster("main").await;
    let request = json!({"family": "app", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "requiresCompatibilities": ["FARGATE", "EC2"], "containerDefinitions": [{"name": "app", "image": "i"}]});
    world.ecs.task_definitions().register(&world.ctx, from(request)).await.unwrap();
    world.provider("mine").await;
    world.associate("main", &["mine", "FARGATE"], json!([])).await.unwrap();
    let network = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}});
    let service = json!({"cluster": "main", "serviceName": "web", "taskDefinition": "app", "desiredCount": 0,
        "launchType": "FARGATE", "networkConfiguration": network});
    world.ecs.services().create(&world.ctx, from(service)).await.unwrap();
    let update = async |items: Value| {
        let request = json!({"cluster": "main", "service": "web", "capacityProviderStrategy": items});
        wire(world.ecs.services().update(&world.ctx, from(request)).await)["service"].clone()
    };
    let on_group = update(strategy(&[("mine", 0, 1)])).await;
    assert_eq!(on_group["capacityProviderStrategy"], strategy(&[("mine", 0, 1)]));
    assert_eq!((on_group.get("launchType"), on_group.get("platformVersion")), (None, None));
    let on_fargate = update(strategy(&[("FARGATE", 0, 1)])).await;
    assert_eq!(on_fargate["platformVersion"], "LATEST");
    let back = update(json!([])).await;
    assert_eq!((&back["launchType"], back.get("capacityProviderStrategy")), (&json!("EC2"), None));
}
