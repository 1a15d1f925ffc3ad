//! Accounts and regions never see each other, whatever they name; and what is theirs they may name in every form.

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::generate::Generator;
use crate::scene;
use crate::schema::MODEL;
use crate::view::everything;
use crate::world::{ME, Who, World};

/// How many requests another account makes of each operation.
const ROUNDS: usize = 6;

#[test]
fn nothing_that_another_account_or_region_asks_for_shows_or_changes_what_is_mine() {
    let others = [
        Who { account: "444455556666", region: ME.region },
        Who { account: ME.account, region: "us-west-2" },
    ];
    for (seed, other) in others.into_iter().enumerate() {
        let world = World::new();
        let scene = scene::fill(&world);
        // They have something of the same name, so that requests get beyond the first check.
        world.ok_as(other, "CreateCluster", &json!({}));
        world.ok_as(other, "CreateCluster", &json!({"clusterName": "spare"}));
        world.ok_as(other, "RegisterTaskDefinition", &scene::definition("web"));
        let service = json!({"serviceName": "web", "taskDefinition": "web", "desiredCount": 1});
        world.ok_as(other, "CreateService", &service);
        let mine = everything(&world, ME);
        let mut generator = Generator { scene: &scene, dice: Dice::new(seed as u64 + 1) };
        for operation in &MODEL.operations {
            for _ in 0..ROUNDS {
                let request = generator.request(operation);
                let answer = world.ask(other, &operation.name, &request);
                let what = format!("{} {request}\n-> {}", operation.name, answer.body);
                // Failures repeat what was named.
                let mut shown = answer.body.clone();
                shown.as_object_mut().and_then(|members| members.remove("failures"));
                if answer.status == 200 {
                    assert_eq!(told(&shown, &request), None, "{what}");
                }
            }
            if everything(&world, ME) != mine {
                panic!("{} of another scope has changed what is mine", operation.name);
            }
        }
    }
}

/// An ARN of mine in an answer that wasn't in the request.
fn told(answer: &Value, request: &Value) -> Option<String> {
    let request = request.to_string();
    match answer {
        Value::String(text) if text.starts_with(&ME.arn("")) && !request.contains(text.as_str()) => {
            Some(text.clone())
        }
        Value::Array(items) => {
            items.iter().find_map(|item| told(item, &serde_json::from_str(&request).ok()?))
        }
        Value::Object(members) => {
            members.values().find_map(|member| told(member, &serde_json::from_str(&request).ok()?))
        }
        _ => None,
    }
}

