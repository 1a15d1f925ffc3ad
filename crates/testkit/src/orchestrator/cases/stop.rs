//! Stopping, and what comes after the end.

use std::time::Duration;

use futures::StreamExt;
use kecs_domain::arn::TaskKey;
use kecs_domain::model::ContainerCondition;
use kecs_usecases::ports::{Observation, StopOrder};

use super::{A_WHILE, Scene};
use crate::orchestrator::{ContainerExt, Recipe, Script};

pub(super) async fn a_container_that_heeds_sigterm_ends_with_its_own_code(scene: Scene) {
    let launch = scene.run(&Recipe::fargate("web", [scene.container("web", Script::Run)])).await;
    let seen = scene.end(&launch).await;
    assert_eq!(seen.containers[0].exit_code, Some(0));
    assert_eq!(seen.failure, None, "a stop is no failure");
}

pub(super) async fn a_container_that_ignores_sigterm_is_killed_after_its_stop_timeout(scene: Scene) {
    let deaf = scene.container("web", Script::IgnoreSigterm).stop_timeout(3);
    let launch = scene.run(&Recipe::fargate("web", [deaf])).await;
    let asked_at = scene.harness.now();
    let seen = scene.end(&launch).await;
    assert_eq!(seen.containers[0].exit_code, Some(137));
    let took = seen.containers[0].finished_at.unwrap().duration_since(asked_at);
    // Kubernetes tells whole seconds.
    assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(20), "{took:?}");
}

pub(super) async fn stopping_again_changes_nothing(scene: Scene) {
    let launch = scene.run(&Recipe::fargate("web", [scene.container("web", Script::Run)])).await;
    scene.stop(&launch).await;
    scene.stop(&launch).await;
    let seen = scene.end(&launch).await;
    let again = scene.end(&launch).await;
    assert_eq!(again, seen);
}

pub(super) async fn containers_stop_in_the_reverse_order_of_their_dependencies(scene: Scene) {
    let slow = scene.container("web", Script::IgnoreSigterm).stop_timeout(3);
    let recipe = Recipe::fargate(
        "web",
        [scene.container("db", Script::Run), slow.depends_on("db", ContainerCondition::Start)],
    );
    let launch = scene.run(&recipe).await;
    let seen = scene.end(&launch).await;
    let end = |name: &str| seen.containers.iter().find(|it| it.name == name).unwrap().finished_at.unwrap();
    assert!(end("web") <= end("db"), "what is needed ends last: {seen:#?}");
}

pub(super) async fn a_task_that_is_not_there_is_released_when_it_is_stopped(scene: Scene) {
    let key = TaskKey { cluster: scene.harness.cluster(), id: scene.harness.fresh_id() };
    // The subscription comes first: an observation that nobody waits for is told to nobody.
    scene.harness.wait(Duration::ZERO).await;
    let orchestrator = scene.harness.orchestrator();
    orchestrator.ensure_cluster(&key.cluster).await.expect("the cluster is made");
    let order = StopOrder { task: key.clone(), definition: None };
    orchestrator.stop(order).await.expect("the stop of an unknown task is accepted");
    scene.until("the unknown task is released", &|latest| latest.is_released(&key)).await;
}

pub(super) async fn a_forgotten_task_is_not_in_the_next_snapshot(scene: Scene) {
    let recipe = Recipe::fargate("web", [scene.container("web", Script::Run)]);
    let (gone, stays) = (scene.run(&recipe).await, scene.run(&recipe).await);
    scene.end(&gone).await;
    let orchestrator = scene.harness.orchestrator();
    for _ in 0..2 {
        orchestrator.forget(&gone.task.key).await.expect("forgetting is idempotent");
    }
    scene.harness.wait(A_WHILE).await;
    let first = orchestrator.observe().next().await.expect("a new observer gets a snapshot");
    let Observation::Snapshot(all) = first else { panic!("the first observation is {first:?}") };
    assert!(all.contains(&stays.task.key), "{all:#?}");
    assert!(!all.contains(&gone.task.key), "{all:#?}");
    scene.end(&stays).await;
}
