//! Health checks.

use kecs_domain::arn::TaskKey;
use kecs_domain::model::HealthStatus;
use kecs_domain::task::ContainerState;

use super::{A_WHILE, Latest, Scene};
use crate::orchestrator::{Recipe, Script};

async fn until_health(scene: &Scene, key: &TaskKey, health: HealthStatus) -> Latest {
    let what = format!("web runs and is {health}");
    let is = |latest: &Latest| latest.container(key, "web").is_some_and(|it| it.health == Some(health));
    scene.until(&what, &|latest| is(latest) && latest.is(key, "web", ContainerState::Running)).await
}

/// Runs a container of `script` and sees its health go through `course`, while it runs on.
async fn goes(scene: Scene, script: Script, course: &[HealthStatus]) {
    let launch = scene.launch(&Recipe::fargate("web", [scene.container("web", script)])).await;
    let key = &launch.task.key;
    for health in course {
        until_health(&scene, key, *health).await;
    }
    let latest = scene.harness.wait(A_WHILE).await;
    assert!(latest.is(key, "web", ContainerState::Running), "health ends no container");
    assert_eq!(scene.end(&launch).await.failure, None, "health ends no task");
}

pub(super) async fn a_check_that_passes_makes_the_container_healthy(scene: Scene) {
    goes(scene, Script::Healthy, &[HealthStatus::Unknown, HealthStatus::Healthy]).await;
}

pub(super) async fn a_check_that_fails_makes_the_container_unhealthy_and_it_runs_on(scene: Scene) {
    goes(scene, Script::Unhealthy, &[HealthStatus::Unknown, HealthStatus::Unhealthy]).await;
}

pub(super) async fn a_healthy_container_can_turn_unhealthy(scene: Scene) {
    goes(scene, Script::TurnsUnhealthy, &[HealthStatus::Healthy, HealthStatus::Unhealthy]).await;
}

pub(super) async fn an_unhealthy_container_can_turn_healthy(scene: Scene) {
    goes(scene, Script::TurnsHealthy, &[HealthStatus::Unhealthy, HealthStatus::Healthy]).await;
}

pub(super) async fn a_container_without_a_check_has_no_health(scene: Scene) {
    let launch = scene.run(&Recipe::fargate("web", [scene.container("web", Script::Run)])).await;
    let latest = scene.harness.wait(A_WHILE).await;
    assert_eq!(latest.container(&launch.task.key, "web").unwrap().health, None);
    scene.end(&launch).await;
}
