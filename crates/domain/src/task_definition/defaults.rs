//! What ECS fills in when a task definition is registered. All else reads back as it was sent: Terraform and other
//! tools replace a resource on every difference.

use super::sizes;
use crate::generated as model;
use crate::model::{ContainerDefinition, NetworkMode, PortMapping, TransportProtocol};

/// The registration as it reads back, but for what its revision adds (ARN, revision, status, time and caller) and
/// what is derived from it (compatibilities, attributes).
pub(super) fn fill_in(request: model::RegisterTaskDefinitionRequest) -> model::TaskDefinition {
    let network = request.network_mode.unwrap_or(NetworkMode::Bridge);
    let mut containers = request.container_definitions;
    for container in &mut containers {
        fill_in_container(container, network);
    }
    let mut volumes = request.volumes.unwrap_or_default();
    for efs in volumes.iter_mut().filter_map(|volume| volume.efs_volume_configuration.as_mut()) {
        efs.root_directory.get_or_insert_with(|| "/".to_owned());
    }
    model::TaskDefinition {
        container_definitions: Some(containers),
        family: Some(request.family),
        task_role_arn: request.task_role_arn.filter(|role| !role.is_empty()),
        execution_role_arn: request.execution_role_arn.filter(|role| !role.is_empty()),
        network_mode: request.network_mode,
        volumes: Some(volumes),
        placement_constraints: Some(request.placement_constraints.unwrap_or_default()),
        runtime_platform: request.runtime_platform,
        requires_compatibilities: request.requires_compatibilities,
        cpu: request.cpu.map(|cpu| normal(cpu, sizes::parse_cpu)),
        memory: request.memory.map(|memory| normal(memory, sizes::parse_memory)),
        inference_accelerators: request.inference_accelerators,
        pid_mode: request.pid_mode,
        ipc_mode: request.ipc_mode,
        proxy_configuration: request.proxy_configuration,
        ephemeral_storage: request.ephemeral_storage,
        enable_fault_injection: request.enable_fault_injection,
        trusted_execution_configuration: request.trusted_execution_configuration,
        ..model::TaskDefinition::default()
    }
}

/// `0.25 vCPU` reads back as `256`.
fn normal(text: String, parse: fn(&str) -> Option<i32>) -> String {
    parse(&text).map_or(text, |number| number.to_string())
}

fn fill_in_container(container: &mut ContainerDefinition, network: NetworkMode) {
    container.cpu.get_or_insert(0);
    container.essential.get_or_insert(true);
    container.environment.get_or_insert_default();
    container.mount_points.get_or_insert_default();
    container.volumes_from.get_or_insert_default();
    container.system_controls.get_or_insert_default();
    for mapping in container.port_mappings.get_or_insert_default() {
        fill_in_mapping(mapping, network);
    }
}

