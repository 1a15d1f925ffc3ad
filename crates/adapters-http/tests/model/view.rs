//! Everything that an account sees in a region, through the lists and descriptions of the API.

use serde_json::{Value, json};

use crate::world::{Who, World};

/// All of it, without what moves by itself: `events` and counts are not what a request sets.
pub(crate) fn everything(world: &World, who: Who) -> Vec<Value> {
    let look = Look { world, who };
    let mut all = Vec::new();
    let clusters = look.list("ListClusters", "clusterArns", json!({}));
    let include = ["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"];
    for cluster in &clusters {
        let within = json!({"cluster": cluster});
        all.push(look.ok("DescribeClusters", json!({"clusters": [cluster], "include": include})));
        for status in ["RUNNING", "STOPPED"] {
            let of_status = json!({"cluster": cluster, "desiredStatus": status});
            for task in look.list("ListTasks", "taskArns", of_status) {
                let named = json!({"cluster": cluster, "tasks": [task]});
                let mut with_tags = named.clone();
                with_tags["include"] = json!(["TAGS"]);
                all.push(look.ok("DescribeTasks", with_tags));
                all.push(look.ok("GetTaskProtection", named));
            }
        }
        for service in look.list("ListServices", "serviceArns", within.clone()) {
            all.push(look.ok(
                "DescribeServices",
                json!({
                    "cluster": cluster, "services": [service], "include": ["TAGS"],
                }),
            ));
            let named = json!({"cluster": cluster, "service": service});
            all.extend(look.list("ListServiceDeployments", "serviceDeployments", named));
        }
        let instances = json!({"cluster": cluster});
        for instance in look.list("ListContainerInstances", "containerInstanceArns", instances) {
            all.push(look.ok(
                "DescribeContainerInstances",
                json!({
                    "cluster": cluster, "containerInstances": [instance], "include": ["TAGS"],
                }),
            ));
        }
        for daemon in look.list("ListDaemons", "daemonSummariesList", json!({"clusterArn": cluster})) {
            let named = json!({"daemonArn": daemon["daemonArn"]});
            all.push(look.ok("DescribeDaemon", named.clone()));
            all.push(look.ok("ListTagsForResource", json!({"resourceArn": daemon["daemonArn"]})));
            all.extend(look.list("ListDaemonDeployments", "daemonDeployments", named));
        }
        for gateway in look.list("ListGatewayClusterAssociations", "gatewayClusterAssociations", within) {
            all.push(gateway);
        }
    }
    for status in ["ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"] {
        for arn in look.list("ListTaskDefinitions", "taskDefinitionArns", json!({"status": status})) {
            all.push(look.ok("DescribeTaskDefinition", json!({"taskDefinition": arn, "include": ["TAGS"]})));
        }
    }
    for one in look.list("ListDaemonTaskDefinitions", "daemonTaskDefinitions", json!({})) {
        all.push(look.ok("DescribeDaemonTaskDefinition", json!({"daemonTaskDefinition": one["arn"]})));
        all.push(look.ok("ListTagsForResource", json!({"resourceArn": one["arn"]})));
    }
    for gateway in look.list("ListGateways", "gateways", json!({})) {
        all.push(look.ok("DescribeGateway", json!({"gateway": gateway["gatewayArn"]})));
        all.push(look.ok("ListTagsForResource", json!({"resourceArn": gateway["gatewayArn"]})));
    }
    all.extend(look.list("ListGatewayRoutes", "gatewayRoutes", json!({})));
    all.extend(look.list("DescribeCapacityProviders", "capacityProviders", json!({"include": ["TAGS"]})));
    all.extend(look.list("ListAccountSettings", "settings", json!({"effectiveSettings": true})));
    all
}

struct Look<'a> {
    world: &'a World,
    who: Who,
}

impl Look<'_> {
    fn ok(&self, operation: &str, request: Value) -> Value {
        self.world.ok_as(self.who, operation, &request)
    }

    /// All pages of a list.
    fn list(&self, operation: &str, member: &str, mut request: Value) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let answer = self.ok(operation, request.clone());
            all.extend(answer[member].as_array().cloned().unwrap_or_default());
            let Some(token) = answer.get("nextToken") else { return all };
            request["nextToken"] = token.clone();
        }
    }
}
