//! The scheduler's plans in the situations that people know, as texts under `golden/plans`.
//!
//! `UPDATE_GOLDEN=1 cargo test -p kecs-domain --test plans` writes them again; the difference is what to review.

mod support;

use std::time::Duration;

use kecs_domain::model::HealthStatus::{Healthy, Unhealthy, Unknown};
use kecs_domain::name::HexId;
use kecs_domain::service::ServiceStatus;

use support::invariants::is_steady;
use support::story::{Story, at_rest, up};
use support::world::{Settings, Stage};

#[test]
fn a_service_is_created() {
    let about = "A service is created, its tasks come up, and it reaches a steady state.";
    let mut story = Story::new("create", about, Settings::replica(3, 100, 200));
    story.turn("the service is new");
    story.turn("nothing happened since");
    let first = story.world.at_stage(Stage::Starting)[0];
    story.world.run(first, Healthy);
    story.turn("one task is RUNNING");
    up(&mut story.world);
    story.turn("all tasks are RUNNING");
    story.turn("nothing happened since");
    story.end();
}

#[test]
fn a_service_scales_out_and_in() {
    let about =
        "Scaling makes no new deployment. Tasks that don't run yet go first, then the newest, zone by zone.";
    let mut story = at_rest("scale", about, Settings::replica(2, 100, 200));
    story.world.pass(60);
    story.world.scale(5);
    story.turn("scaled out from 2 to 5");
    story.world.run(HexId::from_bits(3), Healthy);
    story.world.scale(2);
    story.turn("scaled in to 2 when one of the three new tasks runs");
    story.world.all_gone();
    story.turn("the stopped tasks are gone");
    story.world.scale(0);
    story.turn("scaled in to 0");
    story.world.all_gone();
    story.turn("the stopped tasks are gone");
    story.end();
}

fn rolling(name: &'static str, about: &str, settings: Settings) {
    let mut story = at_rest(name, about, settings);
    story.world.pass(60);
    story.world.update();
    story.turn("updated to web:2");
    for _ in 0..8 {
        if is_steady(&story.world.service) {
            break;
        }
        if !story.world.at_stage(Stage::Starting).is_empty() {
            up(&mut story.world);
            story.turn("the new tasks are RUNNING");
        }
        if !story.world.at_stage(Stage::Told).is_empty() {
            story.world.all_gone();
            story.turn("the stopped tasks are gone");
        }
    }
    assert!(is_steady(&story.world.service));
    story.end();
}

#[test]
fn a_rolling_update_that_may_double() {
    rolling(
        "rolling_100_200",
        "All new tasks start before any old one stops.",
        Settings::replica(4, 100, 200),
    );
}

#[test]
fn a_rolling_update_without_spare_capacity() {
    rolling(
        "rolling_50_100",
        "Half of the old tasks make room, half by half.",
        Settings::replica(4, 50, 100),
    );
}

#[test]
fn a_rolling_update_that_may_go_down_to_nothing() {
    rolling("rolling_0_100", "All old tasks stop before any new one starts.", Settings::replica(4, 0, 100));
}

#[test]
fn a_rolling_update_by_one() {
    rolling("rolling_75_125", "One more and one less at the same time.", Settings::replica(4, 75, 125));
}

#[test]
fn a_rolling_update_that_can_not_move() {
    let about =
        "With minimum 100 % and maximum 100 % nothing can move, and an event says so, once in six hours.";
    let mut story = at_rest("rolling_100_100_stuck", about, Settings::replica(2, 100, 100));
    story.world.update();
    story.turn("updated to web:2");
    story.world.pass(3600);
    story.turn("an hour later");
    story.world.pass(6 * 3600);
    story.turn("seven hours later");
    story.world.crash(HexId::from_bits(1), 1);
    story.turn("an old task has crashed, and is replaced by its own revision");
    story.end();
}

#[test]
fn unhealthy_tasks_are_replaced_first() {
    let about = "Room for a replacement: it comes up first, then the unhealthy task goes.";
    let mut story = at_rest("unhealthy_replaced_first", about, Settings::replica(2, 100, 200).checked());
    story.world.run(HexId::from_bits(1), Unhealthy);
    story.turn("a task is unhealthy");
    story.world.all_up(Unknown);
    story.turn("its replacement is RUNNING, its health not known yet");
    story.world.run(HexId::from_bits(3), Healthy);
    story.turn("the replacement is healthy");
    story.world.all_gone();
    story.turn("the unhealthy task is gone");
    story.end();
}

