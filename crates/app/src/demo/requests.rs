//! What the demonstration asks for.

use std::collections::BTreeMap;

use kecs_domain::model;

use super::{CLUSTER, SERVICE, TASKS};

pub(super) fn cluster() -> model::CreateClusterRequest {
    model::CreateClusterRequest { cluster_name: Some(CLUSTER.into()), ..Default::default() }
}

/// A web server. The labels only mean something in the simulation: they make it take as long as a real one, so that
/// there is something to see.
pub(super) fn task_definition(image: &str, version: &str) -> model::RegisterTaskDefinitionRequest {
    let labels = [
        ("pull-delay", "700ms"),
        ("start-delay", "500ms"),
        ("stop-delay", "300ms"),
        ("log", "GET / 200"),
        ("log-every", "5s"),
    ]
    .map(|(name, value)| (format!("kecs.dev/sim.{name}"), value.to_owned()));
    let container = model::ContainerDefinition {
        name: Some("nginx".into()),
        image: Some(image.to_owned()),
        cpu: Some(128),
        memory: Some(128),
        port_mappings: Some(vec![model::PortMapping { container_port: Some(80), ..Default::default() }]),
        environment: Some(vec![model::KeyValuePair {
            name: Some("VERSION".into()),
            value: Some(version.to_owned()),
        }]),
        docker_labels: Some(BTreeMap::from(labels)),
        ..Default::default()
    };
    model::RegisterTaskDefinitionRequest {
        family: SERVICE.into(),
        container_definitions: vec![container],
        ..Default::default()
    }
}

pub(super) fn service(definition: &str) -> model::CreateServiceRequest {
    model::CreateServiceRequest {
        cluster: Some(CLUSTER.into()),
        service_name: SERVICE.into(),
        task_definition: Some(definition.to_owned()),
        desired_count: Some(TASKS),
        ..Default::default()
    }
}

pub(super) fn update(definition: &str) -> model::UpdateServiceRequest {
    model::UpdateServiceRequest {
        cluster: Some(CLUSTER.into()),
        service: SERVICE.into(),
        task_definition: Some(definition.to_owned()),
        desired_count: Some(TASKS),
        ..Default::default()
    }
}

pub(super) fn delete_service() -> model::DeleteServiceRequest {
    model::DeleteServiceRequest { cluster: Some(CLUSTER.into()), service: SERVICE.into(), force: Some(true) }
}

pub(super) fn list_tasks() -> model::ListTasksRequest {
    model::ListTasksRequest { cluster: Some(CLUSTER.into()), ..Default::default() }
}

pub(super) fn stop_task(task: &str) -> model::StopTaskRequest {
    model::StopTaskRequest { cluster: Some(CLUSTER.into()), task: task.to_owned(), ..Default::default() }
}

pub(super) fn delete_cluster() -> model::DeleteClusterRequest {
    model::DeleteClusterRequest { cluster: CLUSTER.into() }
}

pub(super) fn describe() -> model::DescribeServicesRequest {
    model::DescribeServicesRequest {
        cluster: Some(CLUSTER.into()),
        services: vec![SERVICE.into()],
        ..Default::default()
    }
}
