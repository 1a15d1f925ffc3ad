//! How many may be missing, and how many too many: percentages of ECS as Kubernetes' own.

use k8s_openapi::api::apps::v1::{
    DaemonSetUpdateStrategy, DeploymentStrategy, RollingUpdateDaemonSet, RollingUpdateDeployment,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kecs_domain::model::{self, CreateServiceRequest};

use super::template::note;
use crate::translate::Note;

/// The bounds of a service's deployments.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// `minimumHealthyPercent`
    pub(super) minimum: i32,
    /// `maximumPercent`
    maximum: i32,
}

impl Bounds {
    /// Those of a service, with ECS's defaults. (API reference, DeploymentConfiguration)
    pub(super) fn of(service: &CreateServiceRequest, daemon: bool) -> Self {
        let configuration = service.deployment_configuration.as_ref();
        let (minimum, maximum) = if daemon { (0, 100) } else { (100, 200) };
        Self {
            minimum: configuration.and_then(|it| it.minimum_healthy_percent).unwrap_or(minimum),
            maximum: configuration.and_then(|it| it.maximum_percent).unwrap_or(maximum),
        }
    }

    /// May be missing, in percent. Kubernetes rounds the tasks down, as ECS does by rounding the minimum up.
    fn unavailable(self) -> i32 {
        (100 - self.minimum).clamp(0, 100)
    }

    /// May be too many, in percent.
    fn surge(self) -> i32 {
        (self.maximum - 100).max(0)
    }

    /// The strategy of a Deployment.
    pub(super) fn deployment(self, notes: &mut Vec<Note>) -> DeploymentStrategy {
        let (unavailable, mut surge) = (percent(self.unavailable()), percent(self.surge()));
        if self.unavailable() == 0 && self.surge() == 0 {
            notes.push(note(
                "deploymentConfiguration",
                "With these percentages no task may be missing and none may be too many, so that nothing could be \
                 replaced; Kubernetes refuses that. One Pod more is allowed here.",
            ));
            surge = IntOrString::Int(1);
        }
        DeploymentStrategy {
            type_: Some("RollingUpdate".to_owned()),
            rolling_update: Some(RollingUpdateDeployment {
                max_unavailable: Some(unavailable),
                max_surge: Some(surge),
            }),
        }
    }

    /// The strategy of a DaemonSet: on each node the old Pod ends before the new one starts, as in ECS.
    pub(super) fn daemon_set(self) -> DaemonSetUpdateStrategy {
        // None at all would be refused.
        let unavailable = match self.unavailable() {
            0 => IntOrString::Int(1),
            share => percent(share),
        };
        DaemonSetUpdateStrategy {
            type_: Some("RollingUpdate".to_owned()),
            rolling_update: Some(RollingUpdateDaemonSet {
                max_unavailable: Some(unavailable),
                max_surge: None,
            }),
        }
    }
}

fn percent(share: i32) -> IntOrString {
    IntOrString::String(format!("{share}%"))
}

/// What of the deployments' configuration Kubernetes' controllers don't do.
pub(super) fn note_configuration(service: &CreateServiceRequest, notes: &mut Vec<Note>) {
    use model::{DeploymentControllerType, DeploymentStrategy};
    let mut says = |is: bool, member: &str, what: &str| {
        if is {
            notes.push(note(member, what));
        }
    };
    let controller = service.deployment_controller.as_ref().map(|it| it.r#type);
    says(
        controller.is_some_and(|it| it != DeploymentControllerType::Ecs),
        "deploymentController",
        "Deployments are Kubernetes' own rolling updates here, not those of an outside controller.",
    );
    let Some(configuration) = &service.deployment_configuration else { return };
    let breaker = configuration.deployment_circuit_breaker.as_ref().filter(|it| it.enable);
    says(
        breaker.is_some(),
        "deploymentConfiguration.deploymentCircuitBreaker",
        if breaker.is_some_and(|it| it.rollback) {
            "Kubernetes stops waiting after progressDeadlineSeconds and says so in the condition Progressing, but \
             rolls nothing back: use kubectl rollout undo, or a tool that does."
        } else {
            "Kubernetes stops waiting after progressDeadlineSeconds and says so in the condition Progressing."
        },
    );
    says(
        configuration.strategy.is_some_and(|it| it != DeploymentStrategy::Rolling),
        "deploymentConfiguration.strategy",
        "It is a rolling update here: blue/green, linear and canary need a tool such as a progressive delivery \
         controller.",
    );
    says(
        configuration.alarms.is_some(),
        "deploymentConfiguration.alarms",
        "No alarm ends or rolls back a rolling update.",
    );
    says(
        configuration.lifecycle_hooks.as_ref().is_some_and(|hooks| !hooks.is_empty()),
        "deploymentConfiguration.lifecycleHooks",
        "Rolling updates call no hooks.",
    );
    says(
        configuration.bake_time_in_minutes.is_some_and(|minutes| minutes > 0),
        "deploymentConfiguration.bakeTimeInMinutes",
        "A rolling update is over when the last Pod is available: old Pods are not kept longer.",
    );
}
