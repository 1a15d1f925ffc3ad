//! Sample entities with documents as large as real ones. Small builders: change what a test is about on the result.

use kecs_domain::arn::{
    ClusterKey, ServiceDeploymentKey, ServiceKey, ServiceRevisionKey, TaskDefinitionKey, TaskKey,
};
use kecs_domain::cluster::{Cluster, ClusterSpec, ClusterStatus};
use kecs_domain::idempotency::{TokenKey, TokenRecord};
use kecs_domain::model;
use kecs_domain::model::{LaunchType, SchedulingStrategy, ServiceDeploymentStatus};
use kecs_domain::name::{ClusterName, DeploymentId, FamilyName, HexId, ServiceName};
use kecs_domain::service::{Service, ServiceDeployment, ServiceRevision, ServiceStatus};
use kecs_domain::task::{DesiredStatus, LaunchSettings, ServiceMembership, Task, TaskStatus};
use kecs_domain::task_definition::{TaskDefinition, TaskDefinitionFamily, TaskDefinitionState};
use kecs_domain::{Doc, Scope, Timestamp};
use serde_json::{Value, json};

/// When every sample was made, in milliseconds.
pub const CREATED_AT: i64 = 1_731_234_567_123;

/// `seconds` after the samples were made.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(CREATED_AT + seconds * 1000)
}

fn seconds(time: Timestamp) -> Value {
    json!(time)
}

fn read<T: serde::de::DeserializeOwned>(document: Value) -> T {
    serde_json::from_value(document).expect("a sample is a document of the model")
}

/// The scope of every sample.
pub fn scope() -> Scope {
    Scope::new("123456789012", "eu-central-1")
}

/// The key of a cluster. Panics if `name` is illegal, as everything here does.
pub fn cluster_key(name: &str) -> ClusterKey {
    ClusterKey::new(scope(), ClusterName::parse(name).expect("a legal name"))
}

/// The key of a service.
pub fn service_key(cluster: &ClusterKey, name: &str) -> ServiceKey {
    ServiceKey { cluster: cluster.clone(), name: ServiceName::parse(name).expect("a legal name") }
}

/// A family's name.
pub fn family_name(name: &str) -> FamilyName {
    FamilyName::parse(name).expect("a legal name")
}

/// The key of a revision.
pub fn definition_key(family: &str, revision: i32) -> TaskDefinitionKey {
    TaskDefinitionKey { scope: scope(), family: family_name(family), revision }
}

/// The key of a task.
pub fn task_key(cluster: &ClusterKey, id: u128) -> TaskKey {
    TaskKey { cluster: cluster.clone(), id: HexId::from_bits(id) }
}

/// An ACTIVE cluster.
pub fn cluster(name: &str) -> Cluster {
    let settings = vec![read(json!({"name": "containerInsights", "value": "disabled"}))];
    Cluster {
        key: cluster_key(name),
        status: ClusterStatus::Active,
        settings: ClusterSpec {
            settings,
            capacity_providers: vec!["FARGATE".into(), "FARGATE_SPOT".into()],
            ..ClusterSpec::default()
        },
        tags: vec![read(json!({"key": "team", "value": "payments"}))],
    }
}

/// A family whose newest revision is `last_revision`.
pub fn family(name: &str, last_revision: i32) -> TaskDefinitionFamily {
    TaskDefinitionFamily { scope: scope(), family: family_name(name), last_revision }
}

/// An ACTIVE revision with one container.
pub fn task_definition(family: &str, revision: i32) -> TaskDefinition {
    let key = definition_key(family, revision);
    let document = json!({
        "taskDefinitionArn": key.arn(),
        "family": family,
        "revision": revision,
        "status": "ACTIVE",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "compatibilities": ["EC2", "FARGATE"],
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
        "containerDefinitions": [{
            "name": "app",
            "image": "public.ecr.aws/nginx/nginx:1.27",
            "cpu": 0,
            "essential": true,
            "portMappings": [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}],
            "environment": [{"name": "STAGE", "value": "production"}, {"name": "LOG_LEVEL", "value": "info"}],
            "mountPoints": [],
            "volumesFrom": [],
            "healthCheck": {
                "command": ["CMD-SHELL", "curl -f http://localhost:8080/healthz || exit 1"],
                "interval": 30, "timeout": 5, "retries": 3
            },
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": format!("/ecs/{family}"),
                    "awslogs-region": "eu-central-1",
                    "awslogs-stream-prefix": "ecs"
                }
            }
        }],
        "volumes": [],
        "placementConstraints": [],
        "registeredAt": seconds(at(0)),
        "registeredBy": "arn:aws:iam::123456789012:user/deploy"
    });
    TaskDefinition {
        key,
        state: TaskDefinitionState::Active,
        doc: Doc::new(read(document)),
        tags: Vec::new(),
    }
}

