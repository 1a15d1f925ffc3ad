//! Makes requests that the model allows into such as ECS's own rules allow, and says how what was given is shown.

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::scene::ROLE;

/// Sets a member.
pub(crate) fn set(of: &mut Value, member: &str, value: Value) {
    of[member] = value;
}

/// Takes a member away.
pub(crate) fn clear(of: &mut Value, member: &str) {
    of.as_object_mut().and_then(|members| members.remove(member));
}

/// Calls `change` for each item of a list that is there.
pub(crate) fn each(list: &mut Value, mut change: impl FnMut(usize, &mut Value)) {
    for (at, item) in list.as_array_mut().into_iter().flatten().enumerate() {
        change(at, item);
    }
}

/// Calls `change` for what is further inside, if it is there.
fn within(request: &mut Value, pointer: &str, change: impl FnOnce(&mut Value)) {
    if let Some(found) = request.pointer_mut(pointer).filter(|found| !found.is_null()) {
        change(found);
    }
}

pub(crate) fn has(of: &Value, member: &str) -> bool {
    !of[member].is_null()
}

/// Tags with keys of their own.
pub(crate) fn tags(request: &mut Value) {
    each(&mut request["tags"], |at, tag| *tag = json!({"key": format!("k{at}"), "value": "v"}));
    if request["tags"].is_null() {
        clear(request, "tags");
    }
}

