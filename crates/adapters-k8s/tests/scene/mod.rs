//! What the tests over the API in memory have in common.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use kecs_domain::arn::ClusterKey;
use kecs_domain::model::ContainerDefinition;
use kecs_domain::name::{ClusterName, TaskId};
use kecs_domain::task::TaskObservation;
use kecs_domain::{Scope, Timestamp};
use kecs_testkit::orchestrator::Recipe;
use kecs_usecases::ports::{Launch, Observation};

/// The cluster that they work in.
pub fn cluster() -> ClusterKey {
    ClusterKey::new(Scope::new("123456789012", "eu-central-1"), ClusterName::parse("main").unwrap())
}

/// A container.
pub fn container(name: &str) -> ContainerDefinition {
    ContainerDefinition {
        name: Some(name.to_owned()),
        image: Some("i:1".to_owned()),
        ..ContainerDefinition::default()
    }
}

/// A task of these containers.
pub fn launch_of(containers: Vec<ContainerDefinition>) -> Launch {
    let id = TaskId::from_bits(0x1234_5678_9abc_def0);
    Recipe::fargate("web", containers).launch(&cluster(), id, Timestamp::from_millis(1_767_225_600_000))
}

/// A task of one container of that name.
pub fn launch(name: &str) -> Launch {
    launch_of(vec![container(name)])
}

/// The next observation, which must not take long.
pub async fn next_observation(stream: &mut BoxStream<'static, Observation>) -> Observation {
    let next = tokio::time::timeout(Duration::from_secs(20), stream.next()).await;
    next.expect("an observation comes soon").expect("the stream never ends")
}

/// The only task's observation, once `holds` is true of it. What is told on the way is in `told`.
pub async fn until(
    stream: &mut BoxStream<'static, Observation>,
    told: &mut Vec<Observation>,
    holds: impl Fn(&TaskObservation) -> bool,
) -> TaskObservation {
    loop {
        let next = next_observation(stream).await;
        told.push(next.clone());
        let Observation::Changed(tasks) = next else { continue };
        if let Some(task) = tasks.into_iter().find(|task| holds(task)) {
            return task;
        }
    }
}

/// Runs one test in virtual time: pauses cost nothing.
pub fn in_virtual_time<F: Future>(future: F) -> F::Output {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(future)
}