#[test]
fn unhealthy_tasks_go_one_by_one_where_there_is_no_room() {
    let about = "No room for a replacement: unhealthy tasks go one by one.";
    let mut story = at_rest("unhealthy_one_by_one", about, Settings::replica(3, 100, 100).checked());
    story.world.run(HexId::from_bits(1), Unhealthy);
    story.world.run(HexId::from_bits(2), Unhealthy);
    story.turn("two of three tasks are unhealthy");
    story.world.all_gone();
    story.turn("the first is gone");
    up(&mut story.world);
    story.turn("its replacement is healthy");
    story.world.all_gone();
    story.turn("the second is gone");
    up(&mut story.world);
    story.turn("its replacement is healthy");
    story.end();
}

#[test]
fn a_grace_period_overlooks_failed_health_checks() {
    let about =
        "Failed health checks are overlooked for healthCheckGracePeriodSeconds (here 60) after the start.";
    let settings = Settings { grace: 60, ..Settings::replica(1, 100, 200).checked() };
    let mut story = Story::new("grace_period", about, settings);
    story.quietly(1);
    story.world.all_up(Unhealthy);
    story.world.pass(20);
    story.turn("the task has failed its health check after 20 s");
    story.world.pass(40);
    story.turn("40 s later");
    story.end();
}

#[test]
fn a_crash_loop_is_throttled() {
    let about = "Tasks that never run are tried again at once at first, then after longer and longer waits.";
    let mut story = Story::new("crash_loop", about, Settings::replica(1, 100, 200));
    story.turn("the service is new");
    story.world.all_fail_to_start();
    story.turn("the task failed to start");
    for _ in 0..9 {
        story.world.all_fail_to_start();
        story.quietly(1);
    }
    story.world.all_fail_to_start();
    story.turn("it failed ten more times");
    for _ in 0..2 {
        let wait = story.world.service.throttle.wait(story.world.now).unwrap_or(Duration::ZERO).as_secs();
        story.world.pass(wait);
        story.turn(&format!("{wait} s later"));
        story.world.all_fail_to_start();
        story.turn("it failed again");
    }
    story.world.update();
    story.turn("updated to web:2, which ends the waiting");
    up(&mut story.world);
    story.turn("the new task is RUNNING");
    story.end();
}

#[test]
fn tasks_that_exit_after_running_are_not_throttled() {
    let about = "A task that was RUNNING is replaced at once, however often: that is no failed launch.";
    let mut story = at_rest("crash_after_running", about, Settings::replica(1, 100, 200));
    for _ in 0..12 {
        exits_after(&mut story, 60);
        story.quietly(1);
        up(&mut story.world);
        story.quietly(1);
    }
    exits_after(&mut story, 60);
    story.turn("the task has exited for the 13th time");
    story.end();
}

fn exits_after(story: &mut Story, seconds: u64) {
    story.world.pass(seconds);
    let id = story.world.at_stage(Stage::Up)[0];
    story.world.crash(id, 1);
}

#[test]
fn tasks_that_exit_at_once_are_paced() {
    let about =
        "Tasks that exit as soon as they are RUNNING are started again after a while. No event says so.";
    let mut story = at_rest("crash_at_once", about, Settings::replica(1, 100, 200));
    for _ in 0..11 {
        exits_after(&mut story, 1);
        story.quietly(1);
        up(&mut story.world);
        story.quietly(1);
        // Paced ones come with the next look.
        story.world.pass(1);
        story.quietly(1);
        up(&mut story.world);
        story.quietly(1);
    }
    exits_after(&mut story, 1);
    story.turn("the task has exited for the 12th time");
    story.world.pass(2);
    story.turn("two seconds later");
    story.end();
}

fn failing_update(story: &mut Story) {
    story.world.update();
    story.turn("updated to web:2");
    story.world.all_fail_to_start();
    story.turn("both new tasks failed to start");
    story.world.all_fail_to_start();
}

#[test]
fn a_circuit_breaker_stalls_the_deployment() {
    let about =
        "Without rollback the failed deployment starts nothing more; the old tasks stay. It still scales in.";
    let mut story = at_rest("breaker_stalls", about, Settings::replica(2, 100, 200).breaker(false));
    failing_update(&mut story);
    story.turn("both failed again: 4 failures, the threshold is 3");
    story.turn("nothing happened since");
    story.world.crash(HexId::from_bits(1), 1);
    story.turn("an old task has crashed");
    story.world.scale(0);
    story.turn("scaled in to 0");
    story.world.all_gone();
    story.turn("the stopped task is gone");
    story.world.scale(2);
    story.world.force();
    story.turn("scaled out to 2 with a forced new deployment");
    up(&mut story.world);
    story.turn("the tasks are RUNNING");
    story.end();
}

#[test]
fn a_circuit_breaker_rolls_back() {
    let about =
        "With rollback a new deployment of the last completed revision takes over, with the same record.";
    let mut story = at_rest("breaker_rolls_back", about, Settings::replica(2, 100, 200).breaker(true));
    failing_update(&mut story);
    story.turn("both failed again: 4 failures, the threshold is 3");
    story.turn("the rollback has begun");
    up(&mut story.world);
    story.turn("its tasks are RUNNING");
    story.world.all_gone();
    story.turn("the stopped tasks are gone");
    story.end();
}

