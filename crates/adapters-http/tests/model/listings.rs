//! Every list of the API: what it lists, and how that comes and goes.

use serde_json::{Value, json};

use crate::scene::{ROLE, definition, fargate, managed, network, resources};
use crate::world::{ME, World};

/// How many items a list has at first, where there may be that many.
const MANY: usize = 250;

/// A list and how its items come and go.
pub(crate) struct Listing {
    pub(crate) operation: &'static str,
    /// The member of the answer.
    pub(crate) items: &'static str,
    pub(crate) request: Value,
    /// What an item is known by.
    pub(crate) key: fn(&Value) -> String,
    /// `maxResults` at most.
    pub(crate) most: usize,
    pub(crate) count: usize,
    pub(crate) prepare: fn(&World),
    pub(crate) add: fn(&World, usize),
    pub(crate) remove: Option<fn(&World, usize)>,
    /// The end of the key of the item that `add` has made.
    pub(crate) made: fn(usize) -> String,
}

fn text(item: &Value) -> String {
    item.as_str().unwrap_or_default().to_owned()
}

fn nothing(_: &World) {}

pub(crate) fn clusters(world: &World) {
    world.ok("CreateCluster", &json!({}));
}

fn with_definition(world: &World) {
    clusters(world);
    world.ok("RegisterTaskDefinition", &definition("web"));
}

fn with_daemon(world: &World) {
    clusters(world);
    world.ok("RegisterDaemonTaskDefinition", &daemon_definition("agent"));
}

fn daemon_definition(family: &str) -> Value {
    json!({"family": family, "containerDefinitions": [{"name": "agent", "image": "agent", "memory": 16}]})
}

fn with_gateway(world: &World) {
    clusters(world);
    let request =
        json!({"name": "front", "infrastructureRoleArn": ROLE, "configuration": {"hostSharedAlb": {}}});
    world.ok("CreateGateway", &request);
    world.ok("AssociateGatewayWithCluster", &json!({"gateway": "front", "cluster": "default"}));
    world.ok("RegisterTaskDefinition", &fargate("far"));
}

fn daemon(world: &World, name: &str) {
    world.ok(
        "CreateDaemon",
        &json!({
            "daemonName": name, "daemonTaskDefinitionArn": ME.arn("daemon-task-definition/agent:1"),
            "capacityProviderArns": [ME.arn("capacity-provider/managed")],
        }),
    );
}

fn service(world: &World, request: Value) {
    let mut all = json!({"desiredCount": 0});
    for (name, value) in request.as_object().into_iter().flatten() {
        all[name] = value.clone();
    }
    world.ok("CreateService", &all);
}

fn drop_service(world: &World, n: usize) {
    world.ok("DeleteService", &json!({"service": format!("n{n:03}"), "force": true}));
}

