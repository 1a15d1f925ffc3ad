//! What can be created and changed through the API, and how it is asked for and shown.

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::fixes::{self, clear, set};
use crate::fixes_of_tasks as tasks;
use crate::scene::{self, ROLE, Scene};
use crate::world::{ME, World};

/// The operation that changes a resource, and its request from the created and the generated one.
pub(crate) type Update = (&'static str, fn(&Value, &Value) -> Value);

/// A kind of resource.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) create: &'static str,
    /// What every request has.
    pub(crate) base: fn(usize, &Scene) -> Value,
    /// Members that are no settings, or that are not looked at.
    pub(crate) ignored: Vec<&'static str>,
    /// Makes what the model allows into what ECS's rules allow.
    pub(crate) fix: fn(&mut Value, &mut Dice),
    /// What was given in the form in which it is shown.
    pub(crate) normal: fn(&mut Value),
    /// The settings as they are shown, under the names of the request.
    pub(crate) show: fn(&World, &Value, &Value) -> Value,
    /// The operation that changes it, and how that names it.
    pub(crate) update: Option<Update>,
    /// Settings of which an update only changes the members that it names.
    pub(crate) merged: &'static [&'static str],
    /// Before the first one.
    pub(crate) prepare: fn(&World),
    /// After each.
    pub(crate) end: fn(&World, &Value, &Value),
}

fn subject(name: &'static str, create: &'static str) -> Subject {
    Subject {
        name,
        create,
        base: |_, _| json!({}),
        ignored: vec![],
        fix: |_, _| {},
        normal: |_| {},
        show: |_, _, _| Value::Null,
        update: None,
        merged: &[],
        prepare: |_| {},
        end: |_, _, _| {},
    }
}

fn first(answer: &Value, list: &str) -> Value {
    answer[list][0].clone()
}

fn tags_of(world: &World, arn: &Value) -> Value {
    world.ok("ListTagsForResource", &json!({"resourceArn": arn}))["tags"].clone()
}

pub(crate) fn subjects() -> Vec<Subject> {
    vec![
        cluster(),
        provider(
            "a group of instances",
            "managedInstancesProvider",
            |n, _| json!({"name": format!("n{n}"), "autoScalingGroupProvider": {"autoScalingGroupArn": format!("g{n}")}}),
        ),
        provider(
            "managed instances",
            "autoScalingGroupProvider",
            |n, _| json!({"name": format!("n{n}"), "cluster": "default", "managedInstancesProvider": scene::managed()}),
        ),
        gateway(),
        Subject {
            fix: fixes::service_on_instances,
            ..service(
                "a service on instances",
                &["networkConfiguration", "platformVersion"],
                |n, _| json!({"serviceName": format!("n{n}"), "taskDefinition": "full", "desiredCount": 1}),
            )
        },
        Subject {
            fix: fixes::service_on_fargate,
            ..service(
                "a service on Fargate",
                &["placementConstraints", "placementStrategy", "volumeConfigurations"],
                |n, _| {
                    json!({
                        "serviceName": format!("n{n}"), "taskDefinition": "far", "desiredCount": 1, "launchType": "FARGATE",
                        "networkConfiguration": scene::network(),
                    })
                },
            )
        },
        task_set(),
        express(),
        daemon(),
        instance(),
        definition("a task definition", &["ephemeralStorage"], tasks::on_instances),
        definition("a task definition for Fargate", &["ipcMode", "placementConstraints"], tasks::on_fargate),
        daemon_definition(),
        Subject {
            ignored: [task("RunTask", |_, _| Value::Null).ignored, vec!["platformVersion"]].concat(),
            ..task("RunTask", |_, _| json!({"taskDefinition": "web"}))
        },
        task(
            "RunTask",
            |_, _| json!({"taskDefinition": "far", "launchType": "FARGATE", "networkConfiguration": scene::network()}),
        ),
        task(
            "StartTask",
            |_, scene| json!({"taskDefinition": "web", "containerInstances": [scene.instances[0]]}),
        ),
    ]
}

