//! `compatibilities`: what a task definition could be run on, whatever it requires.

use super::validate;
use crate::generated as model;
use crate::model::{Compatibility, NetworkMode};

/// Derives the compatibilities of a registration that passed its checks.
///
/// FARGATE is only among them when all of Fargate's rules are kept, so that RunTask can refuse what it couldn't
/// run there.
pub(super) fn derive(request: &model::RegisterTaskDefinitionRequest) -> Vec<Compatibility> {
    if request.trusted_execution_configuration.is_some() {
        return vec![Compatibility::ManagedInstances];
    }
    let network = request.network_mode.unwrap_or(NetworkMode::Bridge);
    if network != NetworkMode::Awsvpc {
        let mut found = vec![Compatibility::External, Compatibility::Ec2];
        let managed = Compatibility::ManagedInstances;
        if request.requires_compatibilities.as_ref().is_some_and(|required| required.contains(&managed)) {
            found.push(managed);
        }
        return found;
    }
    let mut found = vec![Compatibility::Ec2];
    if validate::is_fit_for_fargate(request) {
        found.push(Compatibility::Fargate);
    }
    if !validate::is_windows(request) {
        found.push(Compatibility::ManagedInstances);
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn derived(changes: Value) -> Vec<&'static str> {
        let mut request = json!({
            "family": "web",
            "cpu": "1024",
            "memory": "2048",
            "containerDefinitions": [{"name": "app", "image": "nginx"}],
        });
        for (member, value) in changes.as_object().unwrap() {
            request[member] = value.clone();
        }
        let request = serde_json::from_value(request).unwrap();
        validate::check(&request).unwrap();
        derive(&request).iter().map(Compatibility::as_str).collect()
    }

    #[test]
    fn compatibilities_follow_from_the_network_mode() {
        for mode in [json!(null), json!("none"), json!("bridge"), json!("host")] {
            assert_eq!(derived(json!({"networkMode": mode})), ["EXTERNAL", "EC2"], "{mode}");
        }
        assert_eq!(derived(json!({"networkMode": "awsvpc"})), ["EC2", "FARGATE", "MANAGED_INSTANCES"]);
    }

    #[test]
    fn a_stop_timeout_above_two_minutes_rules_fargate_out() {
        let with_timeout = |seconds: i32| {
            let containers = json!([{"name": "app", "image": "nginx", "stopTimeout": seconds}]);
            derived(json!({"networkMode": "awsvpc", "containerDefinitions": containers}))
        };
        assert_eq!(with_timeout(120), ["EC2", "FARGATE", "MANAGED_INSTANCES"]);
        assert_eq!(with_timeout(121), ["EC2", "MANAGED_INSTANCES"]);
    }

    #[test]
    fn what_fargate_does_not_have_rules_fargate_out() {
        for changes in [
            json!({"cpu": "100000", "memory": "2048"}),
            json!({"volumes": [{"name": "v", "host": {"sourcePath": "/srv"}}]}),
            json!({"placementConstraints": [{"type": "memberOf", "expression": "attribute:a exists"}]}),
            json!({"pidMode": "host"}),
            json!({"containerDefinitions": [{"name": "app", "image": "nginx", "privileged": true}]}),
        ] {
            let mut changes = changes;
            changes["networkMode"] = json!("awsvpc");
            assert_eq!(derived(changes.clone()), ["EC2", "MANAGED_INSTANCES"], "{changes}");
        }
    }

    #[test]
    fn windows_runs_on_ec2_and_fargate() {
        let platform = json!({"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"});
        assert_eq!(
            derived(json!({"networkMode": "awsvpc", "runtimePlatform": platform})),
            ["EC2", "FARGATE"]
        );
    }

    #[test]
    fn a_trusted_execution_only_runs_on_managed_instances() {
        let changes = json!({"trustedExecutionConfiguration": {"isolationMode": "ISOLATED_SANDBOX"}});
        assert_eq!(derived(changes), ["MANAGED_INSTANCES"]);
        let required = json!({"networkMode": "host", "requiresCompatibilities": ["MANAGED_INSTANCES"]});
        assert_eq!(derived(required), ["EXTERNAL", "EC2", "MANAGED_INSTANCES"]);
    }
}
