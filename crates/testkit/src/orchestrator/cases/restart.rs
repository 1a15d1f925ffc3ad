//! Observers that come again, and processes that die.

use std::time::Duration;

use futures::StreamExt;
use kecs_domain::model::TaskStopCode;
use kecs_domain::task::{ContainerState, Interruption};
use kecs_usecases::ports::{Launch, Observation};

use super::Scene;
use crate::orchestrator::{ContainerExt, Recipe, Script};

pub(super) async fn every_observer_begins_with_a_snapshot(scene: Scene) {
    let launch = scene.run(&Recipe::fargate("web", [scene.container("web", Script::Run)])).await;
    let orchestrator = scene.harness.orchestrator();
    for _ in 0..2 {
        let mut observer = orchestrator.observe();
        let first = observer.next().await.expect("a new observer gets a snapshot");
        let Observation::Snapshot(all) = first else { panic!("the first observation is {first:?}") };
        assert!(all.contains(&launch.task.key), "the task is in the snapshot");
        let mut followed = observer.map(|next| match next {
            Observation::Changed(some) => some.into_iter().find(|seen| seen.key == launch.task.key),
            Observation::Instances => None,
            Observation::Snapshot(_) => panic!("another snapshot"),
        });
        let seen = loop {
            if let Some(seen) = followed.next().await.expect("the stream goes on") {
                break seen;
            }
        };
        assert_eq!(seen.containers[0].state, ContainerState::Running);
    }
    scene.end(&launch).await;
}

pub(super) async fn a_task_that_runs_is_taken_up_with_its_facts(scene: Scene) {
    let launch = scene.launch(&Recipe::fargate("web", [scene.container("web", Script::Run)])).await;
    let before = scene.until_running(&launch).await;
    scene.harness.restart(vec![scene.stored(&launch, &before)]).await;
    let after = scene.until_running(&launch).await;
    assert_eq!(after.task(&launch.task.key), before.task(&launch.task.key));
    let seen = scene.end(&launch).await;
    assert_eq!(seen.containers[0].exit_code, Some(0));
}

pub(super) async fn a_container_that_had_ended_stays_so(scene: Scene) {
    let script = Script::Exit { after: Duration::from_secs(1), code: 7 };
    let recipe = Recipe::fargate(
        "web",
        [scene.container("web", Script::Run), scene.container("init", script).non_essential()],
    );
    let launch = scene.run(&recipe).await;
    let before = scene.until_stopped(&launch.task.key, "init").await;
    scene.harness.restart(vec![scene.stored(&launch, &before)]).await;
    let after = scene.until_stopped(&launch.task.key, "init").await;
    assert_eq!(after.container(&launch.task.key, "init").unwrap().exit_code, Some(7));
    assert!(after.is(&launch.task.key, "web", ContainerState::Running));
    scene.end(&launch).await;
}

pub(super) async fn a_task_that_was_stopping_is_stopped(scene: Scene) {
    let deaf = scene.container("web", Script::IgnoreSigterm).stop_timeout(3);
    let launch = scene.run(&Recipe::fargate("web", [deaf])).await;
    let running = scene.until_running(&launch).await;
    let stored = scene.stored(&launch, &running);
    let why = Interruption::new(TaskStopCode::UserInitiated, "Task stopped by user");
    let now = scene.harness.now();
    let stopping =
        stored.task.interrupt(why).and_then(|task| task.begin_stopping(now)).expect("it was not stopping");
    scene.stop(&launch).await;
    let stopping = Launch { task: stopping.into(), definition: stored.definition };
    scene.harness.restart(vec![stopping]).await;
    let key = &launch.task.key;
    let latest = scene.until("the task is released", &|latest| latest.is_released(key)).await;
    // A durable orchestrator may have got rid of the task while nobody looked.
    if let Some(web) = latest.container(key, "web") {
        assert_eq!(web.exit_code, Some(137));
    }
}

pub(super) async fn a_task_that_was_not_yet_placed_is_started(scene: Scene) {
    let recipe = Recipe::fargate("web", [scene.container("web", Script::Run)]);
    let orchestrator = scene.harness.orchestrator();
    orchestrator.ensure_cluster(&scene.harness.cluster()).await.expect("the cluster is made");
    // It was stored, and then the process died before it could say so to the orchestrator.
    let launch = recipe.launch(&scene.harness.cluster(), scene.harness.fresh_id(), scene.harness.now());
    scene.harness.restart(vec![launch.clone()]).await;
    // What a durable orchestrator doesn't know is launched by the reconciler, which does so for any of them.
    scene.harness.orchestrator().launch(launch.clone()).await.expect("the launch is accepted");
    scene.until_running(&launch).await;
    scene.end(&launch).await;
}
