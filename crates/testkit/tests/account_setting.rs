//! The operations on account settings over a store in memory.

mod support;

use kecs_domain::model::SettingName;
use kecs_domain::{ErrorCode, Scope};
use kecs_usecases::Context;
use serde_json::{Value, json};
use support::{World, assert_refused, from, refused, wire};

const ROOT: &str = "arn:aws:iam::123456789012:root";
const ANN: &str = "arn:aws:iam::123456789012:user/ann";

impl World {
    async fn choose(&self, ctx: &Context, request: Value) -> Value {
        wire(self.ecs.account_settings().put(ctx, from(request)).await)["setting"].clone()
    }

    async fn list(&self, ctx: &Context, request: Value) -> Value {
        wire(self.ecs.account_settings().list(ctx, from(request)).await)
    }

    fn ann(&self) -> Context {
        Context { scope: self.ctx.scope.clone(), caller_arn: ANN.to_owned() }
    }
}

fn insights(value: &str, principal: &str) -> Value {
    json!({"name": "containerInsights", "value": value, "principalArn": principal, "type": "user"})
}

#[tokio::test]
async fn a_choice_is_answered_and_listed() {
    let world = World::new();
    let request = json!({"name": "containerInsights", "value": "enabled"});
    assert_eq!(world.choose(&world.ctx, request).await, insights("enabled", ROOT));
    assert_eq!(world.list(&world.ctx, json!({})).await, json!({"settings": [insights("enabled", ROOT)]}));
    assert_eq!(world.list(&world.ann(), json!({})).await, json!({"settings": []}), "ann has chosen nothing");
}

#[tokio::test]
async fn the_own_choice_holds_before_the_roots_until_it_is_given_up() {
    let world = World::new();
    let effective = json!({"name": "containerInsights", "effectiveSettings": true});
    let holds = |value| json!({"settings": [insights(value, ANN)]});
    assert_eq!(world.list(&world.ann(), effective.clone()).await, holds("disabled"));

    let default = json!({"name": "containerInsights", "value": "enabled"});
    let default = world.ecs.account_settings().put_default(&world.ann(), from(default)).await;
    assert_eq!(wire(default)["setting"], insights("enabled", ROOT));
    assert_eq!(world.list(&world.ann(), effective.clone()).await, holds("enabled"));

    let own = json!({"name": "containerInsights", "value": "enhanced", "principalArn": ANN});
    assert_eq!(
        world.choose(&world.ctx, own).await,
        insights("enhanced", ANN),
        "the root user may choose for ann"
    );
    assert_eq!(world.list(&world.ann(), effective.clone()).await, holds("enhanced"));

    let given_up = json!({"name": "containerInsights"});
    let deleted = world.ecs.account_settings().delete(&world.ann(), from(given_up.clone())).await;
    assert_eq!(wire(deleted)["setting"], insights("enhanced", ANN));
    assert_eq!(world.list(&world.ann(), effective).await, holds("enabled"));
    let again = world.ecs.account_settings().delete(&world.ann(), from(given_up)).await;
    assert_eq!(wire(again)["setting"], insights("enabled", ANN), "what holds anyway");
}

