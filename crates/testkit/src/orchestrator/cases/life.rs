//! From the launch to an end that nobody asked for.

use std::time::Duration;

use kecs_domain::task::ContainerState;

use super::{A_WHILE, Scene};
use crate::orchestrator::{ContainerExt, Recipe, Script};

const MOMENT: Duration = Duration::from_secs(1);

pub(super) async fn a_task_runs_with_all_its_facts(scene: Scene) {
    let launch = scene.launch(&Recipe::fargate("web", [scene.container("web", Script::Run)])).await;
    let latest = scene.until_running(&launch).await;
    let seen = latest.task(&launch.task.key).unwrap();
    let web = latest.container(&launch.task.key, "web").unwrap();
    assert!(
        seen.placed && seen.availability_zone.is_some() && seen.failure.is_none() && !seen.released,
        "{seen:#?}"
    );
    assert!(seen.pull_started_at.unwrap() <= seen.pull_stopped_at.unwrap(), "{seen:#?}");
    assert!(seen.pull_stopped_at.unwrap() <= web.started_at.unwrap(), "{seen:#?}");
    assert!(web.runtime_id.as_ref().is_some_and(|id| !id.is_empty()), "{seen:#?}");
    assert!(web.image_digest.as_ref().is_some_and(|digest| digest.starts_with("sha256:")), "{seen:#?}");
    let network = seen.network.as_ref().expect("a task with a network of its own shows it");
    assert!(network.private_ipv4.parse::<std::net::Ipv4Addr>().is_ok(), "{network:?}");
    assert!(network.interface_id.starts_with("eni-") && !network.private_dns_name.is_empty(), "{network:?}");
    let ended = scene.end(&launch).await;
    assert_eq!(ended.network, seen.network, "what was true stays told");
}

pub(super) async fn a_task_on_an_instance_runs_there(scene: Scene) {
    let instance = scene.instances().await.first().expect("the harness has an instance").clone();
    let recipe = Recipe::bridge("web", [scene.container("web", Script::Run)]).on(instance.id);
    let launch = scene.launch(&recipe).await;
    let latest = scene.until_running(&launch).await;
    let seen = latest.task(&launch.task.key).unwrap();
    assert_eq!(seen.instance, Some(instance.id));
    assert_eq!(seen.availability_zone.as_ref(), Some(&instance.availability_zone));
    scene.end(&launch).await;
}

pub(super) async fn a_container_that_ends_with_0_is_told_with_0(scene: Scene) {
    ends_with(scene, 0).await;
}

pub(super) async fn a_container_that_ends_with_7_is_told_with_7(scene: Scene) {
    ends_with(scene, 7).await;
}

async fn ends_with(scene: Scene, code: u8) {
    let recipe = Recipe::fargate("job", [scene.container("job", Script::Exit { after: MOMENT, code })]);
    let launch = scene.launch(&recipe).await;
    let latest = scene.until_stopped(&launch.task.key, "job").await;
    let job = latest.container(&launch.task.key, "job").unwrap();
    assert_eq!(job.exit_code, Some(code.into()));
    assert!(job.started_at.unwrap() < job.finished_at.unwrap(), "{job:#?}");
    assert_eq!(latest.task(&launch.task.key).unwrap().failure, None, "an end is no failure of the task");
    assert_eq!(scene.end(&launch).await.containers[0].exit_code, Some(code.into()));
}

pub(super) async fn an_end_is_only_told_whether_the_container_is_essential_or_not(scene: Scene) {
    let recipe = Recipe::fargate(
        "web",
        [
            scene.container("web", Script::Run),
            scene.container("essential", Script::Exit { after: MOMENT, code: 1 }),
            scene.container("other", Script::Exit { after: MOMENT, code: 1 }).non_essential(),
        ],
    );
    let launch = scene.launch(&recipe).await;
    let key = &launch.task.key;
    let both = |latest: &super::Latest| {
        ["essential", "other"].iter().all(|name| latest.is(key, name, ContainerState::Stopped))
    };
    scene.until("both have stopped", &both).await;
    let latest = scene.harness.wait(A_WHILE).await;
    assert!(
        latest.is(key, "web", ContainerState::Running),
        "whether the task ends is for the use cases to say"
    );
    assert!(!latest.is_released(key));
    scene.end(&launch).await;
}

pub(super) async fn launching_a_task_again_leaves_it_as_it_is(scene: Scene) {
    let recipe = Recipe::fargate("web", [scene.container("web", Script::Run)]);
    let launch = scene.launch(&recipe).await;
    scene.harness.orchestrator().launch(launch.clone()).await.expect("the same launch is accepted again");
    let before = scene.until_running(&launch).await;
    scene.harness.orchestrator().launch(launch.clone()).await.expect("the same launch is accepted again");
    let after = scene.harness.wait(A_WHILE).await;
    assert_eq!(after.task(&launch.task.key), before.task(&launch.task.key));
    scene.end(&launch).await;
    scene.harness.orchestrator().launch(launch.clone()).await.expect("the same launch is accepted again");
    let ended = scene.harness.wait(A_WHILE).await;
    assert!(ended.is_released(&launch.task.key), "a task never runs twice");
}

pub(super) async fn an_image_that_cannot_be_pulled_keeps_the_task_from_starting(scene: Scene) {
    let recipe = Recipe::fargate(
        "web",
        [scene.container("web", Script::PullFailure), scene.container("side", Script::Run).non_essential()],
    );
    let launch = scene.launch(&recipe).await;
    let (reason, seen) = scene.until_failed_to_start(&launch).await;
    assert!(reason.starts_with("CannotPullContainerError: "), "{reason}");
    let web = seen.containers.iter().find(|it| it.name == "web").unwrap();
    assert!(web.reason.as_ref().is_some_and(|it| it.starts_with("CannotPullContainerError: ")), "{web:#?}");
    assert_eq!((web.started_at, web.exit_code), (None, None));
}

pub(super) async fn a_container_that_takes_too_much_memory_is_killed(scene: Scene) {
    let recipe = Recipe::fargate("web", [scene.container("web", Script::OutOfMemory)]);
    let launch = scene.launch(&recipe).await;
    let latest = scene.until_stopped(&launch.task.key, "web").await;
    let web = latest.container(&launch.task.key, "web").unwrap();
    assert_eq!(web.exit_code, Some(137));
    assert_eq!(web.reason.as_deref(), Some("OutOfMemoryError: Container killed due to memory usage"));
    scene.end(&launch).await;
}

pub(super) async fn clusters_can_be_made_and_given_back_again_and_again(scene: Scene) {
    let (orchestrator, cluster) = (scene.harness.orchestrator(), scene.harness.cluster());
    for _ in 0..2 {
        orchestrator.ensure_cluster(&cluster).await.expect("making a cluster is idempotent");
        orchestrator.ensure_cluster(&cluster).await.expect("making a cluster is idempotent");
        let launch = scene.run(&Recipe::fargate("web", [scene.container("web", Script::Run)])).await;
        scene.end(&launch).await;
        orchestrator.forget(&launch.task.key).await.expect("the task is forgotten");
        orchestrator.delete_cluster(&cluster).await.expect("giving a cluster back is idempotent");
        orchestrator.delete_cluster(&cluster).await.expect("giving a cluster back is idempotent");
    }
}
