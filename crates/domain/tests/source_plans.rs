//! The scheduler's plans for the revision that is being replaced: it keeps its own tasks, whatever becomes of the new
//! one; as texts under `golden/plans`.
//!
//! `UPDATE_GOLDEN=1 cargo test -p kecs-domain --test source_plans` writes them again.

mod support;

use kecs_domain::model::DeploymentLifecycleHookAction::Continue;
use kecs_domain::model::DeploymentLifecycleHookStage::PreScaleUp;
use kecs_domain::model::HealthStatus::{Healthy, Unhealthy};
use kecs_domain::service::StopRequest;

use support::invariants::is_steady;
use support::story::{Story, at_rest, up};
use support::world::{Settings, Stage};

/// The first of the tasks that are RUNNING exits after a while.
fn one_exits(story: &mut Story) {
    story.world.pass(60);
    let id = story.world.at_stage(Stage::Up)[0];
    story.world.crash(id, 1);
}

#[test]
fn a_task_that_exits_during_a_rollout_is_replaced_by_its_own_revision() {
    let about =
        "During a rollout a task of the old revision that exits is replaced by one of the old revision.";
    let mut story = at_rest("source_exits", about, Settings::replica(3, 100, 200));
    story.world.update();
    story.turn("updated to web:2");
    one_exits(&mut story);
    story.turn("a task of web:1 has exited");
    let old = *story.world.at_stage(Stage::Starting).last().expect("the replacement");
    story.world.run(old, Healthy);
    story.turn("its replacement is RUNNING, the new tasks are not");
    up(&mut story.world);
    story.turn("the new tasks are RUNNING");
    story.world.all_gone();
    story.turn("the stopped tasks are gone");
    assert!(is_steady(&story.world.service));
    story.end();
}

#[test]
fn the_old_revision_stays_whole_while_the_new_one_fails() {
    let about = "The new revision fails to start: it doesn't cost the old one any of its tasks.";
    let mut story = at_rest("source_outlives", about, Settings::replica(3, 100, 200));
    story.world.update();
    story.turn("updated to web:2");
    for _ in 0..2 {
        story.world.all_fail_to_start();
        one_exits(&mut story);
        story.turn("the new tasks fail to start, and a task of web:1 has exited");
        let old = story.world.at_stage(Stage::Starting)[0];
        story.world.run(old, Healthy);
    }
    story.turn("the replacement is RUNNING");
    story.end();
}

#[test]
fn an_unhealthy_task_of_the_old_revision_is_replaced_by_its_own_revision() {
    let about =
        "An unhealthy task (X) of the old revision is replaced by one of the old revision before it goes.";
    let mut story = at_rest("source_unhealthy", about, Settings::replica(2, 100, 200).checked());
    story.world.update();
    story.turn("updated to web:2");
    let id = story.world.at_stage(Stage::Up)[0];
    story.world.run(id, Unhealthy);
    story.turn("a task of web:1 is unhealthy, the new tasks take all the room");
    story.world.all_fail_to_start();
    story.turn("the new tasks fail to start");
    story.world.all_up(Healthy);
    story.turn("what was started is RUNNING and healthy");
    story.world.all_gone();
    story.turn("the stopped tasks are gone");
    story.end();
}

#[test]
fn tasks_are_replaced_while_a_deployment_waits_or_has_failed() {
    let about =
        "While a deployment waits at a hook, and after it was stopped, the old revision keeps its tasks.";
    let mut story = at_rest("source_waits", about, Settings::replica(2, 100, 200));
    story.world.pause_at(&[PreScaleUp]);
    story.world.update();
    story.turn("updated to web:2, which waits at a hook");
    one_exits(&mut story);
    story.turn("a task of web:1 has exited");
    up(&mut story.world);
    story.world.resolve_hook(Continue);
    story.turn("its replacement is RUNNING, and the deployment goes on");
    story.world.stop(StopRequest::Abort);
    story.turn("a user stops the deployment and doesn't roll it back");
    one_exits(&mut story);
    story.turn("another task of web:1 has exited");
    story.end();
}

#[test]
fn a_scale_out_during_a_rollout_is_for_both_revisions() {
    let about = "A service that is scaled out during a rollout gets tasks of both revisions.";
    let mut story = at_rest("source_scales", about, Settings::replica(2, 100, 200));
    story.world.update();
    story.turn("updated to web:2");
    story.world.scale(4);
    story.turn("scaled out to 4");
    up(&mut story.world);
    story.turn("everything that was started is RUNNING");
    story.world.all_gone();
    story.turn("the stopped tasks are gone");
    assert!(is_steady(&story.world.service));
    story.end();
}

#[test]
fn a_revision_that_can_not_start_is_not_kept() {
    let about = "Where replacements of the old revision fail to start too, the room is left to the new one.";
    let mut story = at_rest("source_given_up", about, Settings::replica(2, 50, 100));
    story.world.update();
    story.turn("updated to web:2");
    story.world.all_gone();
    story.turn("the stopped task is gone");
    one_exits(&mut story);
    story.turn("the task of web:1 has exited");
    for _ in 0..3 {
        let old = *story.world.at_stage(Stage::Starting).last().expect("a replacement");
        story.world.fail_to_start(old);
        story.turn("its replacement fails to start");
    }
    up(&mut story.world);
    story.turn("the new tasks are RUNNING");
    assert!(is_steady(&story.world.service));
    story.end();
}
