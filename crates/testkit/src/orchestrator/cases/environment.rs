//! Variables, and the values of theirs that stand elsewhere. Seen from inside, by real programs.

use kecs_domain::model::{
    ContainerDefinition, ContainerOverride, EnvironmentFile, EnvironmentFileType, KeyValuePair, Secret,
};

use super::Scene;
use super::program::all_hold;
use crate::orchestrator::{Ability, ContainerExt, Recipe, Script};

const SECRET: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:";
const PARAMETER: &str = "arn:aws:ssm:eu-central-1:123456789012:parameter/";

fn secret(name: &str, value_from: String) -> Secret {
    Secret { name: name.to_owned(), value_from }
}

pub(super) async fn variables_are_those_of_the_definition_with_those_of_the_request(scene: Scene) {
    if !scene.harness.can(Ability::Programs) {
        return;
    }
    let container = scene.container("test", Script::Test("test $A,$B,$C = 1,3,4"));
    let container = container.variable("A", "1").variable("B", "2");
    let pair = |name: &str, value: &str| KeyValuePair { name: Some(name.into()), value: Some(value.into()) };
    let with = ContainerOverride {
        environment: Some(vec![pair("B", "3"), pair("C", "4")]),
        ..ContainerOverride::default()
    };
    all_hold(&scene, &Recipe::fargate("test", [container]).overridden("test", with)).await;
}

pub(super) async fn values_are_passed_as_they_are(scene: Scene) {
    if !scene.harness.can(Ability::Programs) {
        return;
    }
    let condition = "test \"$VALUE\" = '$(A) $$ \"q\" ${A}'";
    let container = scene.container("test", Script::Test(condition));
    let container = container.variable("A", "1").variable("VALUE", "$(A) $$ \"q\" ${A}");
    all_hold(&scene, &Recipe::fargate("test", [container])).await;
}

pub(super) async fn secrets_are_variables(scene: Scene) {
    if !scene.harness.can(Ability::Programs) {
        return;
    }
    scene.harness.put_secret("prod/Db", &[("value", "whole"), ("user", "me")]).await;
    scene.harness.put_secret("prod/url", &[("value", "postgres://h")]).await;
    let condition = "test \"$WHOLE $USER $URL $AGAIN\" = 'whole me postgres://h postgres://h'";
    let container = ContainerDefinition {
        secrets: Some(vec![
            secret("WHOLE", format!("{SECRET}prod/Db-AbC123")),
            secret("USER", format!("{SECRET}prod/Db-AbC123:user::")),
            secret("URL", format!("{PARAMETER}prod/url")),
            secret("AGAIN", "/prod/url".to_owned()),
        ]),
        ..scene.container("test", Script::Test(condition))
    };
    all_hold(&scene, &Recipe::fargate("test", [container])).await;
}

/// A task whose value is not to be had.
async fn fails(scene: &Scene, value_from: String) {
    let container = ContainerDefinition {
        secrets: Some(vec![secret("VALUE", value_from)]),
        ..scene.container("web", Script::Run)
    };
    let launch = scene.launch(&Recipe::fargate("web", [container])).await;
    let (reason, seen) = scene.until_failed_to_start(&launch).await;
    assert!(reason.starts_with("ResourceInitializationError: "), "{reason}");
    assert_eq!((seen.containers[0].started_at, seen.containers[0].exit_code), (None, None));
}

pub(super) async fn a_secret_that_is_not_there_keeps_the_task_from_starting(scene: Scene) {
    if scene.harness.can(Ability::Programs) {
        fails(&scene, format!("{SECRET}nowhere-AbC123")).await;
    }
}

pub(super) async fn a_key_that_its_secret_lacks_keeps_the_task_from_starting(scene: Scene) {
    if scene.harness.can(Ability::Programs) {
        scene.harness.put_secret("some", &[("value", "v")]).await;
        fails(&scene, format!("{SECRET}some-AbC123:password::")).await;
    }
}

pub(super) async fn variables_come_from_files_too(scene: Scene) {
    if !scene.harness.can(Ability::Programs) {
        return;
    }
    scene.harness.put_file("bucket/first.env", &[("A", "file"), ("B", "first")]).await;
    scene.harness.put_file("bucket/second.env", &[("B", "second"), ("C", "second")]).await;
    let file = |place: &str| EnvironmentFile {
        value: format!("arn:aws:s3:::{place}"),
        r#type: EnvironmentFileType::S3,
    };
    let container = scene.container("test", Script::Test("test $A,$B,$C = own,first,second"));
    let container = ContainerDefinition {
        environment_files: Some(vec![file("bucket/first.env"), file("bucket/second.env")]),
        ..container.variable("A", "own")
    };
    all_hold(&scene, &Recipe::fargate("test", [container])).await;
}