#[tokio::test]
async fn effective_settings_are_all_of_them_in_pages_of_ten() {
    let world = World::new();
    let first = world.list(&world.ctx, json!({"effectiveSettings": true})).await;
    assert_eq!(first["settings"].as_array().unwrap().len(), 10);
    let rest = json!({"effectiveSettings": true, "nextToken": first["nextToken"]});
    let rest = world.list(&world.ctx, rest).await;
    assert!(rest.get("nextToken").is_none());
    let all: Vec<_> = [&first, &rest].iter().flat_map(|page| page["settings"].as_array().unwrap()).collect();
    let names: Vec<_> = all.iter().map(|setting| setting["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted());
    assert_eq!(names.len(), SettingName::ALL.len());
    let managed: Vec<_> = all.iter().filter(|setting| setting["type"] == "aws_managed").collect();
    assert_eq!(managed.len(), 1);
    assert_eq!(managed[0]["name"], "guardDutyActivate");
}

#[tokio::test]
async fn a_list_is_filtered_by_value() {
    let world = World::new();
    let filter = json!({"name": "taskLongArnFormat", "value": "disabled", "effectiveSettings": true});
    assert_eq!(world.list(&world.ctx, filter).await, json!({"settings": []}));
    let filter = json!({"name": "taskLongArnFormat", "value": "enabled", "effectiveSettings": true});
    assert_eq!(world.list(&world.ctx, filter).await["settings"].as_array().unwrap().len(), 1);
    let nameless = world.ecs.account_settings().list(&world.ctx, from(json!({"value": "enabled"}))).await;
    assert_eq!(refused(nameless).0, ErrorCode::InvalidParameter);
}

#[tokio::test]
async fn only_the_root_user_speaks_for_others() {
    let world = World::new();
    let settings = world.ecs.account_settings();
    let for_root = json!({"name": "containerInsights", "value": "enabled", "principalArn": ROOT});
    assert_eq!(refused(settings.put(&world.ann(), from(for_root)).await).0, ErrorCode::AccessDenied);
    let of_root = json!({"principalArn": ROOT});
    assert_eq!(refused(settings.list(&world.ann(), from(of_root)).await).0, ErrorCode::AccessDenied);
    let of_root = json!({"name": "containerInsights", "principalArn": ROOT});
    assert_eq!(refused(settings.delete(&world.ann(), from(of_root)).await).0, ErrorCode::AccessDenied);
    let own = json!({"name": "awsvpcTrunking", "value": "enabled", "principalArn": ANN});
    assert_eq!(world.choose(&world.ann(), own).await["principalArn"], ANN);
}

#[tokio::test]
async fn bad_choices_are_refused() {
    let world = World::new();
    let settings = world.ecs.account_settings();
    for (request, message) in [
        (json!({"name": "containerInsights", "value": "ENABLED"}), "Invalid setting 'value'"),
        (json!({"name": "fargateTaskRetirementWaitPeriod", "value": "8"}), "Invalid setting 'value'"),
        (
            json!({"name": "serviceLongArnFormat", "value": "disabled"}),
            "You can no longer disable Long Arn settings",
        ),
        (
            json!({"name": "fargateTaskRetirementWaitPeriod", "value": "14", "principalArn": ANN}),
            "fargateTaskRetirementWaitPeriod can only be set for the root user.",
        ),
    ] {
        let response = settings.put(&world.ctx, from(request)).await;
        assert_refused(response, ErrorCode::InvalidParameter, message);
    }
    let read_only = settings.delete(&world.ctx, from(json!({"name": "guardDutyActivate"}))).await;
    assert!(refused(read_only).1.contains("guardDutyActivate"));
    let foreign = json!({"name": "containerInsights", "value": "enabled",
        "principalArn": "arn:aws:iam::999999999999:user/ann"});
    assert!(refused(settings.put(&world.ctx, from(foreign)).await).1.contains("principalArn"));
}

#[tokio::test]
async fn new_clusters_have_the_container_insights_of_their_maker() {
    let world = World::new();
    world.choose(&world.ctx, json!({"name": "containerInsights", "value": "enhanced"})).await;
    let create = |ctx: Context, name: &'static str| {
        let ecs = world.ecs.clone();
        async move {
            wire(ecs.clusters().create(&ctx, from(json!({"clusterName": name}))).await)["cluster"].clone()
        }
    };
    let made = create(world.ctx.clone(), "main").await;
    assert_eq!(made["settings"], json!([{"name": "containerInsights", "value": "enhanced"}]));
    let elsewhere = Context::root(Scope::new("123456789012", "eu-west-1"));
    let made = create(elsewhere, "main").await;
    assert_eq!(made["settings"][0]["value"], "disabled", "settings are a region's");
    world.choose(&world.ctx, json!({"name": "containerInsights", "value": "enabled"})).await;
    assert_eq!(create(world.ctx.clone(), "main").await["settings"][0]["value"], "enhanced", "idempotent");
}