/// A RUNNING task of family `web` on Fargate. Its document has about 1.5 kB.
pub fn task(cluster: &ClusterKey, id: u128) -> Task {
    let key = task_key(cluster, id);
    let definition = definition_key("web", 1);
    let uuid = format!("{:08x}-0000-4000-8000-{:012x}", (id >> 96) as u32, id & 0xffff_ffff_ffff);
    let address = format!("10.0.{}.{}", id >> 8 & 255, id & 255);
    let document = json!({
        "taskArn": key.arn(),
        "clusterArn": cluster.arn(),
        "taskDefinitionArn": definition.arn(),
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "availabilityZone": "eu-central-1a",
        "connectivity": "CONNECTED",
        "connectivityAt": seconds(at(7)),
        "cpu": "256",
        "memory": "512",
        "ephemeralStorage": {"sizeInGiB": 20},
        "group": "family:web",
        "startedBy": "deploy",
        "enableExecuteCommand": false,
        "healthStatus": "UNKNOWN",
        "createdAt": seconds(at(0)),
        "pullStartedAt": seconds(at(8)),
        "pullStoppedAt": seconds(at(9)),
        "startedAt": seconds(at(10)),
        "version": 4,
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "attachments": [{
            "id": uuid,
            "type": "ElasticNetworkInterface",
            "status": "ATTACHED",
            "details": [
                {"name": "subnetId", "value": "subnet-0123456789abcdef0"},
                {"name": "networkInterfaceId", "value": format!("eni-{:017x}", id & 0xffff_ffff)},
                {"name": "macAddress", "value": "0a:58:0a:00:00:01"},
                {"name": "privateIPv4Address", "value": address}
            ]
        }],
        "containers": [{
            "containerArn": key.container_arn(&uuid),
            "taskArn": key.arn(),
            "name": "app",
            "image": "public.ecr.aws/nginx/nginx:1.27",
            "imageDigest": "sha256:6af79ae5de407283dcea8b00d5c37ace95441fd58a8b1d2aa1ed93f5511bb18c",
            "runtimeId": format!("{id:032x}-1234567890"),
            "lastStatus": "RUNNING",
            "networkBindings": [],
            "networkInterfaces": [{"attachmentId": uuid, "privateIpv4Address": address}],
            "healthStatus": "UNKNOWN",
            "cpu": "0"
        }],
        "overrides": {"containerOverrides": [{"name": "app"}], "inferenceAcceleratorOverrides": []}
    });
    Task {
        key,
        doc: Doc::new(read(document)),
        tags: Vec::new(),
        status: TaskStatus::Running,
        desired: DesiredStatus::Running,
        definition,
        service: None,
        daemon: None,
        instance: None,
        launch: std::sync::Arc::new(LaunchSettings::default()),
        protected_until: None,
        accepted: true,
        accounted: false,
        by_agent: false,
    }
}

/// The task, in another `lastStatus`.
pub fn with_status(mut task: Task, status: TaskStatus) -> Task {
    task.status = status;
    task.doc.make_mut().last_status = Some(status.as_str().to_owned());
    task
}

/// The task, STOPPED (and asked to be so) at `time`.
pub fn stopped(task: Task, time: Timestamp) -> Task {
    let mut task = with_status(task, TaskStatus::Stopped);
    task.desired = DesiredStatus::Stopped;
    let doc = task.doc.make_mut();
    doc.desired_status = Some("STOPPED".to_owned());
    doc.stopped_at = Some(time);
    doc.stopped_reason = Some("Essential container in task exited".to_owned());
    task
}

