//! `requiresAttributes`: the capabilities that an instance must have to run a task definition.

use crate::generated as model;
use crate::model::{
    Attribute, ContainerDefinition, FirelensConfigurationType, LogDriver, NetworkMode, Secret,
};

/// The attributes that follow from a task definition whose defaults are filled in; None if there are none.
pub(super) fn derive(definition: &model::TaskDefinition) -> Option<Vec<Attribute>> {
    let mut found = Found::default();
    let execution_role = definition.execution_role_arn.is_some();
    for container in definition.container_definitions.as_deref().unwrap_or_default() {
        of_container(&mut found, container, execution_role);
    }
    if definition.task_role_arn.is_some() {
        found.agent("task-iam-role");
        if definition.network_mode == Some(NetworkMode::Host) {
            found.agent("task-iam-role-network-host");
        }
    }
    if definition.network_mode == Some(NetworkMode::Awsvpc) {
        found.docker(18);
        found.ecs("task-eni");
    }
    for volume in definition.volumes.as_deref().unwrap_or_default() {
        if volume.efs_volume_configuration.is_some() {
            found.ecs("efs");
            found.ecs("efsAuth");
            found.docker(25);
        }
        if volume.fsx_windows_file_server_volume_configuration.is_some() {
            found.ecs("fsxWindowsFileServer");
        }
    }
    if definition.pid_mode.is_some() || definition.ipc_mode.is_some() {
        found.ecs("pid-ipc-namespace-sharing");
    }
    if definition.proxy_configuration.is_some() {
        found.ecs("aws-appmesh");
    }
    let attributes = found.names.into_iter().map(|name| Attribute { name, ..Attribute::default() });
    let attributes: Vec<_> = attributes.collect();
    (!attributes.is_empty()).then_some(attributes)
}

fn of_container(found: &mut Found, container: &ContainerDefinition, execution_role: bool) {
    let image = container.image.as_deref().unwrap_or_default();
    if let Some(log) = &container.log_configuration {
        found.agent(&format!("logging-driver.{}", log.log_driver));
        if log.log_driver == LogDriver::Awslogs {
            found.docker(19);
            if execution_role {
                found.ecs("execution-role-awslogs");
            }
        }
        for secret in log.secret_options.as_deref().unwrap_or_default() {
            found.ecs(&format!("secrets.{}.bootstrap.log-driver", secret_store(secret)));
        }
    }
    if is_ecr(image) {
        found.agent("ecr-auth");
        if execution_role {
            found.ecs("execution-role-ecr-pull");
        }
    }
    if image.contains("@sha256:") || container.memory_reservation.is_some() {
        found.docker(21);
    }
    if container.privileged == Some(true) {
        found.agent("privileged-container");
    }
    if container.health_check.is_some() {
        found.ecs("container-health-check");
        found.docker(29);
    }
    let ordered = container.depends_on.as_ref().is_some_and(|depends_on| !depends_on.is_empty());
    if ordered || container.start_timeout.is_some() || container.stop_timeout.is_some() {
        found.ecs("container-ordering");
    }
    for secret in container.secrets.as_deref().unwrap_or_default() {
        found.ecs(&format!("secrets.{}.environment-variables", secret_store(secret)));
    }
    if container.environment_files.as_ref().is_some_and(|files| !files.is_empty()) {
        found.ecs("env-files.s3");
    }
    if container.repository_credentials.is_some() {
        found.ecs("private-registry-authentication.secretsmanager");
    }
    if let Some(firelens) = &container.firelens_configuration {
        found.ecs(match firelens.r#type {
            FirelensConfigurationType::Fluentd => "firelens.fluentd",
            FirelensConfigurationType::Fluentbit => "firelens.fluentbit",
        });
        let options = firelens.options.as_ref();
        if let Some(kind) = options.and_then(|options| options.get("config-file-type")) {
            found.ecs(&format!("firelens.options.config.{kind}"));
        }
    }
}

/// Where a secret is kept: Secrets Manager, or else the Parameter Store.
fn secret_store(secret: &Secret) -> &'static str {
    if secret.value_from.split(':').nth(2) == Some("secretsmanager") { "asm" } else { "ssm" }
}

/// Whether an image is in a private registry of Amazon ECR: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/...`.
pub(super) fn is_ecr(image: &str) -> bool {
    let host = image.split('/').next().unwrap_or_default();
    let Some((account, rest)) = host.split_once(".dkr.ecr").filter(|_| host.len() < image.len()) else {
        return false;
    };
    let aws = rest.ends_with(".amazonaws.com") || rest.ends_with(".amazonaws.com.cn");
    aws && account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())
}

/// Names in the order in which they were found, each once.
#[derive(Default)]
struct Found {
    names: Vec<String>,
}

