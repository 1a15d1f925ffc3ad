//! From a container image to a task definition, and back.

use std::collections::BTreeMap;

use super::check_role;
use crate::arn::ServiceKey;
use crate::error::EcsError;
use crate::generated as model;
use crate::model::{
    CPUArchitecture, Compatibility, ContainerDefinition, ExpressCpuArchitecture, ExpressGatewayContainer,
    ExpressGatewayRepositoryCredentials, ExpressGatewayServiceAwsLogsConfiguration, LogConfiguration,
    LogDriver, NetworkMode, OSFamily, PortMapping, RegisterTaskDefinitionRequest, RepositoryCredentials,
    RuntimePlatform, TransportProtocol,
};

/// The name of the container that gets the traffic. (API model, `taskDefinitionArn`)
pub const MAIN: &str = "Main";

/// CPU units and MiB, if nobody says. (API model)
const DEFAULT_SIZE: (&str, &str) = ("256", "512");
/// The container's port, if nobody says. (API model)
const DEFAULT_PORT: i32 = 80;
/// `logStreamPrefix`, if nobody says. (API model)
const DEFAULT_PREFIX: &str = "ecs";

/// What a task definition of ours is made of, as its user says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// `primaryContainer`
    pub container: Option<ExpressGatewayContainer>,
    /// `executionRoleArn`
    pub execution_role: Option<String>,
    /// `taskRoleArn`
    pub task_role: Option<String>,
    /// `cpu`
    pub cpu: Option<String>,
    /// `memory`
    pub memory: Option<String>,
    /// `cpuArchitecture`
    pub architecture: Option<ExpressCpuArchitecture>,
}

/// The family of the task definitions that are made for a service. Of names that are too long together the end is
/// cut off: a family may well be shared, as each revision is one service's.
pub fn family(service: &ServiceKey) -> String {
    let mut family = format!("{}-{}", service.cluster.name, service.name);
    family.truncate(255);
    family
}

impl Wanted {
    /// The first member that is given, by its name in the API.
    pub fn first_given(&self) -> Option<&'static str> {
        [
            ("primaryContainer", self.container.is_some()),
            ("executionRoleArn", self.execution_role.is_some()),
            ("taskRoleArn", self.task_role.is_some()),
            ("cpu", self.cpu.is_some()),
            ("memory", self.memory.is_some()),
            ("cpuArchitecture", self.architecture.is_some()),
        ]
        .into_iter()
        .find_map(|(member, given)| given.then_some(member))
    }

    /// What `self` doesn't say, as `before` has it.
    #[must_use]
    pub fn or(self, before: Self) -> Self {
        Self {
            container: self.container.or(before.container),
            execution_role: self.execution_role.or(before.execution_role),
            task_role: self.task_role.or(before.task_role),
            cpu: self.cpu.or(before.cpu),
            memory: self.memory.or(before.memory),
            architecture: self.architecture.or(before.architecture),
        }
    }

    /// What a task definition with a container [`MAIN`] comes to.
    pub fn read(definition: &model::TaskDefinition) -> Self {
        let containers = definition.container_definitions.as_deref().unwrap_or_default();
        let main = containers.iter().find(|container| container.name.as_deref() == Some(MAIN));
        let platform = definition.runtime_platform.as_ref();
        Self {
            container: main.map(read_container),
            execution_role: definition.execution_role_arn.clone(),
            task_role: definition.task_role_arn.clone(),
            cpu: definition.cpu.clone(),
            memory: definition.memory.clone(),
            architecture: platform.and_then(|platform| platform.cpu_architecture).map(|architecture| {
                match architecture {
                    CPUArchitecture::X86_64 => ExpressCpuArchitecture::X86_64,
                    CPUArchitecture::Arm64 => ExpressCpuArchitecture::Arm64,
                }
            }),
        }
    }

    /// The registration of the task definition for `service`. Cpu, memory and what else every registration has are
    /// left to its own checks.
    ///
    /// # Errors
    /// `InvalidParameterException` that names the member that is missing or wrong.
    pub fn registration(self, service: &ServiceKey) -> Result<RegisterTaskDefinitionRequest, EcsError> {
        let missing = |member| EcsError::invalid_parameter(format!("{member} is required."));
        let container = self.container.ok_or_else(|| missing("primaryContainer"))?;
        let execution_role = self.execution_role.ok_or_else(|| missing("executionRoleArn"))?;
        check_role("executionRoleArn", &execution_role)?;
        if let Some(role) = &self.task_role {
            check_role("taskRoleArn", role)?;
        }
        let architecture = match self.architecture.unwrap_or(ExpressCpuArchitecture::X86_64) {
            ExpressCpuArchitecture::X86_64 => CPUArchitecture::X86_64,
            ExpressCpuArchitecture::Arm64 => CPUArchitecture::Arm64,
        };
        Ok(RegisterTaskDefinitionRequest {
            family: family(service),
            task_role_arn: self.task_role,
            execution_role_arn: Some(execution_role),
            network_mode: Some(NetworkMode::Awsvpc),
            requires_compatibilities: Some(vec![Compatibility::Fargate]),
            runtime_platform: Some(RuntimePlatform {
                cpu_architecture: Some(architecture),
                operating_system_family: Some(OSFamily::Linux),
            }),
            cpu: Some(self.cpu.unwrap_or_else(|| DEFAULT_SIZE.0.to_owned())),
            memory: Some(self.memory.unwrap_or_else(|| DEFAULT_SIZE.1.to_owned())),
            container_definitions: vec![define(container, service)?],
            ..Default::default()
        })
    }
}

