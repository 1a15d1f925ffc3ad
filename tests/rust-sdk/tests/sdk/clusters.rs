//! The operations on clusters.

use aws_sdk_ecs::types::{ClusterField, ClusterSetting, ClusterSettingName, Tag};
use kecs_rust_sdk_tests::{ACCOUNT, REGION, Server};

fn insights(value: &str) -> ClusterSetting {
    ClusterSetting::builder().name(ClusterSettingName::ContainerInsights).value(value).build()
}

#[tokio::test]
async fn a_cluster_is_created_described_listed_updated_and_deleted() {
    let server = Server::start();
    let ecs = server.client();
    let tag = Tag::builder().key("team").value("blue").build();
    let created = ecs.create_cluster().cluster_name("web").tags(tag.clone()).send().await.unwrap();
    let created = created.cluster().unwrap();
    assert_eq!(created.status(), Some("ACTIVE"));
    assert_eq!(created.cluster_arn().unwrap(), format!("arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/web"));

    let described = ecs
        .describe_clusters()
        .clusters("web")
        .clusters("absent")
        .include(ClusterField::Tags)
        .include(ClusterField::Statistics)
        .send()
        .await
        .unwrap();
    assert_eq!(described.clusters()[0].tags(), [tag]);
    assert_eq!(described.clusters()[0].statistics().len(), 16);
    assert_eq!(described.failures()[0].reason(), Some("MISSING"));

    let updated =
        ecs.update_cluster_settings().cluster("web").settings(insights("enabled")).send().await.unwrap();
    assert_eq!(updated.cluster().unwrap().settings()[0].value(), Some("enabled"));
    let updated = ecs.update_cluster().cluster("web").settings(insights("enhanced")).send().await.unwrap();
    assert_eq!(updated.cluster().unwrap().settings()[0].value(), Some("enhanced"));

    assert_eq!(ecs.list_clusters().send().await.unwrap().cluster_arns().len(), 1);
    let deleted = ecs.delete_cluster().cluster("web").send().await.unwrap();
    assert_eq!(deleted.cluster().unwrap().status(), Some("INACTIVE"));
    assert!(ecs.list_clusters().send().await.unwrap().cluster_arns().is_empty());
}

#[tokio::test]
async fn the_paginator_of_the_sdk_walks_all_clusters() {
    let server = Server::start();
    let ecs = server.client();
    for n in 0..5 {
        ecs.create_cluster().cluster_name(format!("c{n}")).send().await.unwrap();
    }
    let mut pages = ecs.list_clusters().max_results(2).into_paginator().send();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().cluster_arns().len());
    }
    assert_eq!(sizes, [2, 2, 1]);
}

#[tokio::test]
async fn accounts_do_not_see_each_other() {
    let server = Server::start();
    server.client().create_cluster().cluster_name("web").send().await.unwrap();
    let other = server.client_of("999999999999").list_clusters().send().await.unwrap();
    assert!(other.cluster_arns().is_empty());
}
