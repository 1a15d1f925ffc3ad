//! The operations on tags.

use aws_sdk_ecs::types::Tag;
use kecs_rust_sdk_tests::Server;

use crate::make;

#[tokio::test]
async fn tags_are_set_listed_and_removed() {
    let server = Server::start();
    let ecs = server.client();
    let arn = make::register(&ecs, "web", &[]).await;
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    ecs.tag_resource().resource_arn(&arn).tags(tag("a", "1")).tags(tag("b", "")).send().await.unwrap();
    ecs.untag_resource().resource_arn(&arn).tag_keys("a").send().await.unwrap();
    let listed = ecs.list_tags_for_resource().resource_arn(&arn).send().await.unwrap();
    assert_eq!(listed.tags(), [tag("b", "")]);
}
