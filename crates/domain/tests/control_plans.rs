//! The scheduler's plans where somebody takes a hand: protected tasks, deployments that are stopped or wait at hooks,
//! and task sets; as texts under `golden/plans`.
//!
//! `UPDATE_GOLDEN=1 cargo test -p kecs-domain --test control_plans` writes them again.

mod support;

use std::time::Duration;

use kecs_domain::model::DeploymentLifecycleHookAction::{Continue, Rollback};
use kecs_domain::model::HealthStatus::{Healthy, Unhealthy};
use kecs_domain::name::HexId;
use kecs_domain::service::{ServiceStatus, StopRequest};

use support::invariants::is_steady;
use support::story::{Story, at_rest, up};
use support::world::Settings;

#[test]
fn protected_tasks_stay() {
    let about = "Protected tasks (*) are neither scaled in nor replaced before their protection ends.";
    let mut story = at_rest("protected", about, Settings::replica(3, 100, 200));
    let until = story.world.now.saturating_add(Duration::from_secs(7200));
    story.world.protect(HexId::from_bits(1), until);
    story.world.scale(1);
    story.turn("scaled in to 1, one task is protected");
    story.world.all_gone();
    story.turn("the stopped tasks are gone");
    story.world.update();
    story.turn("updated to web:2");
    up(&mut story.world);
    story.turn("the new task is RUNNING");
    story.world.pass(7200);
    story.turn("two hours later the protection has ended");
    story.world.all_gone();
    story.turn("the stopped task is gone");
    story.end();
}

#[test]
fn a_deployment_is_stopped_and_rolled_back() {
    let about = "StopServiceDeployment with ROLLBACK: back to the revision that completed last.";
    let mut story = at_rest("stop_rollback", about, Settings::replica(2, 100, 200));
    story.world.update();
    story.turn("updated to web:2");
    story.world.stop(StopRequest::Rollback);
    story.turn("a user stops the deployment");
    story.turn("the rollback begins");
    while !is_steady(&story.world.service) {
        up(&mut story.world);
        story.world.all_gone();
        story.turn("what was started is RUNNING, what was stopped is gone");
    }
    assert!(is_steady(&story.world.service));
    story.end();
}

#[test]
fn a_deployment_is_stopped_and_left() {
    let about = "StopServiceDeployment with ABORT: nothing more is started, what runs stays.";
    let mut story = at_rest("stop_abort", about, Settings::replica(2, 100, 150));
    story.world.update();
    story.turn("updated to web:2");
    story.world.stop(StopRequest::Abort);
    story.turn("a user stops the deployment");
    up(&mut story.world);
    story.turn("the new task is RUNNING");
    story.world.update();
    story.turn("updated to web:3");
    story.end();
}

fn pausing(stage: &str) -> kecs_domain::model::DeploymentLifecycleHook {
    let hook = serde_json::json!({
        "targetType": "PAUSE", "lifecycleStages": [stage], "timeoutConfiguration": {"timeoutInMinutes": 60},
    });
    serde_json::from_value(hook).expect("a hook")
}

#[test]
fn a_deployment_waits_at_its_hooks() {
    let about = "PAUSE hooks: before the first new task starts, and before the deployment is complete.";
    let mut story = at_rest("hooks", about, Settings::replica(2, 100, 200));
    let configuration = story.world.service.spec.deployment_configuration.as_mut().expect("it has one");
    configuration.lifecycle_hooks = Some(vec![pausing("PRE_SCALE_UP"), pausing("POST_SCALE_UP")]);
    story.world.update();
    story.turn("updated to web:2");
    story.world.resolve_hook(Continue);
    story.turn("it goes on");
    up(&mut story.world);
    story.turn("the new tasks are RUNNING");
    story.world.all_gone();
    story.turn("the stopped tasks are gone");
    story.world.resolve_hook(Continue);
    story.turn("it goes on");
    story.world.update();
    story.turn("updated to web:3");
    story.world.pass(3600);
    story.turn("nobody has decided for an hour");
    story.turn("the rollback begins");
    story.end();
}

