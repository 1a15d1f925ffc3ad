//! A service as DescribeServices answers it.

use super::{Deployment, Service, ServiceDeployment, ServiceStatus, is_finished};
use crate::arn::{ServiceDeploymentKey, ServiceRevisionKey};
use crate::generated as model;
use crate::model::{DeploymentControllerType, DeploymentRolloutState};

impl Deployment {
    /// The deployment as DescribeServices answers it.
    pub fn view(&self) -> model::Deployment {
        model::Deployment {
            id: Some(self.id.to_string()),
            status: Some(self.status.as_str().to_owned()),
            task_definition: Some(self.definition.arn()),
            desired_count: Some(self.desired),
            pending_count: Some(self.pending),
            running_count: Some(self.running),
            failed_tasks: Some(self.failed),
            created_at: Some(self.created_at),
            updated_at: Some(self.updated_at),
            rollout_state: Some(self.rollout),
            rollout_state_reason: Some(self.rollout_reason.clone()),
            ..self.settings.clone()
        }
    }
}

impl Service {
    /// The service as DescribeServices answers it; its tags are shown on demand.
    pub fn view(&self, with_tags: bool) -> model::Service {
        let inactive = self.status == ServiceStatus::Inactive;
        let mut view = self.spec.clone();
        view.status = Some(self.status.as_str().to_owned());
        view.running_count = Some(self.running);
        view.pending_count = Some(self.pending);
        view.deployments = Some(self.deployments.iter().map(Deployment::view).collect());
        // An INACTIVE service has no events left. (recorded)
        view.events = Some(if inactive { Vec::new() } else { self.events.iter().cloned().collect() });
        view.tags = with_tags.then(|| self.tags.clone());
        if self.controller() == DeploymentControllerType::External {
            let tags = |set: &super::TaskSet| if with_tags { set.tags.clone() } else { Vec::new() };
            // Its task sets are shown with tags in any case. (recorded)
            let sets = self.task_sets.iter().map(|set| set.view(self, Some(tags(set))));
            view.task_sets = Some(sets.collect());
        }
        if !inactive {
            view.current_service_deployment = self.current_record().map(|key| key.arn());
            view.current_service_revisions = Some(
                self.deployments
                    .iter()
                    .map(|deployment| model::ServiceCurrentRevisionSummary {
                        arn: Some(ServiceRevisionKey { service: self.key.clone(), id: deployment.id }.arn()),
                        requested_task_count: Some(deployment.desired),
                        running_task_count: Some(deployment.running),
                        pending_task_count: Some(deployment.pending),
                    })
                    .collect(),
            );
        }
        view
    }

    /// The service as CreateService and UpdateService answer it: ECS takes a deployment up after its answer, and
    /// names it only then. (recorded)
    pub fn answer(&self, with_tags: bool) -> model::Service {
        model::Service { current_service_deployment: None, ..self.view(with_tags) }
    }

    /// The record of the deployment that is under way.
    pub fn current_record(&self) -> Option<ServiceDeploymentKey> {
        let primary = self.primary().filter(|one| one.rollout == DeploymentRolloutState::InProgress)?;
        Some(ServiceDeploymentKey { service: self.key.clone(), id: primary.record.clone() })
    }
}

impl ServiceDeployment {
    /// The record as DescribeServiceDeployments answers it: while it is under way, with the counts of now.
    pub fn view(&self, service: Option<&Service>) -> model::ServiceDeployment {
        let mut view = (*self.doc).clone();
        let Some(service) = service.filter(|_| !is_finished(self.status())) else {
            return view;
        };
        let targets = service.deployments.iter().find(|deployment| deployment.id == self.target);
        if let (Some(target), Some(shown)) = (targets, view.target_service_revision.as_mut()) {
            shown.requested_task_count = Some(target.desired);
            shown.running_task_count = Some(target.running);
            shown.pending_task_count = Some(target.pending);
            if let Some(breaker) = &mut view.deployment_circuit_breaker {
                breaker.failure_count = Some(target.breaker.failures);
            }
        }
        for shown in view.source_service_revisions.iter_mut().flatten() {
            let source = service.deployments.iter().find(|deployment| {
                shown.arn.as_deref()
                    == Some(&*ServiceRevisionKey { service: service.key.clone(), id: deployment.id }.arn())
            });
            shown.requested_task_count = Some(source.map_or(0, |source| source.desired));
            shown.running_task_count = Some(source.map_or(0, |source| source.running));
            shown.pending_task_count = Some(source.map_or(0, |source| source.pending));
        }
        view
    }
}