#[test]
fn a_rollback_that_fails_is_the_end_of_it() {
    let about = "A rollback that fails isn't rolled back again.";
    let mut story = at_rest("rollback_fails", about, Settings::replica(2, 100, 200).breaker(true));
    failing_update(&mut story);
    story.turn("both failed again: 4 failures, the threshold is 3");
    story.turn("the rollback has begun");
    story.world.all_fail_to_start();
    story.turn("its tasks failed to start, too");
    story.world.all_fail_to_start();
    story.turn("and again");
    story.turn("nothing happened since");
    story.end();
}

#[test]
fn a_circuit_breaker_counts_failed_health_checks() {
    let about = "Tasks that run but fail their health checks count as well, when they are stopped for it.";
    let settings = Settings::replica(1, 100, 200).checked().breaker(true);
    let mut story = at_rest("breaker_on_health", about, settings);
    story.world.update();
    story.quietly(1);
    for turn in ["first", "second", "third"] {
        for id in story.world.at_stage(Stage::Starting) {
            story.world.run(id, Unhealthy);
        }
        story.turn(&format!("the {turn} new task is unhealthy"));
        story.world.all_gone();
        story.turn("it is gone");
    }
    story.end();
}

#[test]
fn a_forced_deployment_replaces_all_tasks() {
    let about = "forceNewDeployment: the same task definition, a new deployment, new tasks.";
    let mut story = at_rest("forced", about, Settings::replica(2, 100, 200));
    story.world.force();
    story.turn("a new deployment is forced");
    up(&mut story.world);
    story.turn("the new tasks are RUNNING");
    story.world.all_gone();
    story.turn("the stopped tasks are gone");
    story.end();
}

#[test]
fn a_newer_deployment_supersedes_one_that_is_under_way() {
    let about =
        "An update during an update: what hasn't started yet of the second goes, the third takes over.";
    let mut story = at_rest("superseded", about, Settings::replica(2, 100, 200));
    story.world.update();
    story.turn("updated to web:2");
    story.world.run(HexId::from_bits(3), Healthy);
    story.world.update();
    story.turn("updated to web:3 when one task of web:2 runs");
    story.world.all_gone();
    story.turn("the stopped tasks are gone");
    up(&mut story.world);
    story.turn("the tasks of web:3 are RUNNING");
    story.world.all_gone();
    story.turn("the stopped tasks are gone");
    story.end();
}

#[test]
fn a_deleted_service_drains() {
    let about = "A deleted service ends its tasks, whatever the limits, and is INACTIVE when they are gone.";
    let mut story = at_rest("delete", about, Settings::replica(2, 100, 200));
    story.world.update();
    story.quietly(1);
    story.world.delete();
    story.turn("deleted by force during an update");
    for id in story.world.at_stage(Stage::Told) {
        story.world.leave(id);
    }
    story.turn("the tasks are STOPPING");
    story.world.all_gone();
    story.turn("the tasks are gone");
    assert_eq!(story.world.service.status, ServiceStatus::Inactive);
    story.end();
}

#[test]
fn a_daemon_is_updated() {
    let about = "DAEMON: one task on each instance; there the old one goes before the new one comes.";
    let settings = Settings { daemon_on: Some(3), ..Settings::replica(0, 50, 100) };
    let mut story = Story::new("daemon", about, settings);
    story.turn("the service is new, there are three instances");
    up(&mut story.world);
    story.turn("its tasks are RUNNING");
    story.world.update();
    story.turn("updated to web:2");
    story.world.all_gone();
    story.turn("the stopped task is gone");
    for _ in 0..2 {
        up(&mut story.world);
        story.turn("the new task is RUNNING");
        story.world.all_gone();
        story.turn("the stopped task is gone");
    }
    up(&mut story.world);
    story.turn("the new task is RUNNING");
    story.world.instances = vec![HexId::from_bits(1), HexId::from_bits(2), HexId::from_bits(4)];
    story.turn("instance 4 takes the place of instance 3");
    up(&mut story.world);
    story.world.all_gone();
    story.turn("its task is RUNNING, the other one gone");
    story.end();
}

#[test]
fn ten_thousand_tasks() {
    let about = "A large service starts in portions of 500 and keeps its newest hundred events.";
    let mut story = Story::new("ten_thousand", about, Settings::replica(10_000, 100, 200));
    story.turn("the service is new");
    story.turn("at once");
    story.quietly(18);
    up(&mut story.world);
    story.turn("18 portions later all tasks are RUNNING");
    story.world.update();
    story.turn("updated to web:2");
    story.quietly(19);
    up(&mut story.world);
    story.turn("19 portions later all new tasks are RUNNING");
    story.world.all_gone();
    story.turn("the stopped tasks are gone");
    story.end();
}
