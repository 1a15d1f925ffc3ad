//! CreateTaskSet.

use kecs_domain::EcsError;
use kecs_domain::arn::ServiceKey;
use kecs_domain::cluster::Cluster;
use kecs_domain::idempotency::{TokenKey, TokenRecord};
use kecs_domain::model::{
    self, AssignPublicIp, CreateTaskSetRequest, CreateTaskSetResponse, LaunchType, NetworkConfiguration,
};
use kecs_domain::service::task_set::{percentage, tags};
use kecs_domain::service::{RevisionExtras, Service, TaskSet, configure};
use kecs_domain::task_definition::TaskDefinition;

use super::TaskSets;
use crate::context::{Context, Ports, Result, check_model, retry_conflicts};
use crate::ports::{Changes, Entity, EntityKey, Expect, WakeKey};
use crate::service::check_platform;
use crate::task::{Where, check_network, fingerprint, launch_choice};
use crate::task_definition::resolve::{Accept, resolve};

/// The longest token. (API reference, clientToken)
const LONGEST_TOKEN: usize = 36;

impl TaskSets<'_> {
    /// Creates a task set of a service with an EXTERNAL deployment controller.
    ///
    /// # Errors
    /// `ClusterNotFoundException`, `ServiceNotFoundException`, `ServiceNotActiveException`; `ClientException` for an
    /// unknown task definition; `InvalidParameterException` for another controller, for a sixth task set, and for what
    /// else is wrong with the request.
    pub async fn create(
        &self,
        ctx: &Context,
        request: CreateTaskSetRequest,
    ) -> Result<CreateTaskSetResponse> {
        check_model(&request)?;
        let (view, key) = retry_conflicts(|| self.try_create(ctx, &request)).await?;
        if let Some(key) = key {
            self.ports.wake.wake(vec![WakeKey::Service(key)]);
        }
        Ok(CreateTaskSetResponse { task_set: Some(view) })
    }

    /// One attempt: the answer, and the service's key if the task set was made now.
    async fn try_create(
        &self,
        ctx: &Context,
        request: &CreateTaskSetRequest,
    ) -> Result<(model::TaskSet, Option<ServiceKey>)> {
        let (cluster, found) = self.find(ctx, &request.cluster, &request.service).await?;
        found.check_task_sets(false)?;
        // A repeat's tags are ignored, but they must be such.
        let tags = tags(request.tags.as_ref())?;
        let with_tags = |set: &TaskSet| request.tags.is_some().then(|| set.tags.clone());
        let token = token(&found.key, request)?;
        if let Some((key, fingerprint)) = &token
            && let Some(used) = self.ports.tokens.token(key).await?
        {
            let made = used.resources.first().and_then(|arn| found.key.task_set_ref(arn));
            if let Ok(set) = found.task_set(made) {
                if used.fingerprint != *fingerprint {
                    let message = "Creation of task set was not idempotent.";
                    return Err(EcsError::invalid_parameter(message).into());
                }
                return Ok((set.view(&found, with_tags(set)), None));
            }
        }
        let definition =
            resolve(self.ports, &ctx.scope, &request.task_definition, Accept::ActiveForService).await?;
        let settings = settings(self.ports, request, &cluster, &definition).await?;
        let scale = percentage(request.scale.as_ref())?;
        let now = self.ports.clock.now();
        let set =
            TaskSet::new(self.ports.ids.deployment(), definition.key.clone(), settings, scale, tags, now);
        let mut service = Service::clone(&found);
        service.add_task_set(set.clone())?;
        let mut changes = Changes::new();
        changes.require(EntityKey::Cluster(cluster.key.clone()), cluster.version);
        changes.require(EntityKey::TaskDefinition(definition.key.clone()), definition.version);
        if let Some((key, fingerprint)) = token {
            let record = TokenRecord {
                key,
                fingerprint,
                resources: vec![found.key.task_set_arn(set.id)],
                failures: String::new(),
                created_at: now,
            };
            // A token that was used for a task set that is gone is used anew.
            changes.puts.push((Entity::from(record), Expect::Any));
        }
        let view = set.view(&service, with_tags(&set));
        changes.update(service, found.version);
        self.ports.unit_of_work.commit(changes).await?;
        Ok((view, Some(found.key.clone())))
    }
}

/// The request's token, with what a repeat is compared by. Tags don't count.
fn token(service: &ServiceKey, request: &CreateTaskSetRequest) -> Result<Option<(TokenKey, String)>> {
    let Some(token) = request.client_token.as_deref().filter(|token| !token.is_empty()) else {
        return Ok(None);
    };
    if token.len() > LONGEST_TOKEN {
        let message = format!("idempotency token longer than {LONGEST_TOKEN}.");
        return Err(EcsError::invalid_parameter(message).into());
    }
    let key = TokenKey {
        cluster: service.cluster.clone(),
        operation: format!("CreateTaskSet/{}", service.name),
        token: token.to_owned(),
    };
    let compared = CreateTaskSetRequest { tags: None, ..request.clone() };
    Ok(Some((key, fingerprint(&compared)?)))
}

/// What the task set is made with, after the checks that a service has to pass too.
async fn settings(
    ports: &Ports,
    request: &CreateTaskSetRequest,
    cluster: &Cluster,
    definition: &TaskDefinition,
) -> Result<model::TaskSet> {
    let both = "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try \
                again.";
    let strategy = request.capacity_provider_strategy.as_ref();
    let place = launch_choice(ports, cluster, request.launch_type, strategy, both).await?;
    let launch_type = place.launch_type();
    check_network(&definition.doc, request.network_configuration.as_ref(), launch_type)?;
    if !definition.supports(launch_type) {
        let message = format!("Task definition does not support launch_type {launch_type}.");
        return Err(EcsError::invalid_parameter(message).into());
    }
    check_platform(request.platform_version.as_deref(), launch_type)?;
    let balancers = request.load_balancers.clone().unwrap_or_default();
    if balancers.len() > 1 {
        let message = "CreateTaskSet cannot have more than 1 load balancer.";
        return Err(EcsError::invalid_parameter(message).into());
    }
    configure::check_against_definition(&balancers, &RevisionExtras::default(), &definition.doc)?;
    let fargate = launch_type == LaunchType::Fargate;
    Ok(model::TaskSet {
        external_id: request.external_id.clone(),
        launch_type: matches!(place, Where::LaunchType(_)).then_some(launch_type),
        capacity_provider_strategy: match place {
            Where::Strategy(strategy) => Some(strategy.items),
            Where::LaunchType(_) => None,
        },
        platform_version: fargate
            .then(|| kecs_domain::task::platform_version(request.platform_version.as_deref()).to_owned()),
        platform_family: fargate.then(|| definition.platform_family().to_owned()),
        network_configuration: request.network_configuration.clone().map(with_public_ip),
        load_balancers: Some(balancers),
        service_registries: Some(request.service_registries.clone().unwrap_or_default()),
        ..Default::default()
    })
}

/// A task set says whether its tasks have public addresses, also if nobody asked for them. (AWS CLI's example)
fn with_public_ip(mut network: NetworkConfiguration) -> NetworkConfiguration {
    if let Some(vpc) = &mut network.awsvpc_configuration {
        vpc.assign_public_ip.get_or_insert(AssignPublicIp::Disabled);
    }
    network
}
