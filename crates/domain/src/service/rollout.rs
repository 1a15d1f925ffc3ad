//! A new deployment: how it begins, with its revision and its record.

use super::{
    BreakerState, Deployment, DeploymentStatus, RevisionExtras, Service, ServiceDeployment, ServiceRevision,
    threshold,
};
use crate::arn::{ServiceDeploymentKey, ServiceRevisionKey, TaskDefinitionKey};
use crate::generated as model;
use crate::model::{
    DeploymentRolloutState, LaunchType, ServiceDeploymentRollbackMonitorsStatus as Monitors,
    ServiceDeploymentStatus,
};
use crate::name::DeploymentId;
use crate::task_definition::TaskDefinition;
use crate::{Doc, Timestamp};

/// What a new deployment is made of.
#[derive(Clone, Debug)]
pub struct NewDeployment<'a> {
    /// Its number, and that of its revision.
    pub id: DeploymentId,
    /// The identifier of its record; a rollback goes on with the record of the deployment that failed.
    pub record: String,
    /// Its task definition.
    pub definition: &'a TaskDefinition,
    /// Which deployment it rolls back.
    pub rolls_back: Option<DeploymentId>,
    /// `rolloutStateReason`, if it isn't the usual one.
    pub reason: Option<String>,
    /// Now.
    pub now: Timestamp,
}

impl Service {
    /// Puts a new PRIMARY deployment of the service's present settings before the others.
    pub fn open_deployment(&mut self, new: NewDeployment<'_>) {
        for older in &mut self.deployments {
            if older.status == DeploymentStatus::Primary {
                older.status = DeploymentStatus::Active;
                older.updated_at = new.now;
            }
        }
        if self.primary_definition() != Some(&new.definition.key) {
            self.throttle.renew();
        }
        self.steady = false;
        self.said.clear();
        let deployment = Deployment {
            id: new.id,
            status: DeploymentStatus::Primary,
            definition: new.definition.key.clone(),
            desired: 0,
            pending: 0,
            running: 0,
            failed: 0,
            rollout: DeploymentRolloutState::InProgress,
            rollout_reason: new.reason.unwrap_or_else(|| format!("ECS deployment {} in progress.", new.id)),
            created_at: new.now,
            updated_at: new.now,
            settings: self.deployment_settings(new.definition),
            record: new.record,
            breaker: BreakerState::default(),
            seen: false,
            digests_known: false,
            connections: self.new_connections(),
            rolls_back: new.rolls_back,
            stop: None,
            hooks: super::HookState::default(),
        };
        self.deployments.insert(0, deployment);
    }

    fn primary_definition(&self) -> Option<&TaskDefinitionKey> {
        self.deployments.first().map(|newest| &newest.definition)
    }

    /// What a deployment shows of the service's settings.
    fn deployment_settings(&self, definition: &TaskDefinition) -> model::Deployment {
        let fargate =
            self.spec.launch_type == Some(LaunchType::Fargate) || self.spec.platform_version.is_some();
        model::Deployment {
            capacity_provider_strategy: self.spec.capacity_provider_strategy.clone(),
            launch_type: self.spec.launch_type,
            network_configuration: self.spec.network_configuration.clone(),
            platform_version: fargate
                .then(|| crate::task::platform_version(self.spec.platform_version.as_deref()).to_owned()),
            platform_family: fargate.then(|| crate::task::platform_family(&definition.doc).to_owned()),
            service_connect_configuration: self.revision_extras.service_connect.clone(),
            volume_configurations: self.revision_extras.volumes.clone(),
            vpc_lattice_configurations: self.revision_extras.vpc_lattice.clone(),
            ..Default::default()
        }
    }

