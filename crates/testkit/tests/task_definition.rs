//! The operations on task definitions over a store in memory, with ECS's literal answers.

mod support;

use kecs_domain::{EcsError, ErrorCode};
use serde_json::{Value, json};
use support::{World, assert_refused, from, wire};

const ARN: &str = "arn:aws:ecs:eu-central-1:123456789012:task-definition";

/// The least that can be registered.
fn least(family: &str) -> Value {
    json!({"family": family, "containerDefinitions": [{"name": "app", "image": "nginx", "memory": 64}]})
}

impl World {
    async fn register(&self, request: Value) -> Value {
        wire(self.ecs.task_definitions().register(&self.ctx, from(request)).await)
    }

    async fn describe(&self, named: &str) -> Value {
        let request = json!({"taskDefinition": named, "include": ["TAGS"]});
        wire(self.ecs.task_definitions().describe(&self.ctx, from(request)).await)
    }

    async fn deregister(&self, named: &str) -> Value {
        let request = json!({"taskDefinition": named});
        let answer = wire(self.ecs.task_definitions().deregister(&self.ctx, from(request)).await);
        answer["taskDefinition"].clone()
    }

    async fn delete(&self, named: &[&str]) -> Value {
        let request = json!({"taskDefinitions": named});
        wire(self.ecs.task_definitions().delete(&self.ctx, from(request)).await)
    }

    async fn list(&self, request: Value) -> Value {
        wire(self.ecs.task_definitions().list(&self.ctx, from(request)).await)
    }

    async fn families(&self, request: Value) -> Value {
        wire(self.ecs.task_definitions().list_families(&self.ctx, from(request)).await)["families"].clone()
    }

    async fn refuses_to_describe(&self, named: &str, code: ErrorCode, message: &str) {
        let request = json!({"taskDefinition": named});
        let response = self.ecs.task_definitions().describe(&self.ctx, from(request)).await;
        assert_refused(response, code, message);
    }

    async fn refuses_to_deregister(&self, named: &str, code: ErrorCode, message: &str) {
        let request = json!({"taskDefinition": named});
        let response = self.ecs.task_definitions().deregister(&self.ctx, from(request)).await;
        assert_refused(response, code, message);
    }
}

#[tokio::test]
async fn what_is_registered_reads_back_with_what_ecs_fills_in() {
    let world = World::new();
    let registered = world.register(least("web")).await;
    let definition = json!({
        "taskDefinitionArn": format!("{ARN}/web:1"),
        "containerDefinitions": [{
            "name": "app", "image": "nginx", "memory": 64, "cpu": 0, "essential": true, "environment": [],
            "mountPoints": [], "volumesFrom": [], "portMappings": [], "systemControls": [],
        }],
        "family": "web",
        "revision": 1,
        "volumes": [],
        "status": "ACTIVE",
        "placementConstraints": [],
        "compatibilities": ["EXTERNAL", "EC2"],
        "registeredAt": 1_700_000_000,
        "registeredBy": "arn:aws:iam::123456789012:root",
    });
    assert_eq!(registered, json!({"taskDefinition": definition}), "no tags unless they were sent");
    for named in ["web", "web:1", &format!("{ARN}/web:1"), &format!("{ARN}/web")] {
        assert_eq!(world.describe(named).await, json!({"taskDefinition": definition, "tags": []}), "{named}");
    }
}

#[tokio::test]
async fn tags_are_shown_when_they_were_sent_and_when_they_are_asked_for() {
    let world = World::new();
    let tags = json!([{"key": "team", "value": "a"}]);
    let mut request = least("web");
    request["tags"] = tags.clone();
    assert_eq!(world.register(request).await["tags"], tags);
    assert_eq!(world.describe("web").await["tags"], tags);
    let plain = from(json!({"taskDefinition": "web"}));
    let plain = wire(world.ecs.task_definitions().describe(&world.ctx, plain).await);
    assert_eq!(plain["tags"], json!([]), "always there");
}