fn define(given: ExpressGatewayContainer, service: &ServiceKey) -> Result<ContainerDefinition, EcsError> {
    let refuse = |message: &str| Err(EcsError::invalid_parameter(message));
    if given.image.trim().is_empty() {
        return refuse("primaryContainer.image can not be blank.");
    }
    let port = given.container_port.unwrap_or(DEFAULT_PORT);
    if !(1..=65535).contains(&port) {
        return refuse("primaryContainer.containerPort must be between 1 and 65535.");
    }
    let (group, prefix) = match given.aws_logs_configuration {
        Some(logs) => (logs.log_group, logs.log_stream_prefix),
        // The service's own log group; nothing but this name is kept of it.
        None => (format!("/aws/ecs/{}/{}", service.cluster.name, service.name), DEFAULT_PREFIX.to_owned()),
    };
    if group.is_empty() || prefix.is_empty() {
        return refuse("primaryContainer.awsLogsConfiguration needs a logGroup and a logStreamPrefix.");
    }
    let credentials = given.repository_credentials.and_then(|credentials| credentials.credentials_parameter);
    let options = BTreeMap::from([
        ("awslogs-group".to_owned(), group),
        ("awslogs-region".to_owned(), service.cluster.scope.region().to_owned()),
        ("awslogs-stream-prefix".to_owned(), prefix),
    ]);
    Ok(ContainerDefinition {
        name: Some(MAIN.to_owned()),
        image: Some(given.image),
        essential: Some(true),
        repository_credentials: credentials
            .map(|credentials_parameter| RepositoryCredentials { credentials_parameter }),
        port_mappings: Some(vec![PortMapping {
            container_port: Some(port),
            protocol: Some(TransportProtocol::Tcp),
            name: Some(format!("main-{port}-tcp")),
            ..Default::default()
        }]),
        command: given.command,
        environment: given.environment,
        secrets: given.secrets,
        log_configuration: Some(LogConfiguration {
            log_driver: LogDriver::Awslogs,
            options: Some(options),
            secret_options: None,
        }),
        ..Default::default()
    })
}

