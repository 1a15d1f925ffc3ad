//! Something of everything in a world, so that requests hit what is there, and the ARNs of it.

use serde_json::{Value, json};

use crate::world::{ME, World};

/// The ARNs and ids of what the scene has.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) tasks: Vec<String>,
    pub(crate) exec_task: String,
    pub(crate) instances: Vec<String>,
    pub(crate) agent: String,
    pub(crate) task_set: String,
    pub(crate) deployments: Vec<String>,
    pub(crate) revisions: Vec<String>,
    pub(crate) express: String,
    pub(crate) daemon: String,
    pub(crate) daemon_deployments: Vec<String>,
    pub(crate) daemon_revisions: Vec<String>,
    pub(crate) route: String,
    pub(crate) attachment: String,
    /// A deployment that waits at its hook, and the hook.
    pub(crate) paused: [String; 2],
}

pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/tasks";

/// The network of tasks with an interface of their own.
pub(crate) fn network() -> Value {
    json!({"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}})
}

/// A managed instances provider's settings, the least there can be.
pub(crate) fn managed() -> Value {
    json!({
        "infrastructureRoleArn": ROLE,
        "instanceLaunchTemplate": {
            "ec2InstanceProfileArn": "arn:aws:iam::111122223333:instance-profile/nodes",
            "networkConfiguration": {"subnets": ["subnet-1"]},
        },
    })
}

/// What an agent says that its instance has.
pub(crate) fn resources() -> Value {
    json!([
        {"name": "CPU", "type": "INTEGER", "integerValue": 4096},
        {"name": "MEMORY", "type": "INTEGER", "integerValue": 8192},
        {"name": "PORTS", "type": "STRINGSET", "stringSetValue": ["22"]},
        {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []},
    ])
}

/// A task definition of one container with a named port.
pub(crate) fn definition(family: &str) -> Value {
    let port = json!({"containerPort": 80, "name": "http"});
    let app = json!({"name": "app", "image": "nginx", "memory": 64, "portMappings": [port]});
    json!({"family": family, "containerDefinitions": [app]})
}

/// One for Fargate, as Express services take it too.
pub(crate) fn fargate(family: &str) -> Value {
    let port = json!({"containerPort": 80, "name": "http"});
    json!({
        "family": family, "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "cpu": "256", "memory": "512", "executionRoleArn": ROLE,
        "containerDefinitions": [{"name": "Main", "image": "nginx", "portMappings": [port]}],
    })
}

/// Puts everything there is into a world.
pub(crate) fn fill(world: &World) -> Scene {
    let ok = |operation: &str, request: Value| world.ok(operation, &request);
    clusters_and_definitions(world);
    ok("CreateService", json!({"serviceName": "web", "taskDefinition": "web", "desiredCount": 2}));
    ok(
        "CreateService",
        json!({
            "serviceName": "far", "taskDefinition": "far", "desiredCount": 1, "launchType": "FARGATE",
            "networkConfiguration": network(), "gatewayConnectors": [{"portName": "http"}],
            "serviceConnectConfiguration": {"enabled": true, "namespace": "mesh"},
        }),
    );
    ok(
        "CreateService",
        json!({
            "serviceName": "daemons", "taskDefinition": "web", "schedulingStrategy": "DAEMON",
        }),
    );
    ok(
        "CreateService",
        json!({
            "serviceName": "sets", "deploymentController": {"type": "EXTERNAL"}, "desiredCount": 1,
        }),
    );
    let named = json!({"cluster": "default", "service": "sets", "taskDefinition": "web"});
    let set = ok("CreateTaskSet", named)["taskSet"]["taskSetArn"].clone();
    ok("CreateService", json!({"serviceName": "gone", "taskDefinition": "web", "desiredCount": 0}));
    ok("DeleteService", json!({"service": "gone"}));
    let express = ok(
        "CreateExpressGatewayService",
        json!({
            "serviceName": "express", "infrastructureRoleArn": ROLE, "executionRoleArn": ROLE,
            "primaryContainer": {"image": "nginx"},
        }),
    );
    ok(
        "RegisterDaemonTaskDefinition",
        json!({
            "family": "agent", "containerDefinitions": [{"name": "agent", "image": "agent", "memory": 16}],
        }),
    );
    let daemon = ok(
        "CreateDaemon",
        json!({
            "daemonName": "agent", "daemonTaskDefinitionArn": ME.arn("daemon-task-definition/agent:1"),
            "capacityProviderArns": [ME.arn("capacity-provider/managed")],
        }),
    );
    // Until its daemon runs, an instance takes nothing else.
    world.pass(20);
    let run = ok(
        "RunTask",
        json!({
            "taskDefinition": "web", "count": 3, "enableExecuteCommand": true, "launchType": "EC2",
        }),
    );
    let exec_task = run["tasks"][0]["taskArn"].clone();
    ok(
        "RunTask",
        json!({
            "taskDefinition": "far", "launchType": "FARGATE", "networkConfiguration": network(),
        }),
    );
    ok("PutAccountSetting", json!({"name": "containerInsights", "value": "enabled"}));
    let agent = ok(
        "RegisterContainerInstance",
        json!({
            "totalResources": resources(), "versionInfo": {"agentVersion": "1.50.0"},
            "attributes": [
                {"name": "ecs.capability.task-eni"},
                {"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"},
            ],
        }),
    );
    let mut own = definition("own");
    own["networkMode"] = json!("awsvpc");
    ok("RegisterTaskDefinition", own);
    let awsvpc = ok(
        "StartTask",
        json!({
            "taskDefinition": "own", "networkConfiguration": network(),
            "containerInstances": [agent["containerInstance"]["containerInstanceArn"]],
        }),
    );
    let pause = json!({"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]});
    ok(
        "CreateService",
        json!({
            "serviceName": "paused", "taskDefinition": "web", "desiredCount": 1,
            "deploymentConfiguration": {"lifecycleHooks": [pause]},
        }),
    );
    world.pass(20);
    ok("StopTask", json!({"task": run["tasks"][1]["taskArn"]}));
    let attribute = json!({"name": "stack", "value": "blue", "targetType": "container-instance"});
    let instances = texts(&ok("ListContainerInstances", json!({})), "/containerInstanceArns");
    let mut targeted = attribute;
    targeted["targetId"] = json!(instances[0]);
    ok("PutAttributes", json!({"attributes": [targeted]}));
    let deployments = ok("ListServiceDeployments", json!({"service": "web"}));
    let daemons = ok("ListDaemonDeployments", json!({"daemonArn": daemon["daemonArn"]}));
    let waiting = ok("ListServiceDeployments", json!({"service": "paused"}));
    let waiting = text(&waiting["serviceDeployments"][0]["serviceDeploymentArn"]);
    let shown = ok("DescribeServiceDeployments", json!({"serviceDeploymentArns": [waiting]}));
    let hook = text(&shown["serviceDeployments"][0]["lifecycleHookDetails"][0]["hookId"]);
    let routes = ok("ListGatewayRoutes", json!({"gateway": "front"}));
    let each = |of: &Value, list: &str, member: &str| {
        of[list]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one[member].as_str().map(str::to_owned))
            .collect()
    };
    Scene {
        tasks: texts(&ok("ListTasks", json!({})), "/taskArns"),
        exec_task: text(&exec_task),
        instances,
        agent: text(&agent["containerInstance"]["containerInstanceArn"]),
        task_set: text(&set),
        deployments: each(&deployments, "serviceDeployments", "serviceDeploymentArn"),
        revisions: each(&deployments, "serviceDeployments", "targetServiceRevisionArn"),
        express: text(&express["service"]["serviceArn"]),
        daemon: text(&daemon["daemonArn"]),
        daemon_deployments: each(&daemons, "daemonDeployments", "daemonDeploymentArn"),
        daemon_revisions: each(&daemons, "daemonDeployments", "targetDaemonRevisionArn"),
        route: text(&routes["gatewayRoutes"][0]["gatewayRouteArn"]),
        attachment: text(&awsvpc["tasks"][0]["attachments"][0]["id"]),
        paused: [waiting, hook],
    }
}

fn clusters_and_definitions(world: &World) {
    let ok = |operation: &str, request: Value| world.ok(operation, &request);
    for name in ["default", "spare", "gone"] {
        let tags = json!([{"key": "name", "value": name}]);
        ok("CreateCluster", json!({"clusterName": name, "tags": tags}));
    }
    ok("DeleteCluster", json!({"cluster": "gone"}));
    ok(
        "CreateCapacityProvider",
        json!({
            "name": "group", "autoScalingGroupProvider": {"autoScalingGroupArn": "nodes"},
        }),
    );
    ok(
        "CreateCapacityProvider",
        json!({"name": "idle", "autoScalingGroupProvider": {"autoScalingGroupArn": "no"}}),
    );
    ok(
        "CreateCapacityProvider",
        json!({
            "name": "managed", "cluster": "default", "managedInstancesProvider": managed(),
        }),
    );
    ok(
        "PutClusterCapacityProviders",
        json!({
            "cluster": "default", "capacityProviders": ["FARGATE", "FARGATE_SPOT", "group", "managed"],
            "defaultCapacityProviderStrategy": [],
        }),
    );
    ok(
        "CreateGateway",
        json!({
            "name": "idle", "infrastructureRoleArn": ROLE, "configuration": {"hostSharedAlb": {}},
            "deletionProtection": false,
        }),
    );
    ok(
        "CreateGateway",
        json!({
            "name": "front", "infrastructureRoleArn": ROLE, "configuration": {"hostSharedAlb": {}},
        }),
    );
    ok("AssociateGatewayWithCluster", json!({"gateway": "front", "cluster": "default"}));
    for family in ["web", "web", "old"] {
        ok("RegisterTaskDefinition", definition(family));
    }
    ok("RegisterTaskDefinition", fargate("far"));
    ok("DeregisterTaskDefinition", json!({"taskDefinition": "old:1"}));
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().expect("it is there").to_owned()
}

fn texts(answer: &Value, list: &str) -> Vec<String> {
    answer.pointer(list).and_then(Value::as_array).into_iter().flatten().map(text).collect()
}
