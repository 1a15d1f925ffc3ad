//! `requiresAttributes`: the capabilities that an instance must have to run a task definition.

mod order;

use crate::generated as model;
use crate::model::{
    Attribute, ContainerDefinition, FirelensConfigurationType, LogConfiguration, LogDriver, NetworkMode,
    Secret,
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
    let attributes =
        order::sorted(found.names).into_iter().map(|name| Attribute { name, ..Attribute::default() });
    let attributes: Vec<_> = attributes.collect();
    (!attributes.is_empty()).then_some(attributes)
}

fn of_container(found: &mut Found, container: &ContainerDefinition, execution_role: bool) {
    let image = container.image.as_deref().unwrap_or_default();
    if let Some(log) = &container.log_configuration {
        of_log(found, log, execution_role);
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
    if container.user.is_some() {
        found.docker(17);
    }
    let linux = container.linux_parameters.as_ref();
    if linux.is_some_and(|linux| linux.init_process_enabled == Some(true)) {
        found.docker(25);
    }
    if let Some(check) = &container.health_check {
        found.ecs("container-health-check");
        found.docker(if check.start_period.is_some() { 29 } else { 24 });
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

fn of_log(found: &mut Found, log: &LogConfiguration, execution_role: bool) {
    found.agent(&format!("logging-driver.{}", log.log_driver));
    let has = |option: &str| log.options.as_ref().is_some_and(|options| options.contains_key(option));
    if log.log_driver == LogDriver::Awslogs {
        found.docker(19);
        if execution_role {
            found.ecs("execution-role-awslogs");
        }
        if has("awslogs-create-group") {
            found.docker(29);
        }
        if has("mode") || has("max-buffer-size") {
            found.docker(28);
        }
    }
    for secret in log.secret_options.as_deref().unwrap_or_default() {
        found.ecs(&format!("secrets.{}.bootstrap.log-driver", secret_store(secret)));
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
mod tests;