#[tokio::test]
async fn revisions_rise_and_are_never_used_again() {
    let world = World::new();
    for revision in 1..=3 {
        assert_eq!(world.register(least("web")).await["taskDefinition"]["revision"], revision);
    }
    world.deregister("web:3").await;
    world.delete(&["web:3"]).await;
    assert_eq!(world.describe("web").await["taskDefinition"]["revision"], 2, "the newest ACTIVE one");
    assert_eq!(world.register(least("web")).await["taskDefinition"]["revision"], 4);
    assert_eq!(world.register(least("other")).await["taskDefinition"]["revision"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn registrations_at_once_all_get_a_revision_of_their_own() {
    let world = std::sync::Arc::new(World::new());
    let registrations: Vec<_> = (0..50)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move {
                world.register(least("web")).await["taskDefinition"]["revision"].as_i64().unwrap()
            })
        })
        .collect();
    let mut revisions = Vec::new();
    for registration in registrations {
        revisions.push(registration.await.unwrap());
    }
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=50).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_wrong_registration_is_refused_and_leaves_nothing() {
    let world = World::new();
    let register = |request: Value| {
        let world = &world;
        async move { world.ecs.task_definitions().register(&world.ctx, from(request)).await }
    };
    let mut request = least("web");
    request["containerDefinitions"][0]["essential"] = json!(false);
    let message = "Task definition doesn't have any essential container.";
    assert_refused(register(request).await, ErrorCode::Client, message);

    let mut request = least("web");
    request["cpu"] = json!("");
    assert_refused(register(request).await, ErrorCode::InvalidParameter, "Invalid 'cpu' setting for task.");

    let mut request = least("web");
    request["tags"] = json!([{"key": "a"}]);
    assert_refused(register(request).await, ErrorCode::Client, "Tag value can not be null.");

    let mut request = least("web");
    request["containerDefinitions"][0]["resourceRequirements"] =
        json!([{"type": "GPU", "sharingStrategy": {"nvidiaMps": {"memory": 0}}}]);
    let message = "containerDefinitions[0].resourceRequirements[0].sharingStrategy.nvidiaMps.memory must have a value of at least 1";
    assert_refused(register(request).await, ErrorCode::InvalidParameter, message);

    assert_eq!(world.families(json!({})).await, json!([]));
}

#[tokio::test]
async fn the_orchestrator_has_the_last_word() {
    let world = World::new();
    *world.orchestrator.complaint.lock() = Some(EcsError::client("containerDefinitions[0].image: not here"));
    let register = |request: Value| {
        let world = &world;
        async move { world.ecs.task_definitions().register(&world.ctx, from(request)).await }
    };
    let message = "containerDefinitions[0].image: not here";
    assert_refused(register(least("web")).await, ErrorCode::Client, message);
    assert_refused(register(least("we b")).await, ErrorCode::Client, "Family contains invalid characters.");
}

#[tokio::test]
async fn what_is_not_there_can_not_be_described() {
    let world = World::new();
    let unknown = "Unable to describe task definition.";
    world.refuses_to_describe("web", ErrorCode::Client, unknown).await;
    world.refuses_to_describe("web:1", ErrorCode::Client, unknown).await;
    world.refuses_to_describe("we b", ErrorCode::Client, unknown).await;
    world.register(least("web")).await;
    world.refuses_to_describe("web:2", ErrorCode::Client, unknown).await;
    let foreign = "arn:aws:ecs:eu-central-1:999999999999:task-definition/web:1";
    world.refuses_to_describe(foreign, ErrorCode::Client, unknown).await;
    let revision = "Invalid task definition: Invalid revision number.";
    for named in ["web:bad", "web:0", "web:-1"] {
        world.refuses_to_describe(named, ErrorCode::InvalidParameter, revision).await;
    }
    world.deregister("web:1").await;
    world.refuses_to_describe("web", ErrorCode::Client, unknown).await;
    assert_eq!(world.describe("web:1").await["taskDefinition"]["status"], "INACTIVE");
}