#[test]
fn a_deployment_is_rolled_back_at_a_hook() {
    let about = "A user answers a PAUSE hook with ROLLBACK.";
    let mut story = at_rest("hook_rollback", about, Settings::replica(2, 100, 200));
    let configuration = story.world.service.spec.deployment_configuration.as_mut().expect("it has one");
    configuration.lifecycle_hooks = Some(vec![pausing("PRE_SCALE_UP")]);
    story.world.update();
    story.turn("updated to web:2");
    story.world.resolve_hook(Rollback);
    story.turn("it is rolled back");
    up(&mut story.world);
    story.turn("the rollback begins");
    story.end();
}

/// A service with an EXTERNAL deployment controller and one task set that is stable.
fn with_a_task_set(name: &'static str, about: &str, settings: Settings, scale: f64) -> Story {
    let mut story = Story::new(name, about, settings);
    story.world.externally_controlled();
    story.world.add_task_set(scale);
    story.quietly(1);
    story.world.all_up(Healthy);
    story.quietly(1);
    assert!(story.world.service.task_sets[0].stable);
    story
}

#[test]
fn task_sets_take_turns() {
    let about =
        "EXTERNAL: each task set is kept at its share of the desired count, whatever the others have.";
    let mut story = Story::new("task_sets", about, Settings::replica(3, 100, 200));
    story.world.externally_controlled();
    story.turn("the service has no task set");
    let first = Some(story.world.add_task_set(100.0));
    story.turn("a task set of 100 % is created");
    up(&mut story.world);
    story.turn("its tasks are RUNNING");
    let now = story.world.now;
    story.world.service.promote_task_set(first, now).expect("it is there");
    let second = Some(story.world.add_task_set(30.0));
    story.turn("it is PRIMARY now, and a second one of 30 % is created");
    up(&mut story.world);
    story.world.service.scale_task_set(second, 50.0, now).expect("it is there");
    story.turn("the second one is scaled to 50 %");
    up(&mut story.world);
    story.world.scale(4);
    story.turn("the service is scaled out to 4");
    up(&mut story.world);
    story.world.service.promote_task_set(second, now).expect("it is there");
    story.world.service.delete_task_set(first, true, now).expect("it isn't PRIMARY");
    story.turn("the second one is PRIMARY, the first one is deleted");
    story.world.all_gone();
    story.turn("the stopped tasks are gone");
    story.world.delete();
    story.turn("the service is deleted by force");
    story.world.all_gone();
    story.turn("the stopped tasks are gone");
    assert_eq!(story.world.service.status, ServiceStatus::Inactive);
    story.end();
}

#[test]
fn a_task_set_replaces_unhealthy_tasks_and_spares_protected_ones() {
    let about = "EXTERNAL: a replacement comes before an unhealthy task goes, and protected tasks (*) stay.";
    let mut story =
        with_a_task_set("task_set_health", about, Settings::replica(2, 100, 200).checked(), 100.0);
    story.world.run(HexId::from_bits(1), Unhealthy);
    story.turn("a task is unhealthy");
    up(&mut story.world);
    story.turn("its replacement is healthy");
    story.world.all_gone();
    let until = story.world.now.saturating_add(Duration::from_secs(600));
    story.world.protect(HexId::from_bits(2), until);
    let only = Some(story.world.service.task_sets[0].id);
    let now = story.world.now;
    story.world.service.scale_task_set(only, 0.0, now).expect("it is there");
    story.turn("the task set is scaled to 0, one task is protected");
    story.world.all_gone();
    story.world.service.delete_task_set(only, false, now).expect("it is scaled to 0");
    story.turn("the task set is deleted");
    story.world.pass(600);
    story.turn("the protection has ended");
    story.world.all_gone();
    story.turn("the task is gone");
    story.end();
}