/// The task, as one that deployment `deployment` of service `service` started.
pub fn of_service(mut task: Task, service: &str, deployment: u64) -> Task {
    let deployment = DeploymentId::from_random(deployment);
    let name = ServiceName::parse(service).expect("a legal name");
    let doc = task.doc.make_mut();
    doc.group = Some(format!("service:{name}"));
    doc.started_by = Some(deployment.to_string());
    task.service = Some(ServiceMembership { name, deployment });
    task
}

/// The task, with another launch type.
pub fn launched_on(mut task: Task, launch_type: Option<LaunchType>) -> Task {
    task.doc.make_mut().launch_type = launch_type;
    task
}

/// An ACTIVE service of family `web` on Fargate that wants two tasks.
pub fn service(cluster: &ClusterKey, name: &str) -> Service {
    let key = service_key(cluster, name);
    let document = json!({
        "serviceArn": key.arn(),
        "serviceName": name,
        "clusterArn": cluster.arn(),
        "desiredCount": 2,
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "taskDefinition": definition_key("web", 1).arn(),
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": true, "rollback": true},
            "maximumPercent": 200,
            "minimumHealthyPercent": 100
        },
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"],
            "securityGroups": ["sg-0123456789abcdef0"],
            "assignPublicIp": "DISABLED"
        }},
        "healthCheckGracePeriodSeconds": 0,
        "enableECSManagedTags": true,
        "propagateTags": "NONE",
        "enableExecuteCommand": false,
        "createdAt": seconds(at(0)),
        "createdBy": "arn:aws:iam::123456789012:user/deploy"
    });
    Service::new(key, read(document), Default::default(), Vec::new())
}

/// The service, in another state of its life.
pub fn with_service_status(mut service: Service, status: ServiceStatus) -> Service {
    service.status = status;
    service
}

/// The service, with what lists filter by.
pub fn scheduled(
    mut service: Service,
    launch_type: Option<LaunchType>,
    strategy: SchedulingStrategy,
) -> Service {
    service.spec.launch_type = launch_type;
    service.spec.scheduling_strategy = Some(strategy);
    service
}

/// A service deployment that was made at `created_at`.
pub fn service_deployment(
    service: &ServiceKey,
    id: &str,
    created_at: Timestamp,
    status: ServiceDeploymentStatus,
) -> ServiceDeployment {
    let key = ServiceDeploymentKey { service: service.clone(), id: id.to_owned() };
    let target = DeploymentId::from_random(1);
    let document = json!({
        "serviceDeploymentArn": key.arn(),
        "serviceArn": service.arn(),
        "clusterArn": service.cluster.arn(),
        "createdAt": seconds(created_at),
        "startedAt": seconds(created_at),
        "updatedAt": seconds(created_at),
        "sourceServiceRevisions": [],
        "targetServiceRevision": {
            "arn": ServiceRevisionKey { service: service.clone(), id: target }.arn(),
            "requestedTaskCount": 2, "runningTaskCount": 0, "pendingTaskCount": 2
        },
        "status": status.as_str(),
        "deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100}
    });
    ServiceDeployment { key, target, doc: Doc::new(read(document)) }
}

/// Revision `id` of a service.
pub fn service_revision(of: &ServiceKey, id: u64) -> ServiceRevision {
    let key = ServiceRevisionKey { service: of.clone(), id: DeploymentId::from_random(id) };
    let document = json!({
        "serviceRevisionArn": key.arn(),
        "serviceArn": of.arn(),
        "clusterArn": of.cluster.arn(),
        "taskDefinition": definition_key("web", 1).arn(),
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "createdAt": seconds(at(0))
    });
    let doc: model::ServiceRevision = read(document);
    let spec = service(&of.cluster, of.name.as_str()).spec;
    ServiceRevision { key, doc: Doc::new(doc), spec, extras: Default::default() }
}

/// A token that was used at `created_at`.
pub fn token(cluster: &ClusterKey, operation: &str, token: &str, created_at: Timestamp) -> TokenRecord {
    TokenRecord {
        key: TokenKey { cluster: cluster.clone(), operation: operation.to_owned(), token: token.to_owned() },
        fingerprint: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        resources: vec![task_key(cluster, 1).arn()],
        failures: String::new(),
        created_at,
    }
}
