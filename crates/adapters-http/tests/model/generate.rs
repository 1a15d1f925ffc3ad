//! Requests by the model: values of every shape, and for the members that name things, things of the scene.

use serde_json::{Map, Value, json};

use crate::dice::Dice;
use crate::scene::{self, ROLE, Scene};
use crate::schema::{Kind, OperationModel, Shape};
use crate::world::ME;

/// How deep optional structures are filled.
const DEEPEST: usize = 6;

/// Makes requests for a scene.
pub(crate) struct Generator<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) dice: Dice,
}

impl Generator<'_> {
    /// A request that is valid by the model: what its operation needs, then some of what it takes beside that.
    pub(crate) fn request(&mut self, operation: &OperationModel) -> Value {
        let mut request = self.needed(&operation.name);
        let chance = *self.dice.pick(&[0, 0, 10, 30]);
        for (name, member) in operation.request.members() {
            let given = request.get(name).is_some();
            if given || !(operation.request.requires(name) || self.dice.percent(chance)) {
                continue;
            }
            request[name] = self.member(name, member, 0);
        }
        // Now and then something further inside, which alone doesn't make it illegal.
        if self.dice.percent(50) {
            self.enrich(&mut request, &operation.request, 0);
        }
        request
    }

    /// Adds a member somewhere in a structure that is there already.
    fn enrich(&mut self, value: &mut Value, shape: &Shape, depth: usize) {
        match (&shape.kind, value) {
            (Kind::Structure { members, .. }, Value::Object(entries)) => {
                for (name, entry) in entries.iter_mut() {
                    if let Some(member) = members.get(name) {
                        self.enrich(entry, member, depth + 1);
                    }
                }
                if depth == 0 {
                    return;
                }
                let left: Vec<_> = members.iter().filter(|(name, _)| !entries.contains_key(*name)).collect();
                if !left.is_empty() && self.dice.percent(40) {
                    let (name, member) = *self.dice.pick(&left);
                    let made = self.member(name, member, depth);
                    entries.insert(name.clone(), made);
                }
            }
            (Kind::List(element), Value::Array(items)) => {
                for item in items {
                    self.enrich(item, element, depth + 1);
                }
            }
            _ => {}
        }
    }

    /// A value for a member.
    pub(crate) fn member(&mut self, name: &str, shape: &Shape, depth: usize) -> Value {
        match (self.named(name), &shape.kind) {
            (Some(text), Kind::Text { values, .. }) if values.is_empty() => Value::from(text),
            (Some(text), Kind::List(element)) if matches!(element.kind, Kind::Text { .. }) => json!([text]),
            _ => self.value(shape, depth),
        }
    }

    /// A value of a shape.
    pub(crate) fn value(&mut self, shape: &Shape, depth: usize) -> Value {
        match &shape.kind {
            Kind::Structure { members, required } => {
                let mut made = Map::new();
                for (name, member) in members {
                    let wanted = required.contains(name) || (depth < DEEPEST && self.dice.percent(40));
                    if wanted {
                        made.insert(name.clone(), self.member(name, member, depth + 1));
                    }
                }
                made.into()
            }
            Kind::List(element) => {
                let least = shape.least.map_or(0, |least| least as usize);
                let count = least.max(self.dice.below(3));
                (0..count).map(|_| self.value(element, depth + 1)).collect()
            }
            Kind::Map(element) => {
                let count = self.dice.below(3);
                (0..count).map(|n| (format!("key{n}"), self.value(element, depth + 1))).collect()
            }
            Kind::Text { values, .. } if !values.is_empty() => Value::from(self.dice.pick(values).as_str()),
            Kind::Text { .. } => {
                Value::from(*self.dice.pick(&["a", "x-1", "app", "80", "256", "/tmp", "true"]))
            }
            Kind::Integer { .. } => {
                let least = shape.least.unwrap_or(0.0) as i64;
                let most = shape.most.unwrap_or(100.0).min(least as f64 + 100.0) as i64;
                Value::from(least + self.dice.below((most - least + 1) as usize) as i64)
            }
            Kind::Number => Value::from(shape.least.unwrap_or(0.0) + self.dice.below(50) as f64),
            Kind::Time => json!(1_800_000_000.25 + self.dice.below(1000) as f64),
            Kind::Flag => Value::from(self.dice.percent(50)),
            Kind::Anything => json!({"any": ["thing"]}),
        }
    }

    /// What members of this name can say here.
    fn named(&mut self, name: &str) -> Option<String> {
        let scene = self.scene;
        let lower = name.to_ascii_lowercase();
        let text = match name {
            "cluster" | "clusters" | "clusterArn" => {
                self.one(&["default", "spare", "arn:aws:ecs:eu-central-1:111122223333:cluster/default"])
            }
            "service" | "services" => self.one(&["web", "far", "daemons", "sets", "gone"]),
            "task" | "tasks" => self.dice.pick(&scene.tasks).clone(),
            "containerInstance" | "containerInstances" => self.dice.pick(&scene.instances).clone(),
            "taskDefinition" | "taskDefinitions" => self.one(&["web", "web:1", "far:1", "old:1"]),
            "daemonArn" => scene.daemon.clone(),
            "capacityProvider" | "capacityProviders" => {
                self.one(&["FARGATE", "group", "managed", "FARGATE_SPOT"])
            }
            "gateway" | "gatewayName" => "front".to_owned(),
            "containerName" => self.one(&["app", "Main"]),
            "portName" => "http".to_owned(),
            "namespace" => self.one(&["mesh", "net.core.somaxconn"]),
            "subnets" => "subnet-1".to_owned(),
            "securityGroups" => "sg-1".to_owned(),
            "expression" => self.one(&["attribute:stack == blue", "task:group == x"]),
            "field" => self.one(&["instanceId", "memory", "attribute:ecs.availability-zone"]),
            "targetGroupArn" => {
                "arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/web/0123456789abcdef"
                    .into()
            }
            "targetId" => self.dice.pick(&scene.instances).clone(),
            "principalArn" => "arn:aws:iam::111122223333:user/someone".to_owned(),
            "key" => format!("key{}", self.dice.below(5)),
            "value" => self.one(&["", "a", "10", "enabled"]),
            "nextToken" => return None,
            _ if lower.ends_with("rolearn") => ROLE.to_owned(),
            _ => return None,
        };
        Some(text)
    }

    fn one(&mut self, of: &[&str]) -> String {
        (*self.dice.pick(of)).to_owned()
    }

    /// What a request of this operation needs to succeed.
    fn needed(&mut self, operation: &str) -> Value {
        let fresh = format!("n{}", self.dice.below(1_000_000));
        let scene = self.scene;
        let cluster = self.one(&["default", "arn:aws:ecs:eu-central-1:111122223333:cluster/default"]);
        let service = self.one(&["web", "far", "sets", "daemons"]);
        let task = self.dice.pick(&scene.tasks).clone();
        let instance = self.dice.pick(&scene.instances).clone();
        let tags = json!([{"key": "team", "value": "x"}]);
        match operation {
            "AssociateGatewayWithCluster" | "DisassociateGatewayFromCluster" => {
                json!({"gateway": "front", "cluster": self.one(&["default", "spare"])})
            }
            "ContinueServiceDeployment" => {
                json!({"serviceDeploymentArn": scene.paused[0], "hookId": scene.paused[1]})
            }
            "StopServiceDeployment" if self.dice.percent(50) => {
                json!({"serviceDeploymentArn": scene.paused[0]})
            }
            "StopServiceDeployment" => json!({"serviceDeploymentArn": self.dice.pick(&scene.deployments)}),
            "DeleteGateway" => json!({"gateway": "idle"}),
            "CreateCapacityProvider" if self.dice.percent(50) => {
                json!({"name": fresh, "autoScalingGroupProvider": {"autoScalingGroupArn": "nodes"}})
            }
            "CreateCapacityProvider" => {
                json!({"name": fresh, "cluster": cluster, "managedInstancesProvider": scene::managed()})
            }
            "UpdateCapacityProvider" if self.dice.percent(50) => {
                json!({"name": "group", "autoScalingGroupProvider": {"managedDraining": "DISABLED"}})
            }
            "UpdateCapacityProvider" => {
                json!({"name": "managed", "cluster": cluster, "managedInstancesProvider": scene::managed()})
            }
            "DeleteCapacityProvider" => json!({"capacityProvider": self.one(&["idle", "group", "managed"])}),
            "PutClusterCapacityProviders" => json!({
                "cluster": "spare", "capacityProviders": ["FARGATE", "group"],
                "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1, "base": 1}],
            }),
            "CreateCluster" => json!({"clusterName": fresh, "tags": tags}),
            "DeleteCluster" => json!({"cluster": self.one(&["spare", "gone", "default"])}),
            "UpdateCluster" | "UpdateClusterSettings" => json!({
                "cluster": cluster, "settings": [{"name": "containerInsights", "value": "enabled"}],
            }),
            "CreateDaemon" => json!({
                "daemonName": fresh, "daemonTaskDefinitionArn": ME.arn("daemon-task-definition/agent:1"),
                "capacityProviderArns": [ME.arn("capacity-provider/managed")], "tags": tags,
            }),
            "UpdateDaemon" => json!({
                "daemonArn": scene.daemon, "daemonTaskDefinitionArn": ME.arn("daemon-task-definition/agent:1"),
                "capacityProviderArns": [ME.arn("capacity-provider/managed")],
            }),
            "DescribeDaemonDeployments" => json!({"daemonDeploymentArns": scene.daemon_deployments}),
            "DescribeDaemonRevisions" => json!({"daemonRevisionArns": scene.daemon_revisions}),
            "DeleteDaemonTaskDefinition" | "DescribeDaemonTaskDefinition" => {
                json!({"daemonTaskDefinition": ME.arn("daemon-task-definition/agent:1")})
            }
            "RegisterDaemonTaskDefinition" => json!({
                "family": "agent", "containerDefinitions": [{"name": "agent", "image": "agent", "memory": 16}],
            }),
            "CreateExpressGatewayService" => json!({
                "serviceName": fresh, "infrastructureRoleArn": ROLE, "executionRoleArn": ROLE,
                "primaryContainer": {"image": "nginx"},
            }),
            "UpdateExpressGatewayService" => {
                json!({"serviceArn": scene.express, "cpu": "512", "memory": "1024"})
            }
            "DescribeExpressGatewayService" | "DeleteExpressGatewayService" => {
                json!({"serviceArn": scene.express})
            }
            "CreateGateway" => json!({
                "name": fresh, "infrastructureRoleArn": ROLE, "configuration": {"hostSharedAlb": {}},
            }),
            "UpdateGateway" => {
                json!({"gateway": "front", "configuration": {"hostSharedAlb": {"maxAlbCount": 3}}})
            }
            "DescribeGatewayRoute" => json!({"gatewayRouteArn": scene.route}),
            "CreateService" => self.service(&fresh),
            "UpdateService" => self.update(&service),
            "DeleteService" => json!({"service": service, "force": true}),
            "DescribeServices" => json!({"services": [service, "gone"]}),
            "CreateTaskSet" => json!({"cluster": cluster, "service": "sets", "taskDefinition": "web"}),
            "UpdateTaskSet" => json!({
                "cluster": cluster, "service": "sets", "taskSet": scene.task_set,
                "scale": {"value": 50.0, "unit": "PERCENT"},
            }),
            "DeleteTaskSet" => json!({"cluster": cluster, "service": "sets", "taskSet": scene.task_set}),
            "UpdateServicePrimaryTaskSet" => {
                json!({"cluster": cluster, "service": "sets", "primaryTaskSet": scene.task_set})
            }
            "DescribeTaskSets" => json!({"cluster": cluster, "service": "sets"}),
            "DeleteAttributes" | "PutAttributes" => json!({"attributes": [{
                "name": "stack", "value": "green", "targetType": "container-instance", "targetId": instance,
            }]}),
            "ListAttributes" => json!({"targetType": "container-instance"}),
            "PutAccountSetting" | "PutAccountSettingDefault" => {
                json!({"name": "containerInsights", "value": self.one(&["enabled", "disabled", "enhanced"])})
            }
            "DeleteAccountSetting" => json!({"name": "containerInsights"}),
            "DeleteTaskDefinitions" => json!({"taskDefinitions": ["old:1"]}),
            "DeregisterTaskDefinition" => json!({"taskDefinition": self.one(&["web:1", "old:1"])}),
            "DescribeServiceDeployments" => json!({"serviceDeploymentArns": scene.deployments}),
            "DescribeServiceRevisions" => json!({"serviceRevisionArns": scene.revisions}),
            "ListServicesByNamespace" => json!({"namespace": "mesh"}),
            "ExecuteCommand" => json!({"command": "ls", "interactive": true, "task": scene.exec_task}),
            "GetTaskProtection" => json!({"cluster": cluster, "tasks": [task]}),
            "UpdateTaskProtection" => json!({"cluster": cluster, "tasks": [task], "protectionEnabled": true}),
            "RegisterContainerInstance" => json!({"totalResources": scene::resources()}),
            "UpdateContainerAgent" | "DeregisterContainerInstance" => {
                json!({"containerInstance": scene.agent, "force": true})
            }
            "UpdateContainerInstancesState" => {
                json!({"containerInstances": [instance], "status": self.one(&["ACTIVE", "DRAINING"])})
            }
            "RegisterTaskDefinition" if self.dice.percent(40) => scene::fargate(&fresh),
            "RegisterTaskDefinition" => self.definition(&fresh),
            "RunTask" if self.dice.percent(40) => json!({
                "taskDefinition": "far", "launchType": "FARGATE", "networkConfiguration": scene::network(),
            }),
            "RunTask" => json!({
                "taskDefinition": "web", "tags": tags,
                "overrides": {"containerOverrides": [{"name": "app", "command": ["x"], "cpu": 1}]},
            }),
            "StartTask" => json!({"taskDefinition": "web", "containerInstances": [instance]}),
            "SubmitAttachmentStateChanges" => json!({"attachments": [{
                "attachmentArn": ME.arn(&format!("attachment/{}", scene.attachment)), "status": "ATTACHED",
            }]}),
            "SubmitContainerStateChange" => {
                json!({"task": task, "containerName": "app", "status": "RUNNING"})
            }
            "SubmitTaskStateChange" => json!({"task": task, "status": "RUNNING"}),
            "TagResource" => json!({"resourceArn": self.tagged(), "tags": tags}),
            "UntagResource" => json!({"resourceArn": self.tagged(), "tagKeys": ["team"]}),
            "ListTagsForResource" => json!({"resourceArn": self.tagged()}),
            _ => json!({}),
        }
    }

    fn definition(&mut self, family: &str) -> Value {
        let mut definition = scene::definition(family);
        definition["volumes"] = json!([{"name": "data", "host": {"sourcePath": "/data"}}]);
        let app = &mut definition["containerDefinitions"][0];
        app["mountPoints"] = json!([{"sourceVolume": "data", "containerPath": "/data"}]);
        app["environment"] = json!([{"name": "A", "value": "b"}]);
        app["healthCheck"] = json!({"command": ["CMD", "true"]});
        app["logConfiguration"] = json!({"logDriver": "json-file", "options": {"max-size": "1m"}});
        app["ulimits"] = json!([{"name": "nofile", "softLimit": 1, "hardLimit": 2}]);
        app["linuxParameters"] = json!({"initProcessEnabled": true, "capabilities": {"add": ["ALL"]}});
        definition
    }

    fn service(&mut self, name: &str) -> Value {
        let mut request = json!({"serviceName": name, "taskDefinition": "web", "desiredCount": 1});
        match self.dice.below(4) {
            0 => {
                request["taskDefinition"] = json!("far");
                request["launchType"] = json!("FARGATE");
                request["networkConfiguration"] = scene::network();
                request["serviceConnectConfiguration"] = json!({
                    "enabled": true, "namespace": "mesh",
                    "services": [{"portName": "http", "clientAliases": [{"port": 80, "dnsName": "web"}]}],
                });
            }
            1 => {
                request["deploymentConfiguration"] = json!({
                    "maximumPercent": 200, "minimumHealthyPercent": 50,
                    "deploymentCircuitBreaker": {"enable": true, "rollback": true},
                });
                request["placementStrategy"] = json!([{"type": "spread", "field": "host"}]);
                request["placementConstraints"] = json!([{"type": "distinctInstance"}]);
            }
            2 => request["capacityProviderStrategy"] = json!([{"capacityProvider": "group", "weight": 1}]),
            _ => {}
        }
        request
    }

    fn update(&mut self, service: &str) -> Value {
        let mut request = json!({"service": service});
        match self.dice.below(4) {
            0 => request["desiredCount"] = json!(2),
            1 => request["forceNewDeployment"] = json!(true),
            2 => request["deploymentConfiguration"] = json!({"maximumPercent": 150}),
            _ => {
                request["taskDefinition"] = json!(if service == "far" { "far" } else { "web:1" });
                request["placementStrategy"] = json!([{"type": "random"}]);
            }
        }
        request
    }

    fn tagged(&mut self) -> String {
        let scene = self.scene;
        match self.dice.below(9) {
            0 => ME.arn("cluster/default"),
            1 => ME.arn("service/default/web"),
            2 => self.dice.pick(&scene.tasks).clone(),
            3 => ME.arn("task-definition/web:1"),
            4 => self.dice.pick(&scene.instances).clone(),
            5 => ME.arn("capacity-provider/group"),
            6 => scene.daemon.clone(),
            7 => scene.task_set.clone(),
            _ => ME.arn("gateway/front"),
        }
    }
}
