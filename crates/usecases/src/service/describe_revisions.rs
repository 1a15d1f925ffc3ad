//! DescribeServiceRevisions.

use kecs_domain::arn::{Arn, ServiceKey, ServiceRevisionKey, service_child_ref};
use kecs_domain::model::{
    DescribeServiceRevisionsRequest, DescribeServiceRevisionsResponse, Failure, ServiceRevision,
};
use kecs_domain::name::DeploymentId;
use kecs_domain::service::{Service, ServiceStatus};
use kecs_domain::{Doc, EcsError};

use super::Services;
use crate::context::{Context, Result, check_model};

/// The most revisions in a call. (recorded)
const MOST_REVISIONS: usize = 20;

impl Services<'_> {
    /// Describes the revisions of one service by ARN; those that don't exist come back as failures.
    ///
    /// # Errors
    /// `InvalidParameterException` for no ARN, for more than twenty, for what is none, for two services at once, and
    /// for an INACTIVE service; `ServiceNotFoundException`.
    pub async fn describe_revisions(
        &self,
        ctx: &Context,
        request: DescribeServiceRevisionsRequest,
    ) -> Result<DescribeServiceRevisionsResponse> {
        check_model(&request)?;
        let refuse = |message: String| Err(EcsError::invalid_parameter(message).into());
        let arns = &request.service_revision_arns;
        if arns.len() > MOST_REVISIONS {
            return refuse(format!("Service Revision ARN count cannot exceed {MOST_REVISIONS}"));
        }
        let mut service: Option<ServiceKey> = None;
        let mut keys = Vec::with_capacity(arns.len());
        for arn in arns {
            let parsed = Arn::parse(arn).filter(|arn| arn.service == "ecs" && arn.kind == "service-revision");
            if parsed.is_none() {
                return refuse("The Service ARN provided is invalid.".to_owned());
            }
            let read = service_child_ref(&ctx.scope, "service-revision", arn)
                .and_then(|(service, digits)| Some((service, DeploymentId::parse_number(digits)?)));
            let Some((of, id)) = read else {
                return refuse("The ServiceRevision ARN is invalid.".to_owned());
            };
            if service.as_ref().is_some_and(|service| *service != of) {
                return refuse(
                    "Cross service requests are not allowed. All requested service revisions must be for a single \
                     service"
                        .to_owned(),
                );
            }
            keys.push((arn, ServiceRevisionKey { service: of.clone(), id }));
            service = Some(of);
        }
        let Some(service) = service else {
            return refuse("The Service ARN provided is invalid.".to_owned());
        };
        let found = self.load(&service).await?.ok_or_else(EcsError::service_not_found)?;
        if found.status == ServiceStatus::Inactive {
            return refuse("Cannot call DescribeServiceRevisions for a service that is INACTIVE".to_owned());
        }
        let (mut revisions, mut failures) = (Vec::new(), Vec::new());
        for (arn, key) in keys {
            // A revision of an earlier service of the same name is not one of this service's. (recorded)
            let revision = self.ports.services.service_revision(&key).await?;
            match revision.filter(|revision| revision.doc.created_at >= found.spec.created_at) {
                Some(revision) => {
                    let mut doc = revision.doc.clone();
                    show_connections(&mut doc, &found, key.id);
                    revisions.push(doc);
                }
                None => failures.push(Failure {
                    arn: Some(arn.clone()),
                    reason: Some("MISSING".to_owned()),
                    ..Default::default()
                }),
            }
        }
        Ok(DescribeServiceRevisionsResponse { service_revisions: Some(revisions), failures: Some(failures) })
    }
}

/// Puts in what becomes of the revision's connections to gateways: the status of their routes, while there are any.
fn show_connections(doc: &mut Doc<ServiceRevision>, service: &Service, id: DeploymentId) {
    let connected = doc.ecs_managed_resources.as_ref().is_some_and(|it| it.gateway_connections.is_some());
    let Some(deployment) = service.deployments.iter().find(|one| one.id == id).filter(|_| connected) else {
        return;
    };
    let resources = doc.make_mut().ecs_managed_resources.as_mut();
    let shown = resources.and_then(|it| it.gateway_connections.as_mut()).into_iter().flatten();
    for (connection, known) in shown.zip(&deployment.connections) {
        connection.status = service.route(&known.gateway).map(|(status, _)| status);
    }
}