pub(crate) fn listings() -> Vec<Listing> {
    let list = |operation, items, request| Listing {
        operation,
        items,
        request,
        key: text,
        most: 100,
        count: MANY,
        prepare: clusters,
        add: |_, _| {},
        remove: None,
        made: |n| format!("/n{n:03}"),
    };
    vec![
        Listing {
            prepare: nothing,
            add: |world, n| drop(world.ok("CreateCluster", &json!({"clusterName": format!("n{n:03}")}))),
            remove: Some(|world, n| drop(world.ok("DeleteCluster", &json!({"cluster": format!("n{n:03}")})))),
            ..list("ListClusters", "clusterArns", json!({}))
        },
        Listing {
            prepare: |world| (0..30).for_each(|_| with_definition(world)),
            add: |world, n| drop(world.ok("RegisterTaskDefinition", &definition(&format!("n{n:03}")))),
            remove: Some(|world, n| {
                world.ok("DeregisterTaskDefinition", &json!({"taskDefinition": format!("n{n:03}:1")}));
            }),
            made: |n| format!("/n{n:03}:1"),
            ..list("ListTaskDefinitions", "taskDefinitionArns", json!({"sort": "DESC"}))
        },
        Listing {
            add: |world, n| drop(world.ok("RegisterTaskDefinition", &definition(&format!("n{n:03}")))),
            remove: Some(|world, n| {
                world.ok("DeregisterTaskDefinition", &json!({"taskDefinition": format!("n{n:03}:1")}));
            }),
            made: |n| format!("n{n:03}"),
            ..list("ListTaskDefinitionFamilies", "families", json!({"status": "ACTIVE"}))
        },
        Listing {
            prepare: with_definition,
            add: |world, n| {
                service(world, json!({"serviceName": format!("n{n:03}"), "taskDefinition": "web"}))
            },
            remove: Some(drop_service),
            ..list("ListServices", "serviceArns", json!({"launchType": "EC2"}))
        },
        Listing {
            prepare: with_definition,
            add: |world, n| {
                let connect = json!({"enabled": true, "namespace": "mesh"});
                service(
                    world,
                    json!({
                        "serviceName": format!("n{n:03}"), "taskDefinition": "web", "serviceConnectConfiguration": connect,
                    }),
                );
            },
            remove: Some(drop_service),
            ..list("ListServicesByNamespace", "serviceArns", json!({"namespace": "mesh"}))
        },
        Listing {
            prepare: with_definition,
            add: |world, n| {
                let request =
                    json!({"taskDefinition": "web", "startedBy": format!("n{n:03}"), "group": "all"});
                world.ok("RunTask", &request);
            },
            remove: Some(|world, n| {
                let found = world.ok("ListTasks", &json!({"startedBy": format!("n{n:03}")}));
                world.ok("StopTask", &json!({"task": found["taskArns"][0]}));
            }),
            made: |_| String::new(),
            ..list("ListTasks", "taskArns", json!({"family": "web"}))
        },
        Listing {
            add: |world, _| {
                drop(world.ok("RegisterContainerInstance", &json!({"totalResources": resources()})))
            },
            made: |_| String::new(),
            ..list("ListContainerInstances", "containerInstanceArns", json!({}))
        },
        Listing {
            key: |item| format!("{}/{}", item["targetId"], text(&item["name"])),
            // An instance has ten attributes of its own at most.
            prepare: |world| {
                clusters(world);
                let request = json!({"totalResources": resources()});
                (0..97).for_each(|_| drop(world.ok("RegisterContainerInstance", &request)));
            },
            add: |world, n| {
                let found = world.ok("ListContainerInstances", &json!({}));
                world.ok(
                    "PutAttributes",
                    &json!({"attributes": [{
                        "name": format!("n{n:03}"), "value": "x", "targetType": "container-instance",
                        "targetId": found["containerInstanceArns"][n % 100],
                    }]}),
                );
            },
            remove: Some(|world, n| {
                let found = world.ok("ListContainerInstances", &json!({}));
                world.ok(
                    "DeleteAttributes",
                    &json!({"attributes": [{
                        "name": format!("n{n:03}"), "targetType": "container-instance",
                        "targetId": found["containerInstanceArns"][n % 100],
                    }]}),
                );
            }),
            ..list("ListAttributes", "attributes", json!({"targetType": "container-instance"}))
        },
        Listing {
            key: |item| text(&item["daemonArn"]),
            prepare: with_daemon,
            add: |world, n| daemon(world, &format!("n{n:03}")),
            ..list("ListDaemons", "daemonSummariesList", json!({}))
        },
        Listing {
            key: |item| text(&item["daemonDeploymentArn"]),
            prepare: |world| {
                with_daemon(world);
                daemon(world, "one");
            },
            add: |world, n| {
                world.ok(
                    "UpdateDaemon",
                    &json!({
                        "daemonArn": ME.arn("daemon/default/one"), "critical": n % 2 == 0,
                        "daemonTaskDefinitionArn": ME.arn("daemon-task-definition/agent:1"),
                        "capacityProviderArns": [ME.arn("capacity-provider/managed")],
                    }),
                );
            },
            made: |_| String::new(),
            ..list(
                "ListDaemonDeployments",
                "daemonDeployments",
                json!({"daemonArn": ME.arn("daemon/default/one")}),
            )
        },
        Listing {
            key: |item| text(&item["arn"]),
            add: |world, n| {
                drop(world.ok("RegisterDaemonTaskDefinition", &daemon_definition(&format!("n{n:03}"))));
            },
            remove: Some(|world, n| {
                let named = ME.arn(&format!("daemon-task-definition/n{n:03}:1"));
                world.ok("DeleteDaemonTaskDefinition", &json!({"daemonTaskDefinition": named}));
            }),
            made: |n| format!("/n{n:03}:1"),
            ..list("ListDaemonTaskDefinitions", "daemonTaskDefinitions", json!({"status": "ACTIVE"}))
        },
        Listing {
            key: |item| text(&item["gatewayArn"]),
            add: |world, n| {
                world.ok("CreateGateway", &json!({
                    "name": format!("n{n:03}"), "infrastructureRoleArn": ROLE, "deletionProtection": false,
                    "configuration": {"hostSharedAlb": {}},
                }));
            },
            remove: Some(|world, n| drop(world.ok("DeleteGateway", &json!({"gateway": format!("n{n:03}")})))),
            ..list("ListGateways", "gateways", json!({}))
        },
        Listing {
            key: |item| text(&item["clusterArn"]),
            prepare: with_gateway,
            add: |world, n| {
                let cluster = format!("n{n:03}");
                world.ok("CreateCluster", &json!({"clusterName": cluster}));
                world.ok("AssociateGatewayWithCluster", &json!({"gateway": "front", "cluster": cluster}));
            },
            remove: Some(|world, n| {
                let named = json!({"gateway": "front", "cluster": format!("n{n:03}")});
                world.ok("DisassociateGatewayFromCluster", &named);
            }),
            // It is shown until its reconciler has let it go.
            made: |_| String::new(),
            ..list(
                "ListGatewayClusterAssociations",
                "gatewayClusterAssociations",
                json!({"gateway": "front"}),
            )
        },
        Listing {
            key: |item| text(&item["serviceArn"]),
            prepare: with_gateway,
            add: |world, n| {
                service(
                    world,
                    json!({
                        "serviceName": format!("n{n:03}"), "taskDefinition": "far", "launchType": "FARGATE",
                        "networkConfiguration": network(), "gatewayConnectors": [{"portName": "http"}],
                    }),
                );
            },
            remove: Some(drop_service),
            // It is shown until its reconciler has let it go.
            made: |_| String::new(),
            ..list("ListGatewayRoutes", "gatewayRoutes", json!({"gateway": "front"}))
        },
        Listing {
            key: |item| text(&item["loadBalancerArn"]),
            prepare: with_gateway,
            most: 20,
            count: 0,
            ..list("DescribeGatewayResources", "gatewayResources", json!({"gateway": "front"}))
        },
        Listing {
            key: |item| text(&item["serviceDeploymentArn"]),
            prepare: |world| {
                with_definition(world);
                service(world, json!({"serviceName": "one", "taskDefinition": "web"}));
            },
            add: |world, _| {
                drop(world.ok("UpdateService", &json!({"service": "one", "forceNewDeployment": true})));
            },
            made: |_| String::new(),
            ..list("ListServiceDeployments", "serviceDeployments", json!({"service": "one"}))
        },
        Listing {
            key: |item| text(&item["name"]),
            most: 10,
            count: 0,
            prepare: nothing,
            ..list("ListAccountSettings", "settings", json!({"effectiveSettings": true}))
        },
        Listing {
            key: |item| text(&item["name"]),
            most: 10,
            prepare: |world| {
                clusters(world);
                let request =
                    json!({"name": "m", "cluster": "default", "managedInstancesProvider": managed()});
                world.ok("CreateCapacityProvider", &request);
            },
            add: |world, n| {
                let group = json!({"autoScalingGroupArn": format!("nodes{n}")});
                let request = json!({"name": format!("n{n:03}"), "autoScalingGroupProvider": group});
                world.ok("CreateCapacityProvider", &request);
            },
            remove: Some(|world, n| {
                drop(world.ok("DeleteCapacityProvider", &json!({"capacityProvider": format!("n{n:03}")})));
            }),
            made: |n| format!("n{n:03}"),
            ..list("DescribeCapacityProviders", "capacityProviders", json!({}))
        },
    ]
}