fn cluster() -> Subject {
    Subject {
        base: |n, _| json!({"clusterName": format!("n{n}")}),
        ignored: vec!["cluster"],
        fix: fixes::cluster,
        normal: |given| {
            if given["serviceConnectDefaults"]["namespace"] == "" {
                clear(given, "serviceConnectDefaults");
            }
        },
        show: |world, request, _| {
            let include = ["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"];
            let named = json!({"clusters": [request["clusterName"]], "include": include});
            let mut shown = first(&world.ok("DescribeClusters", &named), "clusters");
            // It is shown as an ARN.
            if let Some(arn) = shown["serviceConnectDefaults"]["namespace"].as_str() {
                let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
                shown["serviceConnectDefaults"]["namespace"] = json!(name);
            }
            shown
        },
        update: Some(("UpdateCluster", |request, _| json!({"cluster": request["clusterName"]}))),
        ..subject("a cluster", "CreateCluster")
    }
}

fn provider(name: &'static str, other: &'static str, base: fn(usize, &Scene) -> Value) -> Subject {
    Subject {
        base,
        ignored: vec!["cluster", "name", other],
        fix: fixes::provider,
        show: |world, request, _| {
            let named = json!({"capacityProviders": [request["name"]], "include": ["TAGS"]});
            first(&world.ok("DescribeCapacityProviders", &named), "capacityProviders")
        },
        update: Some(("UpdateCapacityProvider", fixes::provider_update)),
        merged: &["autoScalingGroupProvider", "managedInstancesProvider"],
        end: |world, request, _| {
            world.ok("DeleteCapacityProvider", &json!({"capacityProvider": request["name"]}));
        },
        ..subject(name, "CreateCapacityProvider")
    }
}

fn gateway() -> Subject {
    Subject {
        base: |n, _| {
            json!({
                "name": format!("n{n}"), "infrastructureRoleArn": ROLE, "configuration": {"hostSharedAlb": {}},
            })
        },
        ignored: vec!["clientToken", "gateway", "name"],
        fix: fixes::gateway,
        show: |world, request, _| {
            world.ok("DescribeGateway", &json!({"gateway": request["name"]}))["gateway"].clone()
        },
        update: Some(("UpdateGateway", |request, _| json!({"gateway": request["name"]}))),
        merged: &["configuration"],
        ..subject("a gateway", "CreateGateway")
    }
}

fn service(name: &'static str, elsewhere: &[&'static str], base: fn(usize, &Scene) -> Value) -> Subject {
    Subject {
        base,
        ignored: [
            "clientToken",
            "cluster",
            "service",
            "serviceName",
            "deploymentController",
            "schedulingStrategy",
            "forceNewDeployment",
            "role",
            "launchType",
            "taskDefinition",
            "capacityProviderStrategy",
        ]
        .into_iter()
        .chain(elsewhere.iter().copied())
        .collect(),
        show: |world, request, _| {
            let named = json!({"services": [request["serviceName"]], "include": ["TAGS"]});
            let mut shown = first(&world.ok("DescribeServices", &named), "services");
            let revision = shown["currentServiceRevisions"][0]["arn"].clone();
            let named = json!({"serviceRevisionArns": [revision]});
            let revision = first(&world.ok("DescribeServiceRevisions", &named), "serviceRevisions");
            let balanced = shown["loadBalancers"].as_array().is_some_and(|balancers| !balancers.is_empty());
            let has_role = shown.get("roleArn").is_some();
            assert_eq!(has_role, balanced || shown.get("networkConfiguration").is_some(), "a role: {shown}");
            let primary = shown["deployments"][0].clone();
            for member in ["serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"]
            {
                assert_eq!(primary.get(member), revision.get(member), "{member} of deployment and revision");
                shown[member] = revision[member].clone();
            }
            for member in ["gatewayConnectors", "monitoring"] {
                shown[member] = revision[member].clone();
            }
            for member in ["loadBalancers", "serviceRegistries", "networkConfiguration", "platformVersion"] {
                let (of_service, of_revision) = (shown[member].clone(), revision[member].clone());
                let same = of_service == of_revision || of_revision.is_null() || member == "platformVersion";
                assert!(same, "{member}: {of_service} {of_revision}");
            }
            shown
        },
        update: Some(("UpdateService", |request, _| json!({"service": request["serviceName"]}))),
        merged: &["deploymentConfiguration"],
        prepare: |world| drop(world.ok("RegisterTaskDefinition", &fixes::full_definition())),
        end: |world, request, _| {
            world.ok("DeleteService", &json!({"service": request["serviceName"], "force": true}));
        },
        ..subject(name, "CreateService")
    }
}