    /// The revision that a deployment with number `id` brings: a snapshot of the present settings.
    pub fn revision(&self, id: DeploymentId, definition: &TaskDefinition, now: Timestamp) -> ServiceRevision {
        let key = ServiceRevisionKey { service: self.key.clone(), id };
        let settings = self.deployment_settings(definition);
        let images = definition.doc.container_definitions.iter().flatten();
        let doc = model::ServiceRevision {
            service_revision_arn: Some(key.arn()),
            service_arn: self.spec.service_arn.clone(),
            cluster_arn: self.spec.cluster_arn.clone(),
            task_definition: Some(definition.key.arn()),
            capacity_provider_strategy: settings.capacity_provider_strategy,
            launch_type: settings.launch_type,
            platform_version: settings.platform_version,
            platform_family: settings.platform_family,
            load_balancers: filled(self.spec.load_balancers.as_ref()),
            service_registries: filled(self.spec.service_registries.as_ref()),
            network_configuration: settings.network_configuration,
            container_images: Some(
                images
                    .map(|container| model::ContainerImage {
                        container_name: container.name.clone(),
                        image: container.image.clone(),
                        ..Default::default()
                    })
                    .collect(),
            ),
            guard_duty_enabled: Some(false),
            service_connect_configuration: settings.service_connect_configuration,
            volume_configurations: settings.volume_configurations,
            vpc_lattice_configurations: settings.vpc_lattice_configurations,
            gateway_connectors: self.revision_extras.gateway_connectors.clone(),
            monitoring: self.revision_extras.monitoring.clone(),
            ecs_managed_resources: self.managed_resources(),
            created_at: Some(now),
            ..Default::default()
        };
        ServiceRevision {
            key,
            doc: Doc::new(doc),
            spec: self.spec.clone(),
            extras: self.revision_extras.clone(),
        }
    }

    /// The record of the deployment with number `target`, replacing the present deployments.
    pub fn record(&self, id: String, target: DeploymentId, now: Timestamp) -> ServiceDeployment {
        let key = ServiceDeploymentKey { service: self.key.clone(), id };
        let revision_arn = |id| ServiceRevisionKey { service: self.key.clone(), id }.arn();
        let configuration = self.spec.deployment_configuration.clone();
        let breaker = configuration.as_ref().and_then(|c| c.deployment_circuit_breaker.as_ref());
        let doc = model::ServiceDeployment {
            service_deployment_arn: Some(key.arn()),
            service_arn: self.spec.service_arn.clone(),
            cluster_arn: self.spec.cluster_arn.clone(),
            created_at: Some(now),
            updated_at: Some(now),
            source_service_revisions: Some(
                self.deployments
                    .iter()
                    .map(|source| model::ServiceRevisionSummary {
                        arn: Some(revision_arn(source.id)),
                        requested_task_count: Some(source.desired),
                        running_task_count: Some(source.running),
                        pending_task_count: Some(source.pending),
                        ..Default::default()
                    })
                    .collect(),
            ),
            target_service_revision: Some(model::ServiceRevisionSummary {
                arn: Some(revision_arn(target)),
                requested_task_count: Some(self.desired_count()),
                running_task_count: Some(0),
                pending_task_count: Some(0),
                ..Default::default()
            }),
            status: Some(ServiceDeploymentStatus::Pending),
            deployment_circuit_breaker: Some(model::ServiceDeploymentCircuitBreaker {
                status: Some(if breaker.is_some_and(|b| b.enable) {
                    Monitors::Monitoring
                } else {
                    Monitors::Disabled
                }),
                failure_count: Some(0),
                threshold: breaker.map(|breaker| threshold(breaker, self.desired_count())),
            }),
            alarms: Some(model::ServiceDeploymentAlarms {
                status: Some(Monitors::Disabled),
                ..Default::default()
            }),
            deployment_configuration: configuration,
            ..Default::default()
        };
        ServiceDeployment { key, target, doc: Doc::new(doc) }
    }

    /// Puts back the settings of an earlier revision. The desired count, tags and what else isn't of a revision
    /// stay.
    pub fn restore_revision(&mut self, revision: &ServiceRevision) {
        let (spec, old) = (&mut self.spec, &revision.spec);
        spec.task_definition.clone_from(&old.task_definition);
        spec.launch_type = old.launch_type;
        spec.capacity_provider_strategy.clone_from(&old.capacity_provider_strategy);
        spec.platform_version.clone_from(&old.platform_version);
        spec.platform_family.clone_from(&old.platform_family);
        spec.network_configuration.clone_from(&old.network_configuration);
        spec.load_balancers.clone_from(&old.load_balancers);
        spec.service_registries.clone_from(&old.service_registries);
        self.revision_extras = RevisionExtras { ..revision.extras.clone() };
    }
}

/// A list that is shown only if it isn't empty.
fn filled<T: Clone>(list: Option<&Vec<T>>) -> Option<Vec<T>> {
    list.filter(|list| !list.is_empty()).cloned()
}