fn read_container(main: &ContainerDefinition) -> ExpressGatewayContainer {
    let logs = main.log_configuration.as_ref().filter(|logs| logs.log_driver == LogDriver::Awslogs);
    let option = |name: &str| logs?.options.as_ref()?.get(name).cloned();
    let filled = |list: Option<&Vec<String>>| list.filter(|list| !list.is_empty()).cloned();
    ExpressGatewayContainer {
        image: main.image.clone().unwrap_or_default(),
        container_port: main.port_mappings.iter().flatten().find_map(|mapping| mapping.container_port),
        aws_logs_configuration: option("awslogs-group").map(|log_group| {
            ExpressGatewayServiceAwsLogsConfiguration {
                log_group,
                log_stream_prefix: option("awslogs-stream-prefix").unwrap_or_default(),
            }
        }),
        repository_credentials: main.repository_credentials.as_ref().map(|credentials| {
            ExpressGatewayRepositoryCredentials {
                credentials_parameter: Some(credentials.credentials_parameter.clone()),
            }
        }),
        command: filled(main.command.as_ref()),
        environment: main.environment.clone().filter(|list| !list.is_empty()),
        secrets: main.secrets.clone().filter(|list| !list.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Scope;
    use crate::arn::{cluster_ref, service_ref};
    use crate::task_definition::Registration;

    fn service() -> ServiceKey {
        let cluster = cluster_ref(&Scope::new("123456789012", "eu-central-1"), Some("main")).unwrap();
        service_ref(&cluster, "web").unwrap().unwrap()
    }

    fn wanted(container: serde_json::Value) -> Wanted {
        Wanted {
            container: Some(serde_json::from_value(container).unwrap()),
            execution_role: Some("arn:aws:iam::123456789012:role/exec".to_owned()),
            ..Wanted::default()
        }
    }

    #[test]
    fn an_image_is_enough_and_registers() {
        let request = wanted(json!({"image": "nginx"})).registration(&service()).unwrap();
        let made = Registration::new(request).unwrap();
        assert_eq!(made.family.as_str(), "main-web");
        let read = Wanted::read(&made.definition);
        assert_eq!((read.cpu.as_deref(), read.memory.as_deref()), (Some("256"), Some("512")));
        assert_eq!(read.architecture, Some(ExpressCpuArchitecture::X86_64));
        assert_eq!(
            serde_json::to_value(read.container).unwrap(),
            json!({
                "image": "nginx", "containerPort": 80,
                "awsLogsConfiguration": {"logGroup": "/aws/ecs/main/web", "logStreamPrefix": "ecs"},
            })
        );
        crate::service::express::check_definition(&made.definition).unwrap();
    }

    #[test]
    fn what_is_said_of_the_container_is_read_back() {
        let said = json!({
            "image": "nginx", "containerPort": 8080,
            "awsLogsConfiguration": {"logGroup": "g", "logStreamPrefix": "p"},
            "repositoryCredentials": {"credentialsParameter": "arn:aws:secretsmanager:eu-central-1:1:secret:x"},
            "command": ["serve"], "environment": [{"name": "A", "value": "1"}],
            "secrets": [{"name": "B", "valueFrom": "arn:aws:ssm:eu-central-1:1:parameter/b"}],
        });
        let mut given = wanted(said.clone());
        given.architecture = Some(ExpressCpuArchitecture::Arm64);
        given.task_role = Some("arn:aws:iam::123456789012:role/task".to_owned());
        let made = Registration::new(given.clone().registration(&service()).unwrap()).unwrap();
        let read = Wanted::read(&made.definition);
        assert_eq!(serde_json::to_value(&read.container).unwrap(), said);
        assert_eq!(read.task_role, given.task_role);
        assert_eq!(read.architecture, given.architecture);
        let again = Registration::new(read.registration(&service()).unwrap()).unwrap();
        assert_eq!(again, made, "what is read back comes to the same task definition");
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let refused = |wanted: Wanted| wanted.registration(&service()).unwrap_err().message;
        assert_eq!(refused(Wanted::default()), "primaryContainer is required.");
        let no_role = Wanted { execution_role: None, ..wanted(json!({"image": "nginx"})) };
        assert_eq!(refused(no_role), "executionRoleArn is required.");
        for (container, word) in [
            (json!({"image": " "}), "image"),
            (json!({"image": "nginx", "containerPort": 0}), "containerPort"),
            (json!({"image": "nginx", "containerPort": 65536}), "containerPort"),
            (
                json!({"image": "nginx", "awsLogsConfiguration": {"logGroup": "", "logStreamPrefix": "x"}}),
                "awsLogsConfiguration",
            ),
        ] {
            assert!(refused(wanted(container.clone())).contains(word), "{container}");
        }
        assert_eq!(wanted(json!({"image": "x"})).first_given(), Some("primaryContainer"));
        assert_eq!(Wanted::default().first_given(), None);
    }
}
