//! The scheduler's plans while an instance is DRAINING, as texts under `golden/plans`.
//!
//! `UPDATE_GOLDEN=1 cargo test -p kecs-domain --test draining_plans` writes them again.

mod support;

use std::time::Duration;

use kecs_domain::name::HexId;

use support::invariants::is_steady;
use support::story::{Story, up};
use support::world::Settings;

/// Four tasks on two instances, by turns; the first instance is set to DRAINING.
fn draining(name: &'static str, about: &str, settings: Settings) -> Story {
    let mut story = Story::new(name, about, settings);
    story.world.hosts = vec![HexId::from_bits(1), HexId::from_bits(2)];
    story.quietly(1);
    up(&mut story.world);
    story.quietly(1);
    assert!(is_steady(&story.world.service));
    story.world.pass(60);
    story.world.draining = vec![HexId::from_bits(1)];
    story.turn("an instance with two of the four tasks is DRAINING");
    story
}

#[test]
fn an_instance_drains_with_room_to_spare() {
    let about =
        "Tasks on a DRAINING instance are replaced elsewhere before they stop. It is no new deployment.";
    let mut story = draining("drain_100_200", about, Settings::replica(4, 100, 200));
    up(&mut story.world);
    story.turn("the new tasks are RUNNING");
    story.world.all_gone();
    story.turn("the stopped tasks are gone");
    assert!(is_steady(&story.world.service));
    story.end();
}

#[test]
fn an_instance_drains_without_room() {
    let about = "Where the maximum leaves no room, the tasks on a DRAINING instance stop first.";
    let mut story = draining("drain_50_100", about, Settings::replica(4, 50, 100));
    story.world.all_gone();
    story.turn("the stopped tasks are gone");
    up(&mut story.world);
    story.turn("the new tasks are RUNNING");
    assert!(is_steady(&story.world.service));
    story.end();
}

#[test]
fn an_instance_can_not_drain() {
    let about = "Where neither a start nor a stop is allowed, the tasks stay on the DRAINING instance, and an event says so.";
    let mut story = draining("drain_100_100", about, Settings::replica(4, 100, 100));
    story.turn("nothing happened since");
    story.world.draining.clear();
    story.turn("the instance is ACTIVE again");
    story.end();
}

#[test]
fn tasks_that_do_not_run_yet_leave_a_draining_instance_at_once() {
    let about = "Tasks on a DRAINING instance that don't run yet are stopped at once.";
    let mut story = Story::new("drain_pending", about, Settings::replica(2, 100, 200));
    story.world.hosts = vec![HexId::from_bits(1), HexId::from_bits(2)];
    story.turn("the service is new");
    story.world.draining = vec![HexId::from_bits(1)];
    story.turn("an instance is DRAINING before its task runs");
    story.world.all_gone();
    up(&mut story.world);
    story.turn("the other tasks are RUNNING");
    assert!(is_steady(&story.world.service));
    story.end();
}

#[test]
fn a_protected_task_stays_on_a_draining_instance() {
    let about = "A protected task (*) leaves its DRAINING instance when its protection ends.";
    let mut story = Story::new("drain_protected", about, Settings::replica(0, 100, 200));
    story.quietly(2);
    story.world.hosts = vec![HexId::from_bits(1)];
    story.world.scale(1);
    story.quietly(1);
    up(&mut story.world);
    story.quietly(1);
    story.world.pass(60);
    let until = story.world.now.saturating_add(Duration::from_secs(3600));
    story.world.protect(HexId::from_bits(1), until);
    story.world.hosts.push(HexId::from_bits(2));
    story.world.draining = vec![HexId::from_bits(1)];
    story.turn("the instance is DRAINING, the task is protected");
    up(&mut story.world);
    story.turn("the new task is RUNNING");
    story.world.pass(3600);
    story.turn("an hour later the protection has ended");
    story.world.all_gone();
    story.turn("the stopped task is gone");
    assert!(is_steady(&story.world.service));
    story.end();
}

#[test]
fn a_task_set_leaves_a_draining_instance() {
    let about = "EXTERNAL: the tasks of a task set on a DRAINING instance are replaced before they stop.";
    let mut story = Story::new("drain_task_set", about, Settings::replica(2, 100, 200));
    story.world.hosts = vec![HexId::from_bits(1), HexId::from_bits(2)];
    story.world.externally_controlled();
    story.world.add_task_set(100.0);
    story.quietly(1);
    up(&mut story.world);
    story.quietly(1);
    story.world.draining = vec![HexId::from_bits(1)];
    story.turn("an instance with one of the two tasks is DRAINING");
    up(&mut story.world);
    story.turn("the new task is RUNNING");
    story.world.all_gone();
    story.turn("the stopped task is gone");
    assert!(story.world.service.task_sets[0].stable);
    story.end();
}

#[test]
fn a_daemon_goes_last_from_a_draining_instance() {
    let about = "DAEMON: its task stays on a DRAINING instance until nothing else runs there.";
    let settings = Settings { daemon_on: Some(2), ..Settings::replica(0, 0, 100) };
    let mut story = Story::new("drain_daemon", about, settings);
    story.quietly(1);
    up(&mut story.world);
    story.quietly(1);
    story.world.instances = vec![HexId::from_bits(2)];
    story.world.draining = vec![HexId::from_bits(1)];
    story.turn("an instance is DRAINING, and others still run on it");
    story.world.draining.clear();
    story.turn("the others are gone");
    story.world.all_gone();
    story.turn("the stopped task is gone");
    assert!(is_steady(&story.world.service));
    story.end();
}
