//! Errors that must come back as the typed exceptions of the SDK.

use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::operation::run_task::RunTaskError;
use aws_sdk_ecs::types::{ClusterSetting, ClusterSettingName, LaunchType};
use kecs_rust_sdk_tests::Server;

use crate::make;

/// The service's error of a request that must be refused, with HTTP 400.
macro_rules! refused {
    ($request:expr) => {{
        let error = $request.send().await.expect_err("it is refused");
        assert_eq!(error.raw_response().expect("it was answered").status().as_u16(), 400);
        error.into_service_error()
    }};
}

#[tokio::test]
async fn what_is_wrong_with_clusters_is_typed() {
    let server = Server::start();
    let ecs = server.client();
    let error = refused!(ecs.delete_cluster().cluster("absent"));
    assert!(error.is_cluster_not_found_exception());
    assert_eq!(error.message(), Some("Cluster not found."));
    let error = refused!(ecs.create_cluster().cluster_name("a/b"));
    assert!(error.is_invalid_parameter_exception());
    let setting = ClusterSetting::builder().name(ClusterSettingName::ContainerInsights).value("on").build();
    let error = refused!(ecs.create_cluster().settings(setting));
    assert!(error.is_invalid_parameter_exception());
    assert_eq!(error.message(), Some("Invalid setting 'value'"));

    make::cluster(&ecs).await;
    make::register(&ecs, "web", &[]).await;
    make::run(&ecs, "web").await;
    assert!(refused!(ecs.delete_cluster().cluster("default")).is_cluster_contains_tasks_exception());
    ecs.create_service().service_name("web").task_definition("web").desired_count(0).send().await.unwrap();
    assert!(refused!(ecs.delete_cluster().cluster("default")).is_cluster_contains_services_exception());
    assert!(refused!(ecs.list_clusters().max_results(101)).is_invalid_parameter_exception());
}

#[tokio::test]
async fn what_is_wrong_with_task_definitions_is_typed() {
    let server = Server::start();
    let ecs = server.client();
    let error =
        refused!(ecs.register_task_definition().family("a b").container_definitions(make::container(&[])));
    assert!(error.is_client_exception());
    assert_eq!(error.message(), Some("Family contains invalid characters."));
    let labels = [("exit-code", "many")];
    let error =
        refused!(ecs.register_task_definition().family("a").container_definitions(make::container(&labels)));
    assert!(error.is_client_exception());
    assert!(error.message().unwrap().contains("kecs.dev/sim.exit-code"));
    assert!(refused!(ecs.describe_task_definition().task_definition("absent")).is_client_exception());
    let error = refused!(ecs.deregister_task_definition().task_definition("absent"));
    assert!(error.is_invalid_parameter_exception());
    assert_eq!(error.message(), Some("Revision is missing"));
}

#[tokio::test]
async fn what_is_wrong_with_tasks_is_typed_and_a_conflict_names_the_tasks() {
    let server = Server::start();
    let ecs = server.client();
    assert!(refused!(ecs.list_tasks()).is_cluster_not_found_exception());
    make::cluster(&ecs).await;
    assert!(refused!(ecs.run_task().task_definition("absent")).is_client_exception());
    make::register(&ecs, "web", &[]).await;
    let fargate = ecs.run_task().task_definition("web").launch_type(LaunchType::Fargate);
    assert!(refused!(fargate).is_invalid_parameter_exception());
    assert!(refused!(ecs.stop_task().task("0".repeat(32))).is_invalid_parameter_exception());
    assert!(refused!(ecs.list_tasks().service_name("absent")).is_service_not_found_exception());

    let request = ecs.run_task().task_definition("web").client_token("token");
    let ran = request.clone().send().await.unwrap();
    let error = refused!(request.count(2));
    let RunTaskError::ConflictException(conflict) = error else { panic!("no conflict: {error}") };
    assert_eq!(conflict.resource_ids(), [ran.tasks()[0].task_arn().unwrap()]);
}

#[tokio::test]
async fn what_is_wrong_with_services_is_typed() {
    let server = Server::start();
    let ecs = server.client();
    make::cluster(&ecs).await;
    make::register(&ecs, "web", &[]).await;
    let create = || ecs.create_service().service_name("web").task_definition("web");
    let error = refused!(create());
    assert!(error.is_invalid_parameter_exception());
    assert_eq!(error.message(), Some("DesiredCount is missing"));
    create().desired_count(1).send().await.unwrap();
    let error = refused!(create().desired_count(2));
    assert_eq!(error.message(), Some("Creation of service was not idempotent."));
    assert!(refused!(ecs.update_service().service("absent")).is_service_not_found_exception());
    assert!(refused!(ecs.delete_service().service("web")).is_invalid_parameter_exception());
    ecs.delete_service().service("web").force(true).send().await.unwrap();
    make::settle(&ecs, "web", |service| service.status() == Some("INACTIVE")).await;
    assert!(refused!(ecs.update_service().service("web")).is_service_not_active_exception());
}

#[tokio::test]
async fn what_is_wrong_with_tags_is_typed() {
    let server = Server::start();
    let ecs = server.client();
    assert!(refused!(ecs.list_tags_for_resource().resource_arn("nonsense")).is_invalid_parameter_exception());
}
