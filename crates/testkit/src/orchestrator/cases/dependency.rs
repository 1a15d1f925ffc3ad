//! `dependsOn` with its four conditions.

use std::time::Duration;

use kecs_domain::model::ContainerCondition;
use kecs_domain::task::{ContainerObservation, TaskObservation};

use super::Scene;
use crate::orchestrator::{ContainerExt, Recipe, Script};

const MOMENT: Duration = Duration::from_secs(2);

/// A task whose container `web` depends on `other`, which behaves so.
fn recipe(scene: &Scene, other: Script, condition: ContainerCondition) -> Recipe {
    let web = scene.container("web", Script::Run).depends_on("other", condition);
    let other = scene.container("other", other);
    // ECS refuses an essential container that others wait for to end.
    let ends = matches!(condition, ContainerCondition::Complete | ContainerCondition::Success);
    Recipe::fargate("web", [web, if ends { other.non_essential() } else { other }])
}

fn container<'a>(seen: &'a TaskObservation, name: &str) -> &'a ContainerObservation {
    seen.containers.iter().find(|it| it.name == name).expect("every container is told")
}

/// Runs the task until `web` runs; what is seen then.
async fn until_web_runs(scene: &Scene, other: Script, condition: ContainerCondition) -> TaskObservation {
    let launch = scene.launch(&recipe(scene, other, condition)).await;
    let key = &launch.task.key;
    let started =
        |latest: &super::Latest| latest.container(key, "web").is_some_and(|it| it.started_at.is_some());
    let seen = scene.until("web runs", &started).await.task(key).unwrap().clone();
    scene.end(&launch).await;
    seen
}

pub(super) async fn start_waits_until_the_other_has_started(scene: Scene) {
    let seen = until_web_runs(&scene, Script::Run, ContainerCondition::Start).await;
    let (web, other) = (container(&seen, "web"), container(&seen, "other"));
    assert!(other.started_at.unwrap() <= web.started_at.unwrap(), "{seen:#?}");
}

pub(super) async fn complete_waits_for_the_end_of_the_other_whatever_its_code(scene: Scene) {
    let script = Script::Exit { after: MOMENT, code: 3 };
    let seen = until_web_runs(&scene, script, ContainerCondition::Complete).await;
    let (web, other) = (container(&seen, "web"), container(&seen, "other"));
    assert_eq!(other.exit_code, Some(3));
    assert!(other.finished_at.unwrap() <= web.started_at.unwrap(), "{seen:#?}");
}

pub(super) async fn what_waits_for_one_that_waited_waits_too(scene: Scene) {
    let fetch = scene.container("fetch", Script::Exit { after: MOMENT, code: 3 }).non_essential();
    let app = scene.container("app", Script::Run).depends_on("fetch", ContainerCondition::Complete);
    let web = scene.container("web", Script::Run).depends_on("app", ContainerCondition::Start);
    let launch = scene.launch(&Recipe::fargate("web", [web, app, fetch])).await;
    let key = &launch.task.key;
    let started =
        |latest: &super::Latest| latest.container(key, "web").is_some_and(|it| it.started_at.is_some());
    let seen = scene.until("web runs", &started).await.task(key).unwrap().clone();
    let start = |name: &str| container(&seen, name).started_at.unwrap();
    assert!(container(&seen, "fetch").finished_at.unwrap() <= start("app"), "{seen:#?}");
    assert!(start("app") <= start("web"), "{seen:#?}");
    assert_eq!(seen.failure, None);
    scene.end(&launch).await;
}

pub(super) async fn an_end_that_cannot_come_keeps_the_task_from_starting(scene: Scene) {
    let fetch = scene.container("fetch", Script::Exit { after: MOMENT, code: 0 }).non_essential();
    let app = scene.container("app", Script::Exit { after: MOMENT, code: 4 }).non_essential();
    let app = app.depends_on("fetch", ContainerCondition::Complete);
    let web = scene.container("web", Script::Run).depends_on("app", ContainerCondition::Success);
    let launch = scene.launch(&Recipe::fargate("web", [web, app, fetch])).await;
    let (reason, seen) = scene.until_failed_to_start(&launch).await;
    assert_eq!(reason, "Task failed to start");
    assert_eq!(container(&seen, "app").exit_code, Some(4));
    assert_eq!(container(&seen, "web").started_at, None);
}

pub(super) async fn success_waits_for_the_others_exit_code_0(scene: Scene) {
    let script = Script::Exit { after: MOMENT, code: 0 };
    let seen = until_web_runs(&scene, script, ContainerCondition::Success).await;
    let (web, other) = (container(&seen, "web"), container(&seen, "other"));
    assert_eq!(other.exit_code, Some(0));
    assert!(other.finished_at.unwrap() <= web.started_at.unwrap(), "{seen:#?}");
}

pub(super) async fn success_keeps_the_task_from_starting_when_the_other_fails(scene: Scene) {
    let recipe = recipe(&scene, Script::Exit { after: MOMENT, code: 3 }, ContainerCondition::Success);
    let launch = scene.launch(&recipe).await;
    let (reason, seen) = scene.until_failed_to_start(&launch).await;
    assert_eq!(reason, "Task failed to start");
    assert_eq!(container(&seen, "other").exit_code, Some(3));
    let web = container(&seen, "web");
    assert_eq!((web.started_at, web.exit_code, &web.reason), (None, None, &None));
}

pub(super) async fn healthy_waits_until_the_other_is_healthy(scene: Scene) {
    let seen = until_web_runs(&scene, Script::Healthy, ContainerCondition::Healthy).await;
    let (web, other) = (container(&seen, "web"), container(&seen, "other"));
    assert!(other.started_at.unwrap() < web.started_at.unwrap(), "{seen:#?}");
}

pub(super) async fn healthy_keeps_the_task_from_starting_when_the_other_is_unhealthy(scene: Scene) {
    let launch = scene.launch(&recipe(&scene, Script::Unhealthy, ContainerCondition::Healthy)).await;
    let (reason, seen) = scene.until_failed_to_start(&launch).await;
    assert_eq!(reason, "Task failed to start");
    assert_eq!(container(&seen, "web").started_at, None);
}
