//! Ports, network modes and what depends on them.

use serde_json::{Value, json};

use super::{client_errors, ec2, fargate, passes, with};

#[test]
fn port_mappings() {
    let ports = |mappings: Value| json!({"app": {"portMappings": mappings}});
    let range = "Invalid 'containerPortRange' setting for container 'app'.";
    client_errors(
        fargate,
        &[
            (
                ports(json!([{"containerPort": 80, "hostPort": 8080}])),
                "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
            ),
            (ports(json!([{"containerPort": 0}])), "Invalid 'containerPort' setting for container 'app'."),
            (
                ports(json!([{"containerPort": 65536}])),
                "Invalid 'containerPort' setting for container 'app'.",
            ),
            (ports(json!([{}])), "Invalid 'containerPort' setting for container 'app'."),
            (
                ports(json!([{"containerPort": 80, "hostPort": -1}])),
                "Invalid 'hostPort' setting for container 'app'.",
            ),
            (
                ports(json!([{"containerPort": 80}, {"containerPort": 80}])),
                "container port is used multiple times in task",
            ),
            (
                ports(json!([{"containerPort": 85}, {"containerPortRange": "80-90"}])),
                "container port is used multiple times in task",
            ),
            (
                ports(json!([{"containerPort": 80, "name": "a"}, {"containerPort": 81, "name": "a"}])),
                "port mapping name is already used",
            ),
            (
                ports(json!([{"containerPort": 80, "name": "-a"}])),
                "Invalid port mapping name '-a' for container 'app'.",
            ),
            (
                ports(json!([{"containerPort": 80, "containerPortRange": "80-90"}])),
                "cannot specify both single port and port range",
            ),
            (ports(json!([{"containerPortRange": "90-80"}])), range),
            (ports(json!([{"containerPortRange": "0-80"}])), range),
            (ports(json!([{"containerPortRange": "80"}])), range),
        ],
    );
    let mode = |mode: &str, mappings: Value| with(ports(mappings), &json!({"networkMode": mode}));
    client_errors(
        ec2,
        &[
            (
                mode("host", json!([{"containerPort": 80, "hostPort": 81}])),
                "When networkMode=host, the host ports and container ports in port mappings must match.",
            ),
            (
                mode("host", json!([{"containerPortRange": "80-90"}])),
                "containerPortRange is not supported when networkMode=host.",
            ),
            (
                mode("none", json!([{"containerPort": 80}])),
                "Port mappings are not supported when networkMode=none.",
            ),
            (
                ports(json!([{"containerPort": 80, "hostPort": 9}, {"containerPort": 81, "hostPort": 9}])),
                "host port is used multiple times in task",
            ),
        ],
    );
    passes(
        fargate(),
        ports(json!([{"containerPort": 80, "protocol": "tcp"}, {"containerPort": 80, "protocol": "udp"}])),
    );
    passes(
        fargate(),
        ports(
            json!([{"containerPort": 80, "hostPort": 80, "name": "web_1"}, {"containerPortRange": "90-99"}]),
        ),
    );
    passes(
        ec2(),
        ports(
            json!([{"containerPort": 80}, {"containerPort": 80, "hostPort": 0}, {"containerPort": 80, "hostPort": 9}]),
        ),
    );
    passes(ec2(), mode("host", json!([{"containerPort": 80, "hostPort": 80}])));
}

#[test]
fn containers_of_one_task_share_their_ports_unless_the_network_is_bridge() {
    let containers = ["a", "b"].map(
        |name| json!({"name": name, "image": "i", "memory": 8, "portMappings": [{"containerPort": 80}]}),
    );
    let changes = json!({"containerDefinitions": containers});
    client_errors(fargate, &[(changes.clone(), "container port is used multiple times in task")]);
    passes(ec2(), changes);
}

#[test]
fn what_awsvpc_leaves_no_room_for() {
    client_errors(
        fargate,
        &[
            (json!({"app": {"links": ["side"]}}), "Links are not supported when networkMode=awsvpc."),
            (
                json!({"app": {"dnsServers": ["1.1.1.1"]}}),
                "DNS servers are not supported on container when networkMode=awsvpc.",
            ),
            (
                json!({"app": {"dnsSearchDomains": ["a.b"]}}),
                "DNS search domains are not supported on container when networkMode=awsvpc.",
            ),
            (
                json!({"app": {"extraHosts": [{"hostname": "a", "ipAddress": "1.1.1.1"}]}}),
                "Extra hosts are not supported on container when networkMode=awsvpc.",
            ),
            (
                json!({"app": {"hostname": "a"}}),
                "hostname is not supported on container when networkMode=awsvpc.",
            ),
            (
                json!({"app": {"disableNetworking": true}}),
                "Disable Networking is not supported on container when networkMode=awsvpc.",
            ),
        ],
    );
    client_errors(
        ec2,
        &[
            (
                json!({"networkMode": "host", "app": {"links": ["a"]}}),
                "Links are not supported when networkMode=host.",
            ),
            (json!({"app": {"links": ["db:db"]}}), "Invalid 'links' setting. Unknown container: 'db'."),
            (
                json!({"networkMode": "awsvpc", "requiresCompatibilities": ["EXTERNAL"]}),
                "Tasks using the External launch type do not support networkMode=awsvpc.",
            ),
            (
                json!({"requiresCompatibilities": ["MANAGED_INSTANCES"]}),
                "Managed Instances only supports network modes 'awsvpc' and 'host'.",
            ),
        ],
    );
    passes(ec2(), json!({"app": {"hostname": "a", "dnsServers": ["1.1.1.1"], "links": ["app:me"]}}));
}

#[test]
fn the_app_mesh_proxy() {
    let properties = |names: &[&str]| -> Vec<Value> {
        names.iter().map(|name| json!({"name": name, "value": "1"})).collect()
    };
    let proxy = |container: &str, names: &[&str]| json!({"proxyConfiguration": {"containerName": container, "properties": properties(names)}});
    let all = ["ProxyIngressPort", "ProxyEgressPort", "AppPorts", "IgnoredUID"];
    client_errors(
        fargate,
        &[
            (proxy("envoy", &all), "Proxy container [envoy] does not exist"),
            (proxy("app", &all[1..]), "Ingress port not found"),
            (proxy("app", &all[..1]), "Egress port not found"),
            (proxy("app", &all[..2]), "App ports not found"),
            (proxy("app", &all[..3]), "IgnoredUID or IgnoredGID not found"),
        ],
    );
    client_errors(
        ec2,
        &[(proxy("app", &all), "APPMESH proxy configuration is only supported in networkMode=awsvpc.")],
    );
    passes(fargate(), proxy("app", &all));
}

#[test]
fn trusted_executions() {
    let trusted = |mode: &str| json!({"trustedExecutionConfiguration": {"isolationMode": mode}});
    client_errors(
        ec2,
        &[
            (
                with(trusted("SHARED"), &json!({"requiresCompatibilities": ["EC2"]})),
                "trustedExecutionConfiguration is only supported on Managed Instances.",
            ),
            (
                trusted("CONFIDENTIAL_SANDBOX"),
                "attestationPolicy is required when isolationMode is CONFIDENTIAL_SANDBOX.",
            ),
        ],
    );
    passes(ec2(), trusted("ISOLATED_SANDBOX"));
}
