//! UpdateExpressGatewayService: another configuration, another revision, a rollout.

use kecs_domain::EcsError;
use kecs_domain::model::{
    ExpressGatewayServiceConfiguration, UpdateExpressGatewayServiceRequest,
    UpdateExpressGatewayServiceResponse,
};
use kecs_domain::service::express::{self, Express, Wanted};
use kecs_domain::service::{Service, ServiceStatus};
use kecs_domain::task_definition::{Registration, TaskDefinition};

use super::{ExpressServices, not_active, not_with_definition, present_definition};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::gateway::connect::{connect, enter};
use crate::ports::{Changes, WakeKey};
use crate::service::{Services, begin_deployment};

impl ExpressServices<'_> {
    /// Changes an Express service. What is different makes a new revision, which is rolled out; an update that changes
    /// nothing begins no deployment.
    ///
    /// # Errors
    /// `ServiceNotFoundException`, `ServiceNotActiveException`, `ClusterNotFoundException`;
    /// `InvalidParameterException` and `ClientException` for what is wrong with the request.
    pub async fn update(
        &self,
        ctx: &Context,
        request: UpdateExpressGatewayServiceRequest,
    ) -> Result<UpdateExpressGatewayServiceResponse> {
        check_model(&request)?;
        check(&request)?;
        let (service, target) = retry_conflicts(|| self.try_update(ctx, &request)).await?;
        self.ports.wake.wake(vec![WakeKey::Service(service.key.clone())]);
        let target = match target {
            Some(target) => target,
            None => self.configurations(&service).await?.into_iter().next().unwrap_or_default(),
        };
        let view = service.express_update_view(target);
        Ok(UpdateExpressGatewayServiceResponse { service: Some(view) })
    }

    /// One attempt: the service as it is then, and what it is to become if that is something new.
    async fn try_update(
        &self,
        ctx: &Context,
        request: &UpdateExpressGatewayServiceRequest,
    ) -> Result<(Service, Option<ExpressGatewayServiceConfiguration>)> {
        let found = self.find(ctx, &request.service_arn, EcsError::service_not_found()).await?;
        let (ServiceStatus::Active, Some(before)) = (found.status, found.revision_extras.express.clone())
        else {
            return Err(not_active().into());
        };
        let mut changes = Changes::new();
        let (definition, managed) =
            self.definition(ctx, request, &found, before.managed, &mut changes).await?;
        let mut service = Service::clone(&found);
        let express = Express {
            health_check_path: request.health_check_path.clone().unwrap_or(before.health_check_path.clone()),
            scaling: express::scaling_target(Some(&before.scaling), request.scaling_target.as_ref())?,
            infrastructure_role: before.infrastructure_role.clone(),
            managed,
        };
        service.spec.desired_count = Some(express::bound(&express.scaling, service.desired_count()));
        service.revision_extras.express = Some(express);
        service.spec.task_definition = Some(definition.key.arn());
        service.spec.platform_family = Some(definition.platform_family().to_owned());
        if let Some(network) = &request.network_configuration {
            service.spec.network_configuration = express::network(Some(network));
        }
        let same = service.spec == found.spec && service.revision_extras == found.revision_extras;
        if same {
            return Ok((service, None));
        }
        Services::new(self.ports).supersede(&found, &mut changes).await?;
        // UpdateService may have given it a connector.
        let gateways = connect(self.ports, &mut service).await?;
        enter(&service.key, &gateways, &mut changes);
        begin_deployment(self.ports, &mut service, &definition, &mut changes);
        changes.update(service.clone(), found.version);
        self.ports.unit_of_work.commit(changes).await?;
        let target = Self::begun(&service, &definition);
        Ok((service, target))
    }

    /// The task definition that the service will have, and whether ECS makes it: the one that is brought, the present
    /// one if nothing of it changes, or a new one.
    async fn definition(
        &self,
        ctx: &Context,
        request: &UpdateExpressGatewayServiceRequest,
        service: &Service,
        managed: bool,
        changes: &mut Changes,
    ) -> Result<(TaskDefinition, bool)> {
        if let Some(arn) = request.task_definition_arn.as_deref() {
            return Ok((self.brought(ctx, arn, changes).await?, false));
        }
        let wanted = wanted(request);
        let present = match present_definition(service) {
            Some(key) => self.ports.task_definitions.task_definition(key).await?,
            None => None,
        };
        let present = present.map(|found| TaskDefinition::clone(&found));
        if wanted.first_given().is_none()
            && let Some(present) = present
        {
            return Ok((present, managed));
        }
        // A task definition of the user's is not ours to change: what we make then begins anew.
        let before = present.as_ref().filter(|_| managed).map(|found| Wanted::read(&found.doc));
        let registration = wanted.or(before.unwrap_or_default()).registration(&service.key)?;
        match present.filter(|present| managed && is_same(present, &registration)) {
            Some(present) => Ok((present, true)),
            None => Ok((self.register(ctx, registration, changes).await?, true)),
        }
    }
}

/// Whether a registration would only make another revision of what is there.
fn is_same(present: &TaskDefinition, request: &kecs_domain::model::RegisterTaskDefinitionRequest) -> bool {
    let doc = &present.doc;
    Registration::new(request.clone()).is_ok_and(|next| {
        next.definition.container_definitions == doc.container_definitions
            && next.definition.cpu == doc.cpu
            && next.definition.memory == doc.memory
            && next.definition.execution_role_arn == doc.execution_role_arn
            && next.definition.task_role_arn == doc.task_role_arn
            && next.definition.runtime_platform == doc.runtime_platform
    })
}

fn wanted(request: &UpdateExpressGatewayServiceRequest) -> Wanted {
    Wanted {
        container: request.primary_container.clone(),
        execution_role: request.execution_role_arn.clone(),
        task_role: request.task_role_arn.clone(),
        cpu: request.cpu.clone(),
        memory: request.memory.clone(),
        architecture: request.cpu_architecture,
    }
}

/// Checks what needs no store.
fn check(request: &UpdateExpressGatewayServiceRequest) -> Result<()> {
    if request.task_definition_arn.is_some()
        && let Some(member) = wanted(request).first_given()
    {
        return Err(not_with_definition(member).into());
    }
    if let Some(path) = &request.health_check_path {
        express::check_health_path(path)?;
    }
    if let Some(network) = &request.network_configuration {
        express::check_network(network)?;
    }
    Ok(())
}