fn task_set() -> Subject {
    Subject {
        base: |_, _| json!({"cluster": "default", "service": "sets", "taskDefinition": "web"}),
        ignored: vec!["cluster", "service", "taskDefinition", "taskSet", "clientToken"],
        fix: fixes::task_set,
        show: |world, _, answer| {
            let named = json!({
                "cluster": "default", "service": "sets", "taskSets": [answer["taskSet"]["id"]], "include": ["TAGS"],
            });
            first(&world.ok("DescribeTaskSets", &named), "taskSets")
        },
        update: Some(("UpdateTaskSet", |_, answer| {
            let id = &answer["taskSet"]["id"];
            json!({
                "cluster": "default", "service": "sets", "taskSet": id, "scale": {"unit": "PERCENT", "value": 25.5},
            })
        })),
        normal: |given| {
            if given["scale"].is_object() {
                set(&mut given["scale"], "unit", json!("PERCENT"));
            }
            clear(given, "platformVersion");
        },
        end: |world, _, answer| {
            world.ok("DeleteTaskSet", &json!({
                "cluster": "default", "service": "sets", "taskSet": answer["taskSet"]["id"], "force": true,
            }));
            world.pass(3);
        },
        ..subject("a task set", "CreateTaskSet")
    }
}

fn express() -> Subject {
    Subject {
        base: |n, _| {
            json!({
                "serviceName": format!("e{n}"), "cluster": "default", "infrastructureRoleArn": ROLE,
                "executionRoleArn": ROLE, "primaryContainer": {"image": "nginx"},
            })
        },
        ignored: vec!["cluster", "serviceName", "serviceArn", "taskDefinitionArn"],
        fix: fixes::express,
        show: |world, _, answer| {
            let named = json!({"serviceArn": answer["service"]["serviceArn"], "include": ["TAGS"]});
            let shown = world.ok("DescribeExpressGatewayService", &named)["service"].clone();
            let mut newest = first(&shown, "activeConfigurations");
            newest["tags"] = shown["tags"].clone();
            newest["infrastructureRoleArn"] = shown["infrastructureRoleArn"].clone();
            newest
        },
        update: Some((
            "UpdateExpressGatewayService",
            |_, answer| json!({"serviceArn": answer["service"]["serviceArn"]}),
        )),
        merged: &["scalingTarget"],
        end: |world, _, answer| {
            world.ok("DeleteExpressGatewayService", &json!({"serviceArn": answer["service"]["serviceArn"]}));
        },
        ..subject("an Express service", "CreateExpressGatewayService")
    }
}

fn daemon() -> Subject {
    Subject {
        base: |n, _| {
            json!({
                "daemonName": format!("n{n}"), "daemonTaskDefinitionArn": ME.arn("daemon-task-definition/agent:1"),
                "capacityProviderArns": [ME.arn("capacity-provider/managed")],
            })
        },
        ignored: vec!["clientToken", "clusterArn", "daemonArn", "daemonName", "capacityProviderArns"],
        fix: fixes::daemon,
        show: |world, _, answer| {
            let daemon = &world.ok("DescribeDaemon", &json!({"daemonArn": answer["daemonArn"]}))["daemon"];
            let named = json!({"daemonDeploymentArns": [daemon["deploymentArn"]]});
            let deployment = first(&world.ok("DescribeDaemonDeployments", &named), "daemonDeployments");
            let named = json!({"daemonRevisionArns": [deployment["targetDaemonRevision"]["arn"]]});
            let mut shown = first(&world.ok("DescribeDaemonRevisions", &named), "daemonRevisions");
            shown["deploymentConfiguration"] = deployment["deploymentConfiguration"].clone();
            shown["tags"] = tags_of(world, &answer["daemonArn"]);
            shown
        },
        end: |world, _, answer| {
            world.ok("DeleteDaemon", &json!({"daemonArn": answer["daemonArn"]}));
            world.pass(1);
        },
        ..subject("a daemon", "CreateDaemon")
    }
}