#[tokio::test]
async fn deregistering_answers_the_first_time_without_and_then_with_the_time() {
    let world = World::new();
    world.register(least("web")).await;
    let first = world.deregister("web:1").await;
    assert_eq!((&first["status"], first.get("deregisteredAt")), (&json!("INACTIVE"), None));
    let second = world.deregister(&format!("{ARN}/web:1")).await;
    assert!(second["deregisteredAt"].is_number());
    assert_eq!(world.deregister("web:1").await, second);
    assert_eq!(world.describe("web:1").await["taskDefinition"], second);
}

#[tokio::test]
async fn deregistering_needs_a_revision_that_is_there() {
    let world = World::new();
    world.register(least("web")).await;
    world.refuses_to_deregister("web", ErrorCode::InvalidParameter, "Revision is missing").await;
    let unknown = "Unable to deregister task definition.";
    world.refuses_to_deregister("web:2", ErrorCode::Client, unknown).await;
    world.refuses_to_deregister("we b:1", ErrorCode::Client, unknown).await;
    let revision = "Invalid task definition: Invalid revision number.";
    world.refuses_to_deregister("web:x", ErrorCode::InvalidParameter, revision).await;
    world.deregister("web:1").await;
    world.delete(&["web:1"]).await;
    let deleting =
        "The task definition could not be deregistered because it is in the process of being deleted.";
    world.refuses_to_deregister("web:1", ErrorCode::Client, deleting).await;
}

#[tokio::test]
async fn deleting_takes_inactive_revisions_and_says_why_it_leaves_others() {
    let world = World::new();
    world.register(least("web")).await;
    world.register(least("web")).await;
    world.deregister("web:1").await;
    let answer = world.delete(&["web:1", "web:2", "web", "gone:1", "web:x"]).await;
    let deleted = answer["taskDefinitions"].as_array().unwrap();
    assert_eq!(deleted.len(), 1);
    assert_eq!(deleted[0]["status"], "DELETE_IN_PROGRESS");
    assert!(deleted[0]["deleteRequestedAt"].is_number() && deleted[0]["deregisteredAt"].is_number());
    let invalid =
        "The specified task definition identifier is invalid. Specify a valid name or ARN and try again.";
    assert_eq!(
        answer["failures"],
        json!([
            {
                "arn": "web:2",
                "reason": "The specified task definition is still in ACTIVE status. Please deregister the target and try again.",
            },
            {"arn": "web", "reason": invalid},
            {
                "arn": "gone:1",
                "reason": "The specified task definition does not exist. Specify a valid account, family, revision and try again.",
            },
            {"arn": "web:x", "reason": invalid},
        ])
    );
    let again = world.delete(&["web:1"]).await;
    assert_eq!(again, json!({"taskDefinitions": [deleted[0]], "failures": []}));
    assert_eq!(world.describe("web:1").await["taskDefinition"]["status"], "DELETE_IN_PROGRESS");
}

#[tokio::test]
async fn one_to_ten_task_definitions_are_deleted_at_once() {
    let world = World::new();
    let delete = |named: Vec<&'static str>| {
        let world = &world;
        let request = from(json!({"taskDefinitions": named}));
        async move { world.ecs.task_definitions().delete(&world.ctx, request).await }
    };
    assert_eq!(wire(delete(vec!["a:1"; 10]).await)["failures"].as_array().unwrap().len(), 10);
    let message = "taskDefinitions can have at most 10 items";
    assert_refused(delete(vec!["a:1"; 11]).await, ErrorCode::InvalidParameter, message);
    let message = "Task definitions cannot be empty.";
    assert_refused(delete(vec![]).await, ErrorCode::InvalidParameter, message);
}

