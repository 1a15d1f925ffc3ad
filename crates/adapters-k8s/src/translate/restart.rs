//! `restartPolicy`: containers that are started again in place, by rules of their own within the Pod.

use k8s_openapi::api::core::v1::{Container, ContainerRestartRule, ContainerRestartRuleOnExitCodes};
use kecs_domain::model::ContainerDefinition;

use super::Notes;
use super::order::Position;

/// The policy and the rules of a container.
pub(super) fn of_container(
    container: &ContainerDefinition,
    position: Position,
    supported: bool,
    path: &str,
    notes: &mut Notes,
) -> (Option<String>, Option<Vec<ContainerRestartRule>>) {
    if matches!(position, Position::Sidecar { .. }) {
        // What makes an init container a sidecar.
        return (Some("Always".to_owned()), None);
    }
    let Some(policy) = container.restart_policy.as_ref().filter(|policy| policy.enabled) else {
        return (None, None);
    };
    let member = || format!("{path}.restartPolicy");
    if position == Position::Init {
        notes.add(member(), "The container is not restarted: others wait for its first end.");
        return (None, None);
    }
    if !supported {
        notes.add(member(), "The container is not restarted in place: that needs Kubernetes 1.35.");
        return (None, None);
    }
    if policy.restart_attempt_period.is_some() {
        notes.add(
            format!("{path}.restartPolicy.restartAttemptPeriod"),
            "Kubernetes restarts at once, then after pauses that grow from ten seconds to five minutes.",
        );
    }
    match policy.ignored_exit_codes.as_deref() {
        None | Some([]) => (Some("Always".to_owned()), None),
        Some(ignored) => {
            let codes = ContainerRestartRuleOnExitCodes {
                operator: "NotIn".to_owned(),
                values: Some(ignored.to_vec()),
            };
            let rule = ContainerRestartRule { action: "Restart".to_owned(), exit_codes: Some(codes) };
            (Some("Never".to_owned()), Some(vec![rule]))
        }
    }
}

/// Whether a main container that ended with this code is started again, if its Pod lasts.
pub(crate) fn starts_again(container: &Container, code: i32) -> bool {
    let by_rule = container.restart_policy_rules.iter().flatten().any(|rule| {
        rule.exit_codes.as_ref().is_some_and(|codes| {
            let named = codes.values.iter().flatten().any(|value| *value == code);
            rule.action == "Restart" && named == (codes.operator == "In")
        })
    });
    by_rule || container.restart_policy.as_deref() == Some("Always")
}