impl Found {
    fn add(&mut self, name: String) {
        if !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    fn agent(&mut self, capability: &str) {
        self.add(format!("com.amazonaws.ecs.capability.{capability}"));
    }

    fn ecs(&mut self, capability: &str) {
        self.add(format!("ecs.capability.{capability}"));
    }

    /// Version 1.`minor` of Docker's remote API.
    fn docker(&mut self, minor: u32) {
        self.agent(&format!("docker-remote-api.1.{minor}"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ECR: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:1";

    fn derived(definition: Value) -> Vec<String> {
        let definition = serde_json::from_value(definition).unwrap();
        derive(&definition).unwrap_or_default().into_iter().map(|attribute| attribute.name).collect()
    }

    /// The attributes of a container, with and without an execution role.
    fn of(container: Value, role: bool) -> Vec<String> {
        let role = role.then_some("arn:aws:iam::123456789012:role/execution");
        derived(json!({"containerDefinitions": [container], "executionRoleArn": role}))
    }

    #[test]
    fn a_plain_task_definition_requires_nothing() {
        let definition =
            serde_json::from_value(json!({"containerDefinitions": [{"image": "nginx"}]})).unwrap();
        assert_eq!(derive(&definition), None);
    }

    #[test]
    fn attributes_follow_from_what_a_container_uses() {
        let c = |name: &str| format!("com.amazonaws.ecs.capability.{name}");
        let e = |name: &str| format!("ecs.capability.{name}");
        let awslogs = json!({"logConfiguration": {"logDriver": "awslogs"}});
        let logs = [c("logging-driver.awslogs"), c("docker-remote-api.1.19")];
        assert_eq!(of(awslogs.clone(), false), logs);
        assert_eq!(of(awslogs, true), [&logs[..], &[e("execution-role-awslogs")]].concat());
        assert_eq!(
            of(json!({"logConfiguration": {"logDriver": "json-file"}}), true),
            [c("logging-driver.json-file")]
        );
        assert_eq!(of(json!({"image": ECR}), false), [c("ecr-auth")]);
        assert_eq!(of(json!({"image": ECR}), true), [c("ecr-auth"), e("execution-role-ecr-pull")]);
        assert_eq!(of(json!({"image": "nginx@sha256:0"}), false), [c("docker-remote-api.1.21")]);
        assert_eq!(of(json!({"memoryReservation": 64}), false), [c("docker-remote-api.1.21")]);
        assert_eq!(
            of(json!({"healthCheck": {"command": ["CMD", "true"]}}), false),
            [e("container-health-check"), c("docker-remote-api.1.29")]
        );
        for member in [
            json!({"startTimeout": 2}),
            json!({"stopTimeout": 2}),
            json!({"dependsOn": [{"containerName": "a", "condition": "START"}]}),
        ] {
            assert_eq!(of(member, false), [e("container-ordering")]);
        }
        let secrets = json!({"secrets": [
            {"name": "a", "valueFrom": "plain-name"},
            {"name": "b", "valueFrom": "arn:aws:ssm:eu-central-1:123456789012:parameter/b"},
            {"name": "c", "valueFrom": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:c"},
        ]});
        assert_eq!(
            of(secrets, true),
            [e("secrets.ssm.environment-variables"), e("secrets.asm.environment-variables")]
        );
    }

    #[test]
    fn attributes_follow_from_what_the_task_uses() {
        assert_eq!(
            derived(json!({"networkMode": "awsvpc"})),
            ["com.amazonaws.ecs.capability.docker-remote-api.1.18", "ecs.capability.task-eni"]
        );
        assert_eq!(derived(json!({"taskRoleArn": "arn"})), ["com.amazonaws.ecs.capability.task-iam-role"]);
        assert_eq!(
            derived(json!({"volumes": [{"name": "a", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]})),
            [
                "ecs.capability.efs",
                "ecs.capability.efsAuth",
                "com.amazonaws.ecs.capability.docker-remote-api.1.25"
            ]
        );
    }

    #[test]
    fn each_attribute_is_named_once() {
        let container = json!({"memoryReservation": 64});
        assert_eq!(derived(json!({"containerDefinitions": [container.clone(), container]})).len(), 1);
    }

    #[test]
    fn an_image_of_ecr_is_told_by_its_host() {
        assert!(is_ecr(ECR));
        assert!(is_ecr("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/app"));
        assert!(is_ecr("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app"));
        for image in
            ["nginx", "public.ecr.aws/nginx", "12345.dkr.ecr.eu.amazonaws.com/a", "x.dkr.ecr.eu.example/a"]
        {
            assert!(!is_ecr(image), "{image}");
        }
    }
}
