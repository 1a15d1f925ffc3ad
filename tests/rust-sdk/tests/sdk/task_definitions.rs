//! The operations on task definitions.

use aws_sdk_ecs::types::{
    Compatibility, NetworkMode, Tag, TaskDefinitionFamilyStatus, TaskDefinitionField, TaskDefinitionStatus,
};
use kecs_rust_sdk_tests::Server;

use crate::make;

#[tokio::test]
async fn a_definition_is_registered_described_listed_deregistered_and_deleted() {
    let server = Server::start();
    let ecs = server.client();
    let registered = ecs
        .register_task_definition()
        .family("web")
        .network_mode(NetworkMode::Awsvpc)
        .requires_compatibilities(Compatibility::Fargate)
        .cpu("256")
        .memory("512")
        .container_definitions(make::container(&[]))
        .tags(Tag::builder().key("team").value("blue").build())
        .send()
        .await
        .unwrap();
    let registered = registered.task_definition().unwrap();
    assert_eq!((registered.revision(), registered.status()), (1, Some(&TaskDefinitionStatus::Active)));

    let described = ecs
        .describe_task_definition()
        .task_definition("web")
        .include(TaskDefinitionField::Tags)
        .send()
        .await
        .unwrap();
    assert_eq!(described.task_definition(), Some(registered));
    assert_eq!(described.tags()[0].key(), Some("team"));

    let listed = ecs.list_task_definitions().family_prefix("web").send().await.unwrap();
    assert_eq!(listed.task_definition_arns(), [registered.task_definition_arn().unwrap()]);
    let active = TaskDefinitionFamilyStatus::Active;
    let families = ecs.list_task_definition_families().status(active).send().await.unwrap();
    assert_eq!(families.families(), ["web"]);

    let gone = ecs.deregister_task_definition().task_definition("web:1").send().await.unwrap();
    assert_eq!(gone.task_definition().unwrap().status(), Some(&TaskDefinitionStatus::Inactive));
    let deleted = ecs.delete_task_definitions().task_definitions("web:1").send().await.unwrap();
    assert!(deleted.failures().is_empty());
    assert_eq!(deleted.task_definitions()[0].status(), Some(&TaskDefinitionStatus::DeleteInProgress));
}