fn instance() -> Subject {
    Subject {
        base: |_, _| json!({"totalResources": scene::resources()}),
        ignored: vec![
            "cluster",
            "containerInstanceArn",
            "instanceIdentityDocument",
            "instanceIdentityDocumentSignature",
            "platformDevices",
            "totalResources",
        ],
        fix: fixes::instance,
        show: |world, _, answer| {
            let arn = &answer["containerInstance"]["containerInstanceArn"];
            let named = json!({"containerInstances": [arn], "include": ["TAGS"]});
            first(&world.ok("DescribeContainerInstances", &named), "containerInstances")
        },
        normal: fixes::shown_instance,
        ..subject("a container instance", "RegisterContainerInstance")
    }
}

fn definition(name: &'static str, refused: &[&'static str], fix: fn(&mut Value, &mut Dice)) -> Subject {
    Subject {
        base: |n, _| json!({"family": format!("n{n}")}),
        // Deprecated by ECS, and refused; and for Managed Instances alone.
        ignored: [&["inferenceAccelerators", "trustedExecutionConfiguration"], refused].concat(),
        fix,
        show: |world, _, answer| {
            let named = json!({
                "taskDefinition": answer["taskDefinition"]["taskDefinitionArn"], "include": ["TAGS"],
            });
            let answer = world.ok("DescribeTaskDefinition", &named);
            let mut shown = answer["taskDefinition"].clone();
            shown["tags"] = answer["tags"].clone();
            shown
        },
        ..subject(name, "RegisterTaskDefinition")
    }
}

fn daemon_definition() -> Subject {
    Subject {
        base: |n, _| json!({"family": format!("n{n}")}),
        fix: tasks::daemon_definition,
        show: |world, _, answer| {
            let arn = &answer["daemonTaskDefinitionArn"];
            let named = json!({"daemonTaskDefinition": arn});
            let mut shown = world.ok("DescribeDaemonTaskDefinition", &named)["daemonTaskDefinition"].clone();
            shown["tags"] = tags_of(world, arn);
            shown
        },
        ..subject("a daemon task definition", "RegisterDaemonTaskDefinition")
    }
}

fn task(create: &'static str, base: fn(usize, &Scene) -> Value) -> Subject {
    Subject {
        base,
        ignored: vec![
            "capacityProviderStrategy",
            "clientToken",
            "cluster",
            "containerInstances",
            "count",
            "networkConfiguration",
            "placementConstraints",
            "placementStrategy",
            "propagateTags",
            "enableECSManagedTags",
            "referenceId",
            "taskDefinition",
            "volumeConfigurations",
        ],
        fix: tasks::task,
        show: |world, _, answer| {
            let named = json!({"tasks": [answer["tasks"][0]["taskArn"]], "include": ["TAGS"]});
            first(&world.ok("DescribeTasks", &named), "tasks")
        },
        normal: |given| {
            if given["platformVersion"] == "LATEST" {
                set(given, "platformVersion", json!("1.4.0"));
            }
            // Every container is named.
            if given["overrides"]["containerOverrides"].as_array().is_some_and(Vec::is_empty) {
                clear(&mut given["overrides"], "containerOverrides");
            }
        },
        end: |world, _, answer| drop(world.ok("StopTask", &json!({"task": answer["tasks"][0]["taskArn"]}))),
        ..subject("a task", create)
    }
}
