//! The operations on Express services, one per file.
//!
//! They make, change and end services like any other: through the same checks, deployments and records as
//! CreateService and UpdateService, so that everything else in ECS sees them as services.

mod create;
mod delete;
mod describe;
mod update;

use kecs_domain::arn::{Arn, ServiceKey, ServiceRevisionKey, TaskDefinitionKey, cluster_ref, service_ref};
use kecs_domain::model::{ExpressGatewayServiceConfiguration, RegisterTaskDefinitionRequest};
use kecs_domain::service::express::{check_definition, view};
use kecs_domain::service::{Service, ServiceRevision};
use kecs_domain::task_definition::{Registration, TaskDefinition};
use kecs_domain::{EcsError, ErrorCode};

use crate::context::{Context, Ports, Result};
use crate::ports::{Changes, EntityKey, Versioned};
use crate::service::Services;
use crate::task::find_cluster;
use crate::task_definition::resolve::{Accept, resolve};

/// The operations on Express services, over some ports.
#[derive(Clone, Copy)]
pub struct ExpressServices<'a> {
    ports: &'a Ports,
}

impl<'a> ExpressServices<'a> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports }
    }

    /// The service with this ARN, in whatever state. `not_found` is the operation's own exception for one that isn't
    /// there.
    ///
    /// # Errors
    /// `InvalidParameterException` for what is no ARN of a service and for a service that isn't an Express service;
    /// `ClusterNotFoundException`; `not_found`.
    async fn find(&self, ctx: &Context, text: &str, not_found: EcsError) -> Result<Versioned<Service>> {
        let key = service_key(ctx, text)?;
        find_cluster(self.ports, &ctx.scope, Some(key.cluster.name.as_str())).await?;
        let found = Services::new(self.ports).load(&key).await?.ok_or(not_found)?;
        if found.revision_extras.express.is_none() {
            return Err(
                EcsError::invalid_parameter("The specified service is not an Express service.").into()
            );
        }
        Ok(found)
    }

    /// The task definition that a user brings, and a condition that it stays as it is.
    async fn brought(&self, ctx: &Context, arn: &str, changes: &mut Changes) -> Result<TaskDefinition> {
        if Arn::parse(arn).is_none() {
            return Err(EcsError::invalid_parameter(
                "taskDefinitionArn must be the ARN of a task definition.",
            )
            .into());
        }
        let found = resolve(self.ports, &ctx.scope, arn, Accept::ActiveForService).await?;
        check_definition(&found.doc)?;
        changes.require(EntityKey::TaskDefinition(found.key.clone()), found.version);
        Ok(TaskDefinition::clone(&found))
    }

    /// Checks a registration and puts it into the changes, as the next revision of its family.
    async fn register(
        &self,
        ctx: &Context,
        request: RegisterTaskDefinitionRequest,
        changes: &mut Changes,
    ) -> Result<TaskDefinition> {
        let registration = Registration::new(request)?;
        self.ports.orchestrator.check(&registration.definition)?;
        let key = (ctx.scope.clone(), registration.family.clone());
        let family = self.ports.task_definitions.family(&key).await?;
        let before = family.as_ref().map(|family| &*family.value);
        let now = self.ports.clock.now();
        let (next, definition) = registration.next_revision(&ctx.scope, before, &ctx.caller_arn, now);
        match &family {
            None => changes.create(next),
            Some(family) => changes.update(next, family.version),
        };
        changes.create(definition.clone());
        Ok(definition)
    }

    /// What the deployments of a service have been made with, newest first.
    async fn configurations(&self, service: &Service) -> Result<Vec<ExpressGatewayServiceConfiguration>> {
        let mut configurations = Vec::with_capacity(service.deployments.len());
        for deployment in &service.deployments {
            let key = ServiceRevisionKey { service: service.key.clone(), id: deployment.id };
            let Some(revision) = self.ports.services.service_revision(&key).await? else { continue };
            let definition = self.ports.task_definitions.task_definition(&deployment.definition).await?;
            configurations.push(view::configuration(&revision, definition.as_ref().map(|found| &*found.doc)));
        }
        Ok(configurations)
    }

    /// What a deployment that has just been begun is made with.
    fn begun(service: &Service, definition: &TaskDefinition) -> Option<ExpressGatewayServiceConfiguration> {
        let newest = service.deployments.first()?;
        let revision: ServiceRevision = service.revision(newest.id, definition, newest.created_at);
        Some(view::configuration(&revision, Some(&definition.doc)))
    }
}

/// The service that an ARN names.
fn service_key(ctx: &Context, text: &str) -> Result<ServiceKey> {
    let invalid = || EcsError::invalid_parameter("The Service ARN provided is invalid.");
    let arn =
        Arn::parse(text).filter(|arn| arn.service == "ecs" && arn.kind == "service").ok_or_else(invalid)?;
    arn.within(&ctx.scope)?;
    // Express services came after the long form: the short one names none of them.
    let (cluster, _) = arn.rest.split_once('/').ok_or_else(invalid)?;
    let cluster = cluster_ref(&ctx.scope, Some(cluster))?;
    Ok(service_ref(&cluster, text)?.ok_or_else(invalid)?)
}

/// Refuses to change a service that has been deleted.
fn not_active() -> EcsError {
    EcsError::new(ErrorCode::ServiceNotActive, "Service was not ACTIVE.")
}

/// Refuses what can't be said together with `taskDefinitionArn`.
fn not_with_definition(member: &str) -> EcsError {
    EcsError::invalid_parameter(format!("You cannot specify both taskDefinitionArn and {member}."))
}

/// The key of the task definition that a service has now.
fn present_definition(service: &Service) -> Option<&TaskDefinitionKey> {
    service.deployments.first().map(|newest| &newest.definition)
}