fn fill_in_mapping(mapping: &mut PortMapping, network: NetworkMode) {
    mapping.protocol.get_or_insert(TransportProtocol::Tcp);
    if mapping.container_port_range.is_some() {
        // A range has no host port: it is found when the task starts.
        return;
    }
    if mapping.host_port.is_none() {
        mapping.host_port = match network {
            NetworkMode::Awsvpc | NetworkMode::Host => mapping.container_port,
            NetworkMode::Bridge | NetworkMode::None => Some(0),
        };
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read_back(request: Value) -> Value {
        serde_json::to_value(fill_in(serde_json::from_value(request).unwrap())).unwrap()
    }

    #[test]
    fn the_least_that_can_be_registered_reads_back_with_these_defaults() {
        let request = json!({
            "family": "web",
            "taskRoleArn": "",
            "containerDefinitions": [{"name": "app", "image": "nginx", "portMappings": [{"containerPort": 80}]}],
        });
        assert_eq!(
            read_back(request),
            json!({
                "family": "web",
                "containerDefinitions": [{
                    "name": "app",
                    "image": "nginx",
                    "cpu": 0,
                    "essential": true,
                    "environment": [],
                    "mountPoints": [],
                    "volumesFrom": [],
                    "systemControls": [],
                    "portMappings": [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}],
                }],
                "volumes": [],
                "placementConstraints": [],
            })
        );
    }

    #[test]
    fn the_host_port_is_the_container_port_where_the_network_is_the_task_s_or_the_host_s() {
        for (mode, host_port) in [("awsvpc", 80), ("host", 80), ("bridge", 0)] {
            let read = read_back(json!({
                "family": "web",
                "networkMode": mode,
                "containerDefinitions": [{"portMappings": [
                    {"containerPort": 80, "protocol": "udp"}, {"containerPortRange": "90-99"},
                ]}],
            }));
            let mappings = &read["containerDefinitions"][0]["portMappings"];
            assert_eq!(mappings[0], json!({"containerPort": 80, "hostPort": host_port, "protocol": "udp"}));
            assert_eq!(mappings[1], json!({"containerPortRange": "90-99", "protocol": "tcp"}));
            assert_eq!(read["networkMode"], mode);
        }
    }

    #[test]
    fn a_file_system_is_mounted_at_its_root_unless_told_otherwise() {
        let volume = |efs: Value| json!({"name": "data", "efsVolumeConfiguration": efs});
        let read = read_back(json!({
            "family": "web",
            "containerDefinitions": [],
            "volumes": [
                volume(json!({"fileSystemId": "fs-1"})),
                volume(json!({"fileSystemId": "fs-1", "rootDirectory": "/logs"})),
            ],
        }));
        let root = |at: usize| &read["volumes"][at]["efsVolumeConfiguration"]["rootDirectory"];
        assert_eq!((root(0), root(1)), (&json!("/"), &json!("/logs")));
    }

    #[test]
    fn sizes_read_back_in_units() {
        let read = read_back(json!({
            "family": "web", "cpu": "0.25 vCPU", "memory": "0.5 GB", "containerDefinitions": [],
        }));
        assert_eq!((&read["cpu"], &read["memory"]), (&json!("256"), &json!("512")));
    }

    /// Every member that a registration can have, set, must come back: a new model member that is forgotten in
    /// [`fill_in`] would be lost for good.
    #[test]
    fn all_that_is_sent_comes_back() {
        let sent = json!({
            "family": "all",
            "taskRoleArn": "arn:aws:iam::123456789012:role/task",
            "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
            "networkMode": "awsvpc",
            "containerDefinitions": [{
                "name": "app", "image": "nginx", "cpu": 10, "memory": 64, "essential": false,
                "environment": [{"name": "b", "value": "2"}, {"name": "a", "value": "1"}],
                "mountPoints": [], "volumesFrom": [], "systemControls": [], "portMappings": [],
                "dockerLabels": {"x": "y"}, "versionConsistency": "disabled",
            }],
            "volumes": [{"name": "data", "host": {}}],
            "placementConstraints": [{"type": "memberOf", "expression": "attribute:a exists"}],
            "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
            "requiresCompatibilities": ["EC2"],
            "cpu": "256",
            "memory": "512",
            "inferenceAccelerators": [{"deviceName": "a", "deviceType": "b"}],
            "pidMode": "task",
            "ipcMode": "task",
            "proxyConfiguration": {"type": "APPMESH", "containerName": "app", "properties": []},
            "ephemeralStorage": {"sizeInGiB": 30},
            "enableFaultInjection": true,
            "trustedExecutionConfiguration": {"isolationMode": "SHARED"},
        });
        assert_eq!(read_back(sent.clone()), sent);
        let mut members: Vec<_> = sent.as_object().unwrap().keys().cloned().collect();
        members.push("tags".to_owned());
        let known = model::RegisterTaskDefinitionRequest {
            task_role_arn: Some(String::new()),
            tags: Some(Vec::new()),
            ..serde_json::from_value(sent).unwrap()
        };
        let known = serde_json::to_value(known).unwrap();
        members.sort();
        let mut all: Vec<_> = known.as_object().unwrap().keys().cloned().collect();
        all.sort();
        assert_eq!(all, members);
    }
}
