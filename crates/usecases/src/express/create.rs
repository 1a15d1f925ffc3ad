//! CreateExpressGatewayService: from a container image to a service that runs.

use kecs_domain::arn::ServiceKey;
use kecs_domain::model::{
    CreateClusterRequest, CreateExpressGatewayServiceRequest, CreateExpressGatewayServiceResponse,
    CreateServiceRequest, LaunchType,
};
use kecs_domain::name::ServiceName;
use kecs_domain::service::express::{self, Express, Wanted};
use kecs_domain::service::{Service, ServiceStatus};
use kecs_domain::task_definition::TaskDefinition;
use kecs_domain::{EcsError, ErrorCode, tag};

use super::{ExpressServices, not_with_definition};
use crate::cluster::Clusters;
use crate::context::{Context, Error, Result, check_model, retry_conflicts};
use crate::ports::{Changes, EntityKey, Versioned, WakeKey};
use crate::service::create::build;
use crate::service::{Services, begin_deployment};
use crate::task::Where;
use crate::task::active_cluster;

impl ExpressServices<'_> {
    /// Creates an Express service: its task definition, the service and its first deployment, all in one commit. Where
    /// the request names no cluster, `default` is made if it isn't there.
    ///
    /// # Errors
    /// `InvalidParameterException` for what is wrong with the request, and when the name is taken; `ClientException`
    /// for what is wrong with the task definition; `ClusterNotFoundException`.
    pub async fn create(
        &self,
        ctx: &Context,
        request: CreateExpressGatewayServiceRequest,
    ) -> Result<CreateExpressGatewayServiceResponse> {
        check_model(&request)?;
        let settings = check(&request)?;
        let name = match request.service_name.as_deref() {
            Some(name) => name.to_owned(),
            None => format!("express-{}", &self.ports.ids.uuid()[..8]),
        };
        let name = ServiceName::parse(&name).ok_or_else(|| {
            EcsError::invalid_parameter(
                "Service name must contain only 1 to 255 letters, numbers, hyphens, and underscores.",
            )
        })?;
        self.default_cluster(ctx, request.cluster.as_deref()).await?;
        let (service, definition) =
            retry_conflicts(|| self.try_create(ctx, &request, &name, &settings)).await?;
        self.ports.wake.wake(vec![WakeKey::Service(service.key.clone())]);
        let active = Self::begun(&service, &definition).into_iter().collect();
        let view = service.express_view(active, request.tags.is_some());
        Ok(CreateExpressGatewayServiceResponse { service: Some(view) })
    }

    /// One attempt, which reads everything anew.
    async fn try_create(
        &self,
        ctx: &Context,
        request: &CreateExpressGatewayServiceRequest,
        name: &ServiceName,
        settings: &Express,
    ) -> Result<(Service, TaskDefinition)> {
        let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
        let key = ServiceKey { cluster: cluster.key.clone(), name: name.clone() };
        let existing = Services::new(self.ports).load(&key).await?;
        check_free(existing.as_ref())?;
        let mut changes = Changes::new();
        changes.require(EntityKey::Cluster(cluster.key.clone()), cluster.version);
        let definition = match request.task_definition_arn.as_deref() {
            Some(arn) => self.brought(ctx, arn, &mut changes).await?,
            None => self.register(ctx, wanted(request).registration(&key)?, &mut changes).await?,
        };
        let mut service = self.service(ctx, request, &key, &definition, settings)?;
        begin_deployment(self.ports, &mut service, &definition, &mut changes);
        match existing {
            None => changes.create(service.clone()),
            Some(old) => changes.update(service.clone(), old.version),
        };
        self.ports.unit_of_work.commit(changes).await?;
        Ok((service, definition))
    }

    /// The service, made as CreateService makes it.
    fn service(
        &self,
        ctx: &Context,
        request: &CreateExpressGatewayServiceRequest,
        key: &ServiceKey,
        definition: &TaskDefinition,
        settings: &Express,
    ) -> Result<Service> {
        let as_service = CreateServiceRequest {
            cluster: Some(key.cluster.name.to_string()),
            service_name: key.name.to_string(),
            task_definition: Some(definition.key.arn()),
            desired_count: settings.scaling.min_task_count,
            launch_type: Some(LaunchType::Fargate),
            network_configuration: express::network(request.network_configuration.as_ref()),
            tags: request.tags.clone(),
            ..Default::default()
        };
        let now = self.ports.clock.now();
        let place = Where::LaunchType(LaunchType::Fargate);
        build(ctx, &as_service, key, place, Some(definition), now, Some(settings.clone()))
    }

    /// Makes the cluster `default` with Fargate's providers, where it is meant and isn't there. If we die before the
    /// service is made, an empty cluster stays, which the next request uses.
    async fn default_cluster(&self, ctx: &Context, named: Option<&str>) -> Result<()> {
        if named.is_some_and(|named| !named.is_empty()) {
            return Ok(());
        }
        match active_cluster(self.ports, &ctx.scope, None).await {
            Err(Error::Ecs(error)) if error.code == ErrorCode::ClusterNotFound => {}
            other => return other.map(|_| ()),
        }
        let request = CreateClusterRequest {
            capacity_providers: Some(vec!["FARGATE".to_owned()]),
            ..Default::default()
        };
        match Clusters::new(self.ports).create(ctx, request).await {
            // Somebody else has made it meanwhile, in another way.
            Err(Error::Ecs(error)) if error.code == ErrorCode::InvalidParameter => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

fn wanted(request: &CreateExpressGatewayServiceRequest) -> Wanted {
    Wanted {
        container: request.primary_container.clone(),
        execution_role: request.execution_role_arn.clone(),
        task_role: request.task_role_arn.clone(),
        cpu: request.cpu.clone(),
        memory: request.memory.clone(),
        architecture: request.cpu_architecture,
    }
}

/// Checks what needs no store, and gives back the settings beyond those of another service.
fn check(request: &CreateExpressGatewayServiceRequest) -> Result<Express> {
    express::check_role("infrastructureRoleArn", &request.infrastructure_role_arn)?;
    if request.task_definition_arn.is_some()
        && let Some(member) = wanted(request).first_given()
    {
        return Err(not_with_definition(member).into());
    }
    let path = request.health_check_path.as_deref().unwrap_or(express::DEFAULT_HEALTH_PATH);
    express::check_health_path(path)?;
    if let Some(network) = &request.network_configuration {
        express::check_network(network)?;
    }
    let scaling = express::scaling_target(None, request.scaling_target.as_ref())?;
    tag::check(request.tags.as_deref().unwrap_or_default())?;
    Ok(Express {
        infrastructure_role: request.infrastructure_role_arn.clone(),
        health_check_path: path.to_owned(),
        scaling,
        managed: request.task_definition_arn.is_none(),
    })
}

/// Refuses a name that is taken.
fn check_free(existing: Option<&Versioned<Service>>) -> Result<()> {
    let message = match existing.map(|found| found.status) {
        None | Some(ServiceStatus::Inactive) => return Ok(()),
        Some(ServiceStatus::Draining) => "Unable to Start a service that is still Draining.",
        Some(ServiceStatus::Active) => "Creation of service was not idempotent.",
    };
    Err(EcsError::invalid_parameter(message).into())
}
