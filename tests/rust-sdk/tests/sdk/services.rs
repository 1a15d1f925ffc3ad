//! The operations on services, their deployments and revisions.

use aws_sdk_ecs::types::{DeploymentRolloutState, ServiceDeploymentStatus};
use kecs_rust_sdk_tests::Server;

use crate::make;

#[tokio::test]
async fn a_service_is_created_rolled_recorded_and_deleted() {
    let server = Server::start();
    let ecs = server.client();
    make::cluster(&ecs).await;
    let first = make::register(&ecs, "web", &[]).await;
    let created = ecs
        .create_service()
        .service_name("web")
        .task_definition("web")
        .desired_count(2)
        .client_token("token")
        .send()
        .await
        .unwrap();
    let arn = created.service().unwrap().service_arn().unwrap().to_owned();
    make::settle(&ecs, "web", make::is_stable).await;
    assert_eq!(ecs.list_services().send().await.unwrap().service_arns(), [arn]);

    let second = make::register(&ecs, "web", &[]).await;
    let updated = ecs.update_service().service("web").task_definition("web").send().await.unwrap();
    assert_eq!(updated.service().unwrap().task_definition(), Some(second.as_str()));
    let done = make::settle(&ecs, "web", |service| {
        make::is_stable(service)
            && service.deployments()[0].rollout_state() == Some(&DeploymentRolloutState::Completed)
    })
    .await;
    assert_eq!(done.deployments()[0].task_definition(), Some(second.as_str()));
    assert!(
        done.events().iter().any(|event| event.message().unwrap().ends_with("has reached a steady state."))
    );

    let successful = ServiceDeploymentStatus::Successful;
    let listed =
        ecs.list_service_deployments().service("web").status(successful.clone()).send().await.unwrap();
    let briefs = listed.service_deployments();
    assert_eq!(briefs.len(), 2);
    let newest = briefs[0].service_deployment_arn().unwrap();
    let records = ecs.describe_service_deployments().service_deployment_arns(newest).send().await.unwrap();
    let record = &records.service_deployments()[0];
    assert_eq!(record.status(), Some(&successful));
    assert_eq!(record.source_service_revisions().len(), 1);

    let revisions =
        briefs.iter().map(|brief| brief.target_service_revision_arn().unwrap().to_owned()).collect();
    let described =
        ecs.describe_service_revisions().set_service_revision_arns(Some(revisions)).send().await.unwrap();
    let definitions: Vec<_> =
        described.service_revisions().iter().map(|revision| revision.task_definition().unwrap()).collect();
    assert_eq!(definitions, [second, first]);

    let deleted = ecs.delete_service().service("web").force(true).send().await.unwrap();
    assert_eq!(deleted.service().unwrap().desired_count(), 0);
    make::settle(&ecs, "web", |service| service.status() == Some("INACTIVE")).await;
}