#[test]
fn everything_is_named_in_every_form_it_has() {
    let world = World::new();
    let scene = scene::fill(&world);
    let of_service = world.ok("ListTasks", &json!({"serviceName": "web"}));
    let task = of_service["taskArns"][0].as_str().unwrap_or_default().to_owned();
    let id = task.rsplit('/').next().unwrap_or_default().to_owned();
    let dashed = format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]);
    let tasks = [id.clone(), dashed, ME.arn(&format!("task/{id}")), task];
    let instance = scene.instances[0].clone();
    let number = instance.rsplit('/').next().unwrap_or_default().to_owned();
    let instances = [number.clone(), ME.arn(&format!("container-instance/{number}")), instance];
    let own = |forms: &[&str]| forms.iter().map(|form| (*form).to_owned()).collect::<Vec<_>>();
    let service = own(&["web", &ME.arn("service/web"), &ME.arn("service/default/web")]);
    let sets = own(&["sets", &ME.arn("service/sets"), &ME.arn("service/default/sets")]);
    let cluster = own(&["default", &ME.arn("cluster/default")]);
    let definition = own(&["web", "web:2", &ME.arn("task-definition/web:2"), &ME.arn("task-definition/web")]);
    let daemon = own(&["agent", "agent:1", &ME.arn("daemon-task-definition/agent:1")]);
    let provider = own(&["group", &ME.arn("capacity-provider/group")]);
    let gateway = own(&["front", &ME.arn("gateway/front")]);
    let set = own(&[&scene.task_set, scene.task_set.split_once("sets/").map_or("", |(_, id)| id)]);
    let within = json!({"cluster": "default", "service": "sets"});
    let one = |texts: &[String]| texts.iter().map(|text| json!([text])).collect::<Vec<_>>();
    let each = |texts: &[String]| texts.iter().map(|text| json!(text)).collect::<Vec<_>>();
    for (operation, base, member, forms) in [
        ("DescribeTasks", json!({}), "tasks", one(&tasks)),
        ("GetTaskProtection", json!({"cluster": "default"}), "tasks", one(&tasks)),
        ("DescribeContainerInstances", json!({}), "containerInstances", one(&instances)),
        ("ListTasks", json!({}), "containerInstance", each(&instances)),
        ("DescribeServices", json!({}), "services", one(&service)),
        ("ListServiceDeployments", json!({}), "service", each(&service)),
        ("DescribeTaskSets", json!({"cluster": "default"}), "service", each(&sets)),
        ("DescribeTaskSets", within.clone(), "taskSets", one(&set)),
        ("DescribeTaskDefinition", json!({}), "taskDefinition", each(&definition)),
        ("DescribeDaemonTaskDefinition", json!({}), "daemonTaskDefinition", each(&daemon)),
        ("DescribeCapacityProviders", json!({}), "capacityProviders", one(&provider)),
        ("DescribeGateway", json!({}), "gateway", each(&gateway)),
        ("DescribeGatewayResources", json!({}), "gateway", each(&gateway)),
        ("ListGatewayRoutes", json!({}), "gateway", each(&gateway)),
        ("ListGatewayClusterAssociations", json!({}), "gateway", each(&gateway)),
        ("ListGatewayClusterAssociations", json!({}), "cluster", each(&cluster)),
        ("DescribeClusters", json!({}), "clusters", one(&cluster)),
        ("ListDaemons", json!({}), "clusterArn", each(&cluster)),
    ] {
        let answers: Vec<Value> = forms
            .iter()
            .map(|form| {
                let mut request = base.clone();
                request[member] = form.clone();
                world.ok(operation, &request)
            })
            .collect();
        assert!(answers[0]["failures"].as_array().is_none_or(Vec::is_empty), "{operation}: {}", answers[0]);
        for (form, answer) in forms.iter().zip(&answers) {
            assert_eq!(answer, &answers[0], "{operation} with {member} {form}");
        }
    }
    // Whatever takes a cluster takes its name and its ARN, and refuses what is no cluster or another's.
    let mut generator = Generator { scene: &scene, dice: Dice::new(1) };
    for operation in &MODEL.operations {
        let Some(member) =
            ["cluster", "clusterArn"].into_iter().find(|name| operation.request.member(name).is_some())
        else {
            continue;
        };
        for bad in [
            "no such cluster".to_owned(),
            "absent".to_owned(),
            ME.arn("cluster/absent"),
            ME.arn("service/default/web"),
            ME.arn("cluster/default").replace(ME.account, "444455556666"),
            ME.arn("cluster/default").replace(ME.region, "us-west-2"),
        ] {
            let mut request = generator.request(operation);
            request[member] = json!(bad);
            let answer = world.ask(ME, &operation.name, &request);
            // These only filter by it, or tell nothing of it.
            let lenient = ["ListGatewayClusterAssociations", "ListGatewayRoutes", "DiscoverPollEndpoint"];
            if !lenient.contains(&operation.name.as_str()) {
                assert_eq!(answer.status, 400, "{} {request}\n-> {}", operation.name, answer.body);
            }
        }
    }
}

#[test]
fn an_arn_of_elsewhere_or_of_something_else_is_no_name_of_mine() {
    let world = World::new();
    let scene = scene::fill(&world);
    let (task, instance) = (scene.tasks[0].as_str(), scene.instances[0].as_str());
    let service = ME.arn("service/default/web");
    for (operation, base, member, good) in [
        ("ListTasks", json!({}), "containerInstance", instance),
        ("ListTasks", json!({}), "serviceName", &service),
        ("DescribeTasks", json!({}), "tasks", task),
        ("DescribeContainerInstances", json!({}), "containerInstances", instance),
        ("DescribeServices", json!({}), "services", &service),
        ("UpdateService", json!({}), "service", &service),
        ("DeleteService", json!({}), "service", &service),
        ("ListServiceDeployments", json!({}), "service", &service),
        ("StopTask", json!({}), "task", task),
        ("ExecuteCommand", json!({"command": "ls", "interactive": true}), "task", task),
        ("UpdateContainerAgent", json!({}), "containerInstance", instance),
        ("DeregisterContainerInstance", json!({}), "containerInstance", instance),
        ("UpdateContainerInstancesState", json!({"status": "ACTIVE"}), "containerInstances", instance),
        ("StartTask", json!({"taskDefinition": "web"}), "containerInstances", instance),
        ("GetTaskProtection", json!({"cluster": "default"}), "tasks", task),
        ("UpdateTaskProtection", json!({"cluster": "default", "protectionEnabled": true}), "tasks", task),
    ] {
        let is_list = member.ends_with('s');
        for (old, new) in [
            (ME.account, "444455556666"),
            (ME.region, "us-west-2"),
            ("/default/", "/spare/"),
            (":ecs:", ":ec2:"),
            (":task/", ":service/"),
            (":service/", ":task/"),
            (":container-instance/", ":task/"),
        ] {
            let bad = good.replace(old, new);
            if bad == good {
                continue;
            }
            let mut request = base.clone();
            request[member] = if is_list { json!([bad]) } else { json!(bad) };
            let answer = world.ask(ME, operation, &request);
            assert_eq!(
                answer.error().0,
                "InvalidParameterException",
                "{operation} {request}: {}",
                answer.body
            );
        }
    }
}