/// Indexing makes members; those that are null were never given.
pub(crate) fn tidy(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// Takes a member away unless it has this value.
fn clear_unless(request: &mut Value, member: &str, value: &str) {
    if request[member] != value {
        clear(request, member);
    }
}

pub(crate) fn cluster(request: &mut Value, dice: &mut Dice) {
    tags(request);
    each(&mut request["settings"], |_, setting| {
        *setting =
            json!({"name": "containerInsights", "value": *dice.pick(&["enabled", "disabled", "enhanced"])});
    });
    // Each name stands once; the last one wins.
    if let Some(settings) = request["settings"].as_array_mut() {
        settings.truncate(1);
        if settings.is_empty() {
            clear(request, "settings");
        }
    }
    within(request, "/configuration/executeCommandConfiguration", |exec| {
        if has(exec, "logConfiguration") {
            set(exec, "logging", json!("OVERRIDE"));
            set(&mut exec["logConfiguration"], "s3BucketName", json!("logs"));
        } else if exec["logging"] == "OVERRIDE" {
            set(exec, "logging", json!("NONE"));
        }
    });
    if has(request, "capacityProviders") || has(request, "defaultCapacityProviderStrategy") {
        set(request, "capacityProviders", json!(["FARGATE", "FARGATE_SPOT"]));
        set(
            request,
            "defaultCapacityProviderStrategy",
            json!([
                {"capacityProvider": "FARGATE", "weight": dice.below(5) + 1, "base": dice.below(5)},
                {"capacityProvider": "FARGATE_SPOT", "weight": dice.below(5)},
            ]),
        );
    }
    tidy(request);
}

pub(crate) fn provider(request: &mut Value, dice: &mut Dice) {
    tags(request);
    let group = &mut request["autoScalingGroupProvider"];
    if group.is_object() {
        let scaling = json!({
            "status": "ENABLED", "targetCapacity": dice.below(100) + 1, "minimumScalingStepSize": dice.below(5) + 1,
            "maximumScalingStepSize": dice.below(100) + 5, "instanceWarmupPeriod": dice.below(300),
        });
        for (member, value) in
            [("managedScaling", scaling), ("managedDraining", json!(*dice.pick(&["ENABLED", "DISABLED"])))]
        {
            if dice.percent(60) {
                set(group, member, value);
            }
        }
        if has(group, "managedScaling") && dice.percent(50) {
            set(group, "managedTerminationProtection", json!(*dice.pick(&["ENABLED", "DISABLED"])));
        }
    }
    let managed = &mut request["managedInstancesProvider"];
    if managed.is_object() {
        if dice.percent(50) {
            set(managed, "propagateTags", json!(*dice.pick(&["CAPACITY_PROVIDER", "NONE"])));
        }
        if dice.percent(50) {
            set(managed, "infrastructureOptimization", json!({"scaleInAfter": dice.below(3600)}));
        }
        if dice.percent(50) {
            set(
                managed,
                "autoRepairConfiguration",
                json!({"actionsStatus": *dice.pick(&["ENABLED", "DISABLED"])}),
            );
        }
        let template = &mut managed["instanceLaunchTemplate"];
        let requirements = json!({
            "vCpuCount": {"min": 1, "max": dice.below(8) + 1}, "memoryMiB": {"min": 512},
            "instanceGenerations": ["current"], "totalLocalStorageGB": {"min": 0.5, "max": 10.25},
            "allowedInstanceTypes": ["m5.*"],
        });
        for (member, value) in [
            ("storageConfiguration", json!({"storageSizeGiB": dice.below(100) + 1})),
            ("monitoring", json!(*dice.pick(&["BASIC", "DETAILED"]))),
            ("localStorageConfiguration", json!({"useLocalStorage": dice.percent(50)})),
            ("instanceRequirements", requirements),
            ("instanceMetadataTagsPropagation", json!(dice.percent(50))),
        ] {
            if dice.percent(40) {
                set(template, member, value);
            }
        }
    }
    tidy(request);
}

pub(crate) fn provider_update(request: &Value, _: &Value) -> Value {
    let mut update = json!({"name": request["name"]});
    if has(request, "managedInstancesProvider") {
        set(&mut update, "cluster", request["cluster"].clone());
        set(
            &mut update,
            "managedInstancesProvider",
            json!({
                "infrastructureRoleArn": ROLE, "instanceLaunchTemplate": {},
            }),
        );
    } else {
        set(&mut update, "autoScalingGroupProvider", json!({}));
    }
    update
}

pub(crate) fn gateway(request: &mut Value, dice: &mut Dice) {
    tags(request);
    let update = !has(request, "name");
    let alb = json!({
        "webACLArn": "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/a/b",
        "accessLogs": {"destination": {"s3": {"bucket": "logs", "prefix": "p"}}},
        "maxAlbCount": dice.below(20) + 1,
        "httpDesync": *dice.pick(&["monitor", "defensive", "strictest"]),
        "testTrafficRules": {"header": {"name": "x-test", "values": ["a", "b"]}},
        "networkConfiguration": {"inboundSecurityGroup": "sg-1"},
    });
    if request["configuration"].is_object() {
        let mut given = json!({});
        for (member, value) in alb.as_object().into_iter().flatten() {
            if dice.percent(40) {
                set(&mut given, member, value.clone());
            }
        }
        if !update && dice.percent(40) {
            set(&mut given, "scheme", json!(*dice.pick(&["internal", "internet-facing"])));
            set(
                &mut given,
                "networkConfiguration",
                json!({"subnets": ["subnet-1"], "ipAddressType": "ipv4"}),
            );
        }
        set(request, "configuration", json!({"hostSharedAlb": given}));
    }
    tidy(request);
}

/// A task definition for everything that a service can have.
pub(crate) fn full_definition() -> Value {
    json!({
        "family": "full", "volumes": [{"name": "data", "configuredAtLaunch": true}],
        "containerDefinitions": [{
            "name": "app", "image": "nginx", "memory": 64, "portMappings": [{"containerPort": 80, "name": "http"}],
            "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}],
        }],
    })
}

pub(crate) fn service_on_instances(request: &mut Value, dice: &mut Dice) {
    for member in ["networkConfiguration", "platformVersion"] {
        clear(request, member);
    }
    service(request, dice, "app");
}

pub(crate) fn service_on_fargate(request: &mut Value, dice: &mut Dice) {
    for member in ["placementConstraints", "placementStrategy", "volumeConfigurations"] {
        clear(request, member);
    }
    if has(request, "platformVersion") {
        set(request, "platformVersion", json!(*dice.pick(&["LATEST", "1.4.0", "1.3.0"])));
    }
    if has(request, "networkConfiguration") {
        let public = *dice.pick(&["ENABLED", "DISABLED"]);
        let vpc = json!({"subnets": ["subnet-2"], "securityGroups": ["sg-2"], "assignPublicIp": public});
        set(request, "networkConfiguration", json!({"awsvpcConfiguration": vpc}));
    }
    service(request, dice, "Main");
}

fn service(request: &mut Value, dice: &mut Dice, container: &str) {
    tags(request);
    clear_unless(request, "launchType", "FARGATE");
    for member in ["capacityProviderStrategy", "role", "deploymentController", "schedulingStrategy"] {
        clear(request, member);
    }
    let deployment = &mut request["deploymentConfiguration"];
    if deployment.is_object() {
        for member in ["linearConfiguration", "canaryConfiguration", "strategy", "lifecycleHooks"] {
            clear(deployment, member);
        }
        for (member, least, more) in [("maximumPercent", 110, 200), ("minimumHealthyPercent", 0, 101)] {
            if has(deployment, member) {
                set(deployment, member, json!(least + dice.below(more)));
            }
        }
        let breaker = &mut deployment["deploymentCircuitBreaker"];
        if breaker["enable"] == json!(false) {
            set(breaker, "rollback", json!(false));
        }
        if has(breaker, "thresholdConfiguration") {
            set(&mut breaker["thresholdConfiguration"], "value", json!(dice.below(100) + 1));
        }
        // An update that gives a part of these gives all of it.
        if deployment["alarms"].is_object() {
            set(
                deployment,
                "alarms",
                json!({"alarmNames": ["a"], "enable": dice.percent(50), "rollback": true}),
            );
        }
        if deployment["earlySuccessCriteria"].is_object() {
            set(
                deployment,
                "earlySuccessCriteria",
                json!({
                    "enable": dice.percent(50), "healthyPercent": dice.below(101), "sourceServiceRevisionCleanup": "DEFERRED",
                }),
            );
        }
    }
    set(
        request,
        "placementConstraints",
        pick_list(
            request,
            dice,
            "placementConstraints",
            &[
                json!({"type": "distinctInstance"}),
                json!({"type": "memberOf", "expression": "attribute:ecs.os-type == linux"}),
            ],
        ),
    );
    set(
        request,
        "placementStrategy",
        pick_list(
            request,
            dice,
            "placementStrategy",
            &[
                json!({"type": "spread", "field": "attribute:ecs.availability-zone"}),
                json!({"type": "binpack", "field": "memory"}),
                json!({"type": "random"}),
            ],
        ),
    );
    each(&mut request["loadBalancers"], |_, balancer| {
        set(balancer, "containerName", json!(container));
        set(balancer, "containerPort", json!(80));
    });
    within(request, "/serviceConnectConfiguration/services", |services| {
        each(services, |at, service| {
            set(service, "portName", json!("http"));
            set(service, "discoveryName", json!(format!("d{at}")));
        });
    });
    within(request, "/serviceConnectConfiguration/namespace", |namespace| *namespace = json!("mesh"));
    if let Some(connectors) = request["gatewayConnectors"].as_array_mut() {
        connectors.truncate(1);
    }
    each(&mut request["volumeConfigurations"], |_, volume| set(volume, "name", json!("data")));
    tidy(request);
}

/// One of some items, if the request has such a list at all.
fn pick_list(request: &Value, dice: &mut Dice, member: &str, of: &[Value]) -> Value {
    match request[member].as_array() {
        None => Value::Null,
        Some(given) if given.is_empty() => json!([]),
        Some(_) => json!([dice.pick(of)]),
    }
}

pub(crate) fn task_set(request: &mut Value, dice: &mut Dice) {
    tags(request);
    let fargate = dice.percent(50) && !request["taskSet"].is_string();
    if request["taskDefinition"].is_string() && fargate {
        set(request, "taskDefinition", json!("far"));
        set(request, "launchType", json!("FARGATE"));
        set(
            request,
            "networkConfiguration",
            json!({"awsvpcConfiguration": {
                "subnets": ["subnet-1"], "assignPublicIp": "ENABLED",
            }}),
        );
        clear(request, "capacityProviderStrategy");
        if dice.percent(50) {
            set(request, "platformVersion", json!("1.4.0"));
        } else {
            clear(request, "platformVersion");
        }
    } else {
        for member in ["launchType", "networkConfiguration", "platformVersion"] {
            clear(request, member);
        }
        if has(request, "capacityProviderStrategy") {
            let strategy = json!([{"capacityProvider": "group", "weight": 1, "base": 0}]);
            set(request, "capacityProviderStrategy", strategy);
        }
    }
    let container = if fargate { "Main" } else { "app" };
    if let Some(balancers) = request["loadBalancers"].as_array_mut() {
        balancers.truncate(1);
    }
    each(&mut request["loadBalancers"], |_, balancer| {
        set(balancer, "containerName", json!(container));
        set(balancer, "containerPort", json!(80));
    });
    tidy(request);
}

pub(crate) fn express(request: &mut Value, dice: &mut Dice) {
    tags(request);
    if has(request, "healthCheckPath") {
        set(request, "healthCheckPath", json!(*dice.pick(&["/", "/ping", "/a?b=c"])));
    }
    let sizes = [("256", "512"), ("512", "1024"), ("1024", "4096")];
    if has(request, "cpu") || has(request, "memory") {
        let (cpu, memory) = *dice.pick(&sizes);
        set(request, "cpu", json!(cpu));
        set(request, "memory", json!(memory));
    }
    if has(request, "scalingTarget") {
        set(
            request,
            "scalingTarget",
            json!({
                "minTaskCount": dice.below(3), "maxTaskCount": dice.below(10) + 3, "autoScalingMetric": "AVERAGE_MEMORY",
                "autoScalingTargetValue": dice.below(100) + 1,
            }),
        );
    }
    if has(request, "primaryContainer") {
        let container = &mut request["primaryContainer"];
        if dice.percent(50) {
            set(container, "containerPort", json!(dice.below(1000) + 1));
            set(container, "environment", json!([{"name": "A", "value": "b"}]));
            set(container, "command", json!(["run", ""]));
        }
        if dice.percent(50) {
            set(container, "awsLogsConfiguration", json!({"logGroup": "g", "logStreamPrefix": "p"}));
            set(
                container,
                "secrets",
                json!([{"name": "S", "valueFrom": "arn:aws:ssm:eu-central-1:1:parameter/x"}]),
            );
            set(
                container,
                "repositoryCredentials",
                json!({"credentialsParameter": "arn:aws:secretsmanager:x"}),
            );
        }
    }
    if has(request, "networkConfiguration") {
        set(request, "networkConfiguration", json!({"subnets": ["subnet-9"], "securityGroups": ["sg-9"]}));
    }
    tidy(request);
}

pub(crate) fn daemon(request: &mut Value, dice: &mut Dice) {
    tags(request);
    if has(request, "deploymentConfiguration") {
        set(
            request,
            "deploymentConfiguration",
            json!({
                "drainPercent": dice.below(100) as f64 + 0.5, "bakeTimeInMinutes": dice.below(10),
                "alarms": {"alarmNames": ["a"], "enable": dice.percent(50)},
            }),
        );
    }
    tidy(request);
}

pub(crate) fn instance(request: &mut Value, dice: &mut Dice) {
    tags(request);
    each(&mut request["attributes"], |at, attribute| {
        *attribute = json!({"name": format!("a{at}"), "value": *dice.pick(&["x", "1.2"])});
    });
    if has(request, "versionInfo") {
        set(
            request,
            "versionInfo",
            json!({
                "agentVersion": "1.80.0", "agentHash": "abc", "dockerVersion": "DockerVersion: 25.0.6",
            }),
        );
    }
    tidy(request);
}

pub(crate) fn shown_instance(given: &mut Value) {
    // Built-in attributes are shown beside them; the test of attributes looks at these.
    clear(given, "attributes");
}
