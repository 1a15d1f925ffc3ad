//! An Express service as its operations answer it.

use super::Wanted;
use crate::Timestamp;
use crate::endpoint;
use crate::generated as model;
use crate::model::{
    AccessType, ECSExpressGatewayService, ExpressGatewayServiceConfiguration,
    ExpressGatewayServiceNetworkConfiguration, ExpressGatewayServiceStatus, ExpressGatewayServiceStatusCode,
    IngressPathSummary, UpdatedExpressGatewayService,
};
use crate::service::{Service, ServiceRevision, ServiceStatus};

/// One revision, read off its stored snapshot and its task definition, which may be gone.
pub fn configuration(
    revision: &ServiceRevision,
    definition: Option<&model::TaskDefinition>,
) -> ExpressGatewayServiceConfiguration {
    let read = definition.map(Wanted::read).unwrap_or_default();
    let vpc = revision.spec.network_configuration.as_ref();
    let vpc = vpc.and_then(|network| network.awsvpc_configuration.as_ref());
    let express = revision.extras.express.as_ref();
    ExpressGatewayServiceConfiguration {
        service_revision_arn: Some(revision.key.arn()),
        execution_role_arn: read.execution_role,
        task_role_arn: read.task_role,
        task_definition_arn: revision.doc.task_definition.clone(),
        cpu: read.cpu,
        memory: read.memory,
        cpu_architecture: read.architecture,
        network_configuration: vpc.map(|vpc| ExpressGatewayServiceNetworkConfiguration {
            security_groups: vpc.security_groups.clone(),
            subnets: Some(vpc.subnets.clone()).filter(|subnets| !subnets.is_empty()),
        }),
        health_check_path: express.map(|express| express.health_check_path.clone()),
        primary_container: read.container,
        scaling_target: express.map(|express| express.scaling.clone()),
        ingress_paths: Some(vec![ingress_path(revision)]),
        created_at: revision.doc.created_at,
    }
}

/// The entry point of the service. It is the same for all its revisions, and always the same.
fn ingress_path(revision: &ServiceRevision) -> IngressPathSummary {
    IngressPathSummary { access_type: AccessType::Public, endpoint: url(&revision.key.service) }
}

/// The address of an Express service; [`endpoint`] says what it would take for something to answer there.
pub fn url(service: &crate::arn::ServiceKey) -> String {
    format!("https://{}/", endpoint::host(&service.cluster.scope, service.name.as_str(), &service.arn()))
}

impl Service {
    /// What ECS manages for a revision: the entry point of an Express service, the connections to gateways, and
    /// nothing of which we'd have to make up a state.
    pub(crate) fn managed_resources(&self) -> Option<model::ECSManagedResources> {
        let (express, connections) = (self.revision_extras.express.as_ref(), self.gateway_connections());
        if express.is_none() && connections.is_none() {
            return None;
        }
        Some(model::ECSManagedResources {
            gateway_connections: connections,
            ingress_paths: express.map(|_| {
                vec![model::ManagedIngressPath {
                    access_type: AccessType::Public,
                    endpoint: url(&self.key),
                    load_balancer: None,
                    load_balancer_security_groups: None,
                    certificate: None,
                    listener: None,
                    rule: None,
                    target_groups: None,
                }]
            }),
            ..Default::default()
        })
    }

    fn express_status(&self) -> ExpressGatewayServiceStatus {
        ExpressGatewayServiceStatus {
            status_code: Some(match self.status {
                ServiceStatus::Active => ExpressGatewayServiceStatusCode::Active,
                ServiceStatus::Draining => ExpressGatewayServiceStatusCode::Draining,
                ServiceStatus::Inactive => ExpressGatewayServiceStatusCode::Inactive,
            }),
            status_reason: None,
        }
    }

    /// When its configuration last changed: its newest deployment.
    fn express_updated_at(&self) -> Option<Timestamp> {
        self.deployments.first().map(|newest| newest.created_at).or(self.spec.created_at)
    }

    /// The Express service with the configurations of its deployments; its tags are shown on demand.
    pub fn express_view(
        &self,
        active: Vec<ExpressGatewayServiceConfiguration>,
        with_tags: bool,
    ) -> ECSExpressGatewayService {
        let express = self.revision_extras.express.as_ref();
        ECSExpressGatewayService {
            cluster: Some(self.key.cluster.name.to_string()),
            service_name: Some(self.key.name.to_string()),
            service_arn: Some(self.key.arn()),
            infrastructure_role_arn: express.map(|express| express.infrastructure_role.clone()),
            status: Some(self.express_status()),
            current_deployment: self.current_record().map(|record| record.arn()),
            active_configurations: Some(active),
            tags: with_tags.then(|| self.tags.clone()),
            created_at: self.spec.created_at,
            updated_at: self.express_updated_at(),
        }
    }

    /// The Express service as its update answers it: with the configuration that it is to become.
    pub fn express_update_view(
        &self,
        target: ExpressGatewayServiceConfiguration,
    ) -> UpdatedExpressGatewayService {
        UpdatedExpressGatewayService {
            service_arn: Some(self.key.arn()),
            cluster: Some(self.key.cluster.name.to_string()),
            service_name: Some(self.key.name.to_string()),
            status: Some(self.express_status()),
            target_configuration: Some(target),
            created_at: self.spec.created_at,
            updated_at: self.express_updated_at(),
        }
    }
}
