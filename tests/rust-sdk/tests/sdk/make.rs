//! Small legal things, to be used by the tests of something else.

use std::time::Duration;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{ContainerDefinition, Service, Task};
use tokio::time::{sleep, timeout};

/// How long anything may take that is simulated without a delay.
const WITHIN: Duration = Duration::from_secs(20);
const EVERY: Duration = Duration::from_millis(20);

/// A container definition with labels that script it.
pub(crate) fn container(labels: &[(&str, &str)]) -> ContainerDefinition {
    let definition = ContainerDefinition::builder().name("app").image("busybox:1.36").memory(64);
    let labelled = labels
        .iter()
        .fold(definition, |made, (label, value)| made.docker_labels(format!("kecs.dev/sim.{label}"), *value));
    labelled.build()
}

/// Registers a family with one container, and gives the ARN of the revision.
pub(crate) async fn register(ecs: &Client, family: &str, labels: &[(&str, &str)]) -> String {
    let request = ecs.register_task_definition().family(family).container_definitions(container(labels));
    let answer = request.send().await.expect("it registers");
    answer.task_definition().and_then(|made| made.task_definition_arn()).expect("it has an ARN").to_owned()
}

/// Creates the cluster `default`.
pub(crate) async fn cluster(ecs: &Client) {
    ecs.create_cluster().send().await.expect("the cluster is created");
}

/// Runs a task of a family in `default`.
pub(crate) async fn run(ecs: &Client, family: &str) -> String {
    let answer = ecs.run_task().task_definition(family).send().await.expect("it runs");
    assert!(answer.failures().is_empty());
    answer.tasks()[0].task_arn().expect("it has an ARN").to_owned()
}

/// Waits for a task of `default` to be in a state.
pub(crate) async fn reach(ecs: &Client, arn: &str, status: &str) -> Task {
    let look = async {
        loop {
            let answer = ecs.describe_tasks().tasks(arn).send().await.expect("it is described");
            let task = answer.tasks()[0].clone();
            if task.last_status() == Some(status) {
                return task;
            }
            sleep(EVERY).await;
        }
    };
    timeout(WITHIN, look).await.unwrap_or_else(|_| panic!("{arn} is not {status} in time"))
}

/// Waits for a service of `default` to be as wanted.
pub(crate) async fn settle(ecs: &Client, name: &str, good: impl Fn(&Service) -> bool) -> Service {
    let look = async {
        loop {
            let answer = ecs.describe_services().services(name).send().await.expect("it is described");
            let service = answer.services()[0].clone();
            if good(&service) {
                return service;
            }
            sleep(EVERY).await;
        }
    };
    timeout(WITHIN, look).await.unwrap_or_else(|_| panic!("{name} does not settle in time"))
}

/// What the waiter `services_stable` looks for.
pub(crate) fn is_stable(service: &Service) -> bool {
    service.deployments().len() == 1 && service.running_count() == service.desired_count()
}