#[tokio::test]
async fn revisions_are_listed_by_family_and_then_as_numbers() {
    let world = World::new();
    for _ in 0..11 {
        world.register(least("web")).await;
    }
    world.register(least("web-admin")).await;
    world.register(least("api")).await;
    world.deregister("web:3").await;
    let arns = |named: &[&str]| named.iter().map(|named| format!("{ARN}/{named}")).collect::<Vec<_>>();
    let all = [
        "api:1",
        "web:1",
        "web:2",
        "web:4",
        "web:5",
        "web:6",
        "web:7",
        "web:8",
        "web:9",
        "web:10",
        "web:11",
        "web-admin:1",
    ];
    assert_eq!(world.list(json!({})).await, json!({"taskDefinitionArns": arns(&all)}));
    let descending = world.list(json!({"sort": "DESC"})).await;
    assert_eq!(descending["taskDefinitionArns"], json!(arns(&all).into_iter().rev().collect::<Vec<_>>()));
    let family = world.list(json!({"familyPrefix": "web", "maxResults": 9})).await;
    assert_eq!(family["taskDefinitionArns"], json!(arns(&all[1..10])), "a whole family, and not web-admin");
    let rest = json!({"familyPrefix": "web", "maxResults": 9, "nextToken": family["nextToken"]});
    assert_eq!(world.list(rest).await, json!({"taskDefinitionArns": arns(&all[10..11])}));
    let inactive = world.list(json!({"status": "INACTIVE"})).await;
    assert_eq!(inactive, json!({"taskDefinitionArns": arns(&["web:3"])}));
    assert_eq!(world.list(json!({"familyPrefix": "we"})).await, json!({"taskDefinitionArns": []}));
    assert_eq!(world.list(json!({"familyPrefix": "we b"})).await, json!({"taskDefinitionArns": []}));

    let other = from(json!({"familyPrefix": "api", "nextToken": family["nextToken"]}));
    let other = world.ecs.task_definitions().list(&world.ctx, other).await;
    assert_refused(other, ErrorCode::InvalidParameter, "Invalid token");
    let many = world.ecs.task_definitions().list(&world.ctx, from(json!({"maxResults": 101}))).await;
    assert_refused(many, ErrorCode::InvalidParameter, "Max results can not be greater than 100");
}

#[tokio::test]
async fn families_are_listed_by_prefix_and_by_whether_they_have_an_active_revision() {
    let world = World::new();
    for family in ["web", "web-admin", "old", "deleted"] {
        world.register(least(family)).await;
    }
    for named in ["old:1", "deleted:1"] {
        world.deregister(named).await;
    }
    world.delete(&["deleted:1"]).await;
    let all = json!(["deleted", "old", "web", "web-admin"]);
    assert_eq!(world.families(json!({})).await, all);
    assert_eq!(world.families(json!({"status": "ALL"})).await, all);
    assert_eq!(world.families(json!({"status": "ACTIVE"})).await, json!(["web", "web-admin"]));
    assert_eq!(world.families(json!({"status": "INACTIVE"})).await, json!(["deleted", "old"]));
    assert_eq!(world.families(json!({"familyPrefix": "web"})).await, json!(["web", "web-admin"]));
    let page = from(json!({"maxResults": 3}));
    let page = wire(world.ecs.task_definitions().list_families(&world.ctx, page).await);
    let rest = json!({"maxResults": 3, "nextToken": page["nextToken"]});
    assert_eq!(world.families(rest).await, json!(["web-admin"]));
}

/// RunTask looks at the task definition first, so its answers show how one is found.
#[tokio::test]
async fn a_task_is_only_made_of_an_active_revision() {
    let world = World::new();
    let run = |named: &'static str| {
        let world = &world;
        async move { world.ecs.tasks().run(&world.ctx, from(json!({"taskDefinition": named}))).await }
    };
    let (not_found, revision) =
        ("TaskDefinition not found.", "Invalid task definition: Invalid revision number.");
    assert_refused(run("web").await, ErrorCode::Client, not_found);
    assert_refused(run("web:1").await, ErrorCode::Client, not_found);
    assert_refused(run("web:x").await, ErrorCode::InvalidParameter, revision);
    world.register(least("web")).await;
    assert_refused(run("web").await, ErrorCode::ClusterNotFound, "Cluster not found.");
    world.deregister("web:1").await;
    assert_refused(run("web:1").await, ErrorCode::InvalidParameter, "TaskDefinition is inactive");
    assert_refused(run("web").await, ErrorCode::Client, not_found);
    world.delete(&["web:1"]).await;
    assert_refused(run("web:1").await, ErrorCode::InvalidParameter, "TaskDefinition is being deleted");
}
