//! The waiters of the SDK. They look at once and then every six or fifteen seconds, so what they wait for is mostly
//! there before they begin.

use std::time::Duration;

use aws_sdk_ecs::client::Waiters;
use kecs_rust_sdk_tests::Server;

use crate::make;

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn tasks_running_waits_and_gives_up_on_a_stopped_task() {
    let server = Server::start();
    let ecs = server.client();
    make::cluster(&ecs).await;
    make::register(&ecs, "slow", &[("start-delay", "1500ms")]).await;
    let arn = make::run(&ecs, "slow").await;
    ecs.wait_until_tasks_running().tasks(&arn).wait(LONG).await.expect("it runs");

    ecs.stop_task().task(&arn).send().await.unwrap();
    make::reach(&ecs, &arn, "STOPPED").await;
    ecs.wait_until_tasks_stopped().tasks(&arn).wait(LONG).await.expect("it has stopped");
    let waited = ecs.wait_until_tasks_running().tasks(&arn).wait(LONG).await;
    assert!(waited.is_err(), "a stopped task never runs");
}

#[tokio::test]
async fn services_stable_and_services_inactive_find_what_they_wait_for() {
    let server = Server::start();
    let ecs = server.client();
    make::cluster(&ecs).await;
    make::register(&ecs, "web", &[]).await;
    let create = ecs.create_service().service_name("web").task_definition("web").desired_count(3);
    create.send().await.unwrap();
    make::settle(&ecs, "web", make::is_stable).await;
    ecs.wait_until_services_stable().services("web").wait(LONG).await.expect("it is stable");

    ecs.delete_service().service("web").force(true).send().await.unwrap();
    make::settle(&ecs, "web", |service| service.status() == Some("INACTIVE")).await;
    ecs.wait_until_services_inactive().services("web").wait(LONG).await.expect("it is inactive");
    assert!(ecs.wait_until_services_stable().services("web").wait(LONG).await.is_err());
}
