//! What comes from outside: nodes, other people, ports that are taken.

use std::time::Duration;

use kecs_domain::model::{NetworkBinding, TransportProtocol};
use kecs_domain::task::TaskFailure;
use kecs_usecases::ports::{Instance, InstanceStatus, Launch};

use super::{Latest, SOON, Scene};
use crate::orchestrator::{Ability, ContainerExt, Recipe, Script};

async fn first_instance(scene: &Scene) -> Instance {
    scene.instances().await.first().expect("the harness has an instance").clone()
}

/// The instance as it is now.
async fn again(scene: &Scene, instance: &Instance) -> Instance {
    scene
        .instances()
        .await
        .into_iter()
        .find(|it| it.id == instance.id)
        .expect("an instance does not vanish so soon")
}

/// Waits until the instance is as it should be. Nothing is observed of instances, so this looks again and again.
async fn until_instance(scene: &Scene, instance: &Instance, what: &str, holds: impl Fn(&Instance) -> bool) {
    let step = Duration::from_millis(500);
    let mut waited = Duration::ZERO;
    while !holds(&again(scene, instance).await) {
        assert!(waited < SOON, "{what}: {:#?}", again(scene, instance).await);
        scene.harness.wait(step).await;
        waited += step;
    }
}

async fn until_lost(scene: &Scene, launch: &Launch) {
    let key = &launch.task.key;
    let lost = |latest: &Latest| {
        latest.task(key).is_some_and(
            |task| matches!(&task.failure, Some(TaskFailure::Lost { reason }) if !reason.is_empty()),
        )
    };
    scene.until("the task is lost", &lost).await;
    scene.end(launch).await;
}

pub(super) async fn a_task_that_somebody_else_deletes_is_lost(scene: Scene) {
    let launch = scene.run(&Recipe::fargate("web", [scene.container("web", Script::Run)])).await;
    scene.harness.delete_task(&launch.task.key).await;
    until_lost(&scene, &launch).await;
}

pub(super) async fn a_task_whose_node_dies_is_lost(scene: Scene) {
    if !scene.harness.can(Ability::LoseNode) {
        return;
    }
    let instance = first_instance(&scene).await;
    let launch =
        scene.run(&Recipe::bridge("web", [scene.container("web", Script::Run)]).on(instance.id)).await;
    scene.harness.lose_node(&instance.host).await;
    until_lost(&scene, &launch).await;
    let connected = scene.instances().await.iter().any(|it| it.id == instance.id && it.connected);
    assert!(!connected, "a lost node does not answer");
}

pub(super) async fn a_drained_node_is_seen_among_the_instances(scene: Scene) {
    if !scene.harness.can(Ability::DrainNode) {
        return;
    }
    let instance = first_instance(&scene).await;
    assert_eq!(instance.status, InstanceStatus::Active);
    scene.harness.drain_node(&instance.host).await;
    until_instance(&scene, &instance, "the instance is DRAINING", |it| it.status == InstanceStatus::Draining)
        .await;
    assert!(again(&scene, &instance).await.connected);
}

pub(super) async fn instances_show_what_tasks_take(scene: Scene) {
    let instance = first_instance(&scene).await;
    let count = scene.harness.orchestrator().instance_count(&scene.harness.cluster()).await;
    assert_eq!(count.expect("the instances are known"), scene.instances().await.len());
    assert!(
        instance.attributes.iter().any(|it| it.name == "ecs.os-type" && it.value.as_deref() == Some("linux"))
    );
    let (cpu, memory) = (instance.remaining.cpu, instance.remaining.memory);
    let launch =
        scene.run(&Recipe::bridge("web", [scene.container("web", Script::Run)]).on(instance.id)).await;
    let less = |it: &Instance| it.remaining.cpu == cpu - 256 && it.remaining.memory == memory - 512;
    until_instance(&scene, &instance, "the instance has less left", less).await;
    scene.end(&launch).await;
    scene.harness.orchestrator().forget(&launch.task.key).await.expect("the task is forgotten");
    let as_before = |it: &Instance| it.remaining.cpu == cpu && it.remaining.memory == memory;
    until_instance(&scene, &instance, "the instance has it back", as_before).await;
}

/// Runs a task that shows its port 80 as `host_port`; how it is bound.
async fn binding(scene: &Scene, host_port: i32) -> NetworkBinding {
    let recipe = Recipe::bridge("web", [scene.container("web", Script::Run).port(80, host_port)]);
    let launch = scene.launch(&recipe).await;
    let latest = scene.until_running(&launch).await;
    let web = latest.container(&launch.task.key, "web").unwrap();
    assert_eq!(web.bindings.len(), 1, "{web:#?}");
    assert_eq!(latest.task(&launch.task.key).unwrap().network, None, "its address is the instance's");
    let binding = web.bindings[0].clone();
    scene.end(&launch).await;
    binding
}

pub(super) async fn a_fixed_host_port_is_bound(scene: Scene) {
    let expected = NetworkBinding {
        bind_ip: Some("0.0.0.0".to_owned()),
        container_port: Some(80),
        host_port: Some(18080),
        protocol: Some(TransportProtocol::Tcp),
        ..NetworkBinding::default()
    };
    assert_eq!(binding(&scene, 18080).await, expected);
    assert_eq!(binding(&scene, 18080).await, expected, "it is free again after the task's end");
}

pub(super) async fn a_free_host_port_is_found_and_bound(scene: Scene) {
    let bound = binding(&scene, 0).await;
    assert_eq!(bound.container_port, Some(80));
    assert!(bound.host_port.is_some_and(|port| port > 1024), "{bound:?}");
}
