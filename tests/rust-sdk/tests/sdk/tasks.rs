//! The operations on tasks.

use aws_sdk_ecs::types::{
    ContainerOverride, DesiredStatus, KeyValuePair, TaskField, TaskOverride, TaskStopCode,
};
use kecs_rust_sdk_tests::Server;

use crate::make;

#[tokio::test]
async fn tasks_are_run_listed_described_and_stopped() {
    let server = Server::start();
    let ecs = server.client();
    make::cluster(&ecs).await;
    make::register(&ecs, "job", &[]).await;
    let variable = KeyValuePair::builder().name("A").value("1").build();
    let overrides = ContainerOverride::builder().name("app").command("echo").environment(variable).build();
    let request = ecs
        .run_task()
        .task_definition("job")
        .count(2)
        .started_by("me")
        .client_token("token")
        .overrides(TaskOverride::builder().container_overrides(overrides.clone()).build());
    let ran = request.clone().send().await.unwrap();
    let again = request.send().await.unwrap();
    let arns = |tasks: &[aws_sdk_ecs::types::Task]| {
        let mut arns: Vec<_> = tasks.iter().map(|task| task.task_arn().unwrap().to_owned()).collect();
        arns.sort();
        arns
    };
    assert_eq!(arns(ran.tasks()), arns(again.tasks()));
    assert_eq!(ran.tasks()[0].overrides().unwrap().container_overrides(), [overrides]);

    let listed =
        ecs.list_tasks().started_by("me").desired_status(DesiredStatus::Running).send().await.unwrap();
    assert_eq!(listed.task_arns().len(), 2);
    let arn = &arns(ran.tasks())[0];
    let running = make::reach(&ecs, arn, "RUNNING").await;
    assert!(running.created_at().unwrap() <= running.started_at().unwrap());
    let described = ecs.describe_tasks().tasks(arn).include(TaskField::Tags).send().await.unwrap();
    assert_eq!(described.tasks()[0].version(), running.version());

    let stopped = ecs.stop_task().task(arn).reason("enough").send().await.unwrap();
    assert_eq!(stopped.task().unwrap().desired_status(), Some("STOPPED"));
    let ended = make::reach(&ecs, arn, "STOPPED").await;
    assert_eq!(ended.stop_code(), Some(&TaskStopCode::UserInitiated));
    assert_eq!(ended.stopped_reason(), Some("enough"));
}

#[tokio::test]
async fn an_exit_code_of_zero_is_there() {
    let server = Server::start();
    let ecs = server.client();
    make::cluster(&ecs).await;
    make::register(&ecs, "job", &[("run-for", "20ms"), ("exit-code", "0")]).await;
    let task = make::reach(&ecs, &make::run(&ecs, "job").await, "STOPPED").await;
    assert_eq!(task.stop_code(), Some(&TaskStopCode::EssentialContainerExited));
    assert_eq!(task.containers()[0].exit_code(), Some(0));
}
