//! CreateService.

use kecs_domain::arn::ServiceKey;
use kecs_domain::cluster::Cluster;
use kecs_domain::idempotency::{TokenKey, TokenRecord};
use kecs_domain::model::{
    self, CreateServiceRequest, CreateServiceResponse, DeploymentController, DeploymentControllerType,
    LaunchType, NetworkMode, PropagateTags, ResourceManagementType, SchedulingStrategy,
};
use kecs_domain::name::ServiceName;
use kecs_domain::service::express::Express;
use kecs_domain::service::{RevisionExtras, Service, ServiceStatus, configure};
use kecs_domain::task_definition::TaskDefinition;
use kecs_domain::{Doc, EcsError, Timestamp, tag};

use super::{
    Services, begin_deployment, check_platform, external, namespace, provider_launch_type, role_arn,
};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::gateway::connect::{connect, enter};
use crate::ports::{Changes, Entity, EntityKey, Versioned, WakeKey};
use crate::task::{Where, active_cluster, check_network, fingerprint, launch_choice};
use crate::task_definition::resolve::{Accept, resolve};

/// The longest token. (recorded)
const LONGEST_TOKEN: usize = 36;

impl Services<'_> {
    /// Creates a service and its first deployment.
    ///
    /// # Errors
    /// `InvalidParameterException` for what is wrong with the request, and when the name is taken;
    /// `ClientException` for an unknown task definition; `ClusterNotFoundException`.
    pub async fn create(
        &self,
        ctx: &Context,
        request: CreateServiceRequest,
    ) -> Result<CreateServiceResponse> {
        check_model(&request)?;
        let (answer, made) = retry_conflicts(|| self.try_create(ctx, &request)).await?;
        if let Some(key) = made {
            self.ports.wake.wake(vec![WakeKey::Service(key)]);
        }
        Ok(answer)
    }

    /// One attempt, which reads everything anew: the answer, and the service's key if it was made now.
    async fn try_create(
        &self,
        ctx: &Context,
        request: &CreateServiceRequest,
    ) -> Result<(CreateServiceResponse, Option<ServiceKey>)> {
        let ports = self.ports;
        let cluster = active_cluster(ports, &ctx.scope, request.cluster.as_deref()).await?;
        let name = ServiceName::parse(&request.service_name).ok_or_else(|| {
            EcsError::invalid_parameter(
                "Service name must contain only 1 to 255 letters, numbers, hyphens, and underscores.",
            )
        })?;
        let key = ServiceKey { cluster: cluster.key.clone(), name };
        let token = self.token(&key, request)?;
        let existing = self.load(&key).await?;
        if let Some(taken) = existing.as_ref().filter(|found| found.status != ServiceStatus::Inactive) {
            // A repeat's tags are ignored, but they must be such.
            tag::check(request.tags.as_deref().unwrap_or_default())?;
            return Ok((self.answer_existing(taken, token.as_ref()).await?, None));
        }
        let controller =
            request.deployment_controller.as_ref().map_or(DeploymentControllerType::Ecs, |c| c.r#type);
        if controller == DeploymentControllerType::External {
            external::check_create(request)?;
        }
        let definition = match request.task_definition.as_deref() {
            Some(named) => Some(resolve(ports, &ctx.scope, named, Accept::ActiveForService).await?),
            None if controller == DeploymentControllerType::External => None,
            None => return Err(EcsError::invalid_parameter("TaskDefinition can not be blank.").into()),
        };
        let now = ports.clock.now();
        let place = self.place(request, &cluster).await?;
        let mut service = build(ctx, request, &key, place, definition.as_deref(), now, None)?;
        let mut changes = Changes::new();
        // Neither the cluster nor the task definition may be gone when the service is there.
        changes.require(EntityKey::Cluster(cluster.key.clone()), cluster.version);
        if let Some(definition) = &definition {
            changes.require(EntityKey::TaskDefinition(definition.key.clone()), definition.version);
            if controller == DeploymentControllerType::Ecs {
                let gateways = connect(ports, &mut service).await?;
                enter(&key, &gateways, &mut changes);
                begin_deployment(ports, &mut service, definition, &mut changes);
            }
        }
        if let Some((token, fingerprint)) = token {
            let record = TokenRecord {
                key: token,
                fingerprint,
                resources: vec![key.arn()],
                failures: String::new(),
                created_at: now,
            };
            // A token that was used for an earlier service of this name is used anew.
            changes.puts.push((Entity::from(record), crate::ports::Expect::Any));
        }
        service.take_default_namespace(cluster.settings.service_connect_defaults.as_ref());
        namespace::follow(None, &service, &mut changes);
        match existing {
            None => changes.create(service.clone()),
            Some(old) => changes.update(service.clone(), old.version),
        };
        ports.unit_of_work.commit(changes).await?;
        let view = service.answer(request.tags.is_some());
        Ok((CreateServiceResponse { service: Some(Doc::new(view)) }, Some(key)))
    }

    /// Where the service's tasks are to run.
    async fn place(&self, request: &CreateServiceRequest, cluster: &Cluster) -> Result<Where> {
        let both = "Specifying both a launch type and capacity provider strategy is not supported. Remove one and \
                    try again.";
        let given = request.capacity_provider_strategy.as_ref();
        let place = launch_choice(self.ports, cluster, request.launch_type, given, both).await?;
        let daemon = request.scheduling_strategy == Some(SchedulingStrategy::Daemon);
        if !daemon || !matches!(place, Where::Strategy(_)) || place.launch_type() == LaunchType::Fargate {
            return Ok(place);
        }
        // A daemon has a task on every instance, so there is nothing to share out.
        if given.is_some_and(|items| !items.is_empty()) {
            return Err(EcsError::invalid_parameter(
                "The daemon scheduling strategy does not support a capacity provider strategy. Remove the capacity \
                 provider strategy and try again",
            )
            .into());
        }
        Ok(Where::LaunchType(LaunchType::Ec2))
    }

    fn token(&self, key: &ServiceKey, request: &CreateServiceRequest) -> Result<Option<(TokenKey, String)>> {
        let Some(token) = request.client_token.as_deref().filter(|token| !token.is_empty()) else {
            return Ok(None);
        };
        if token.len() > LONGEST_TOKEN {
            let message = format!("idempotency token longer than {LONGEST_TOKEN}.");
            return Err(EcsError::invalid_parameter(message).into());
        }
        // The name belongs to the key: the same token with another name makes a second service. Tags don't count.
        let compared = CreateServiceRequest { tags: None, ..request.clone() };
        let token = TokenKey {
            cluster: key.cluster.clone(),
            operation: format!("CreateService/{}", key.name),
            token: token.to_owned(),
        };
        Ok(Some((token, fingerprint(&compared)?)))
    }

    /// The answer when the name is taken: the same service for the same token and request.
    async fn answer_existing(
        &self,
        existing: &Versioned<Service>,
        token: Option<&(TokenKey, String)>,
    ) -> Result<CreateServiceResponse> {
        if existing.status == ServiceStatus::Draining {
            return Err(
                EcsError::invalid_parameter("Unable to Start a service that is still Draining.").into()
            );
        }
        if let Some((key, fingerprint)) = token {
            let used = self.ports.tokens.token(key).await?;
            if used.is_some_and(|record| record.fingerprint == *fingerprint) {
                return Ok(CreateServiceResponse { service: Some(Doc::new(existing.view(false))) });
            }
        }
        Err(EcsError::invalid_parameter("Creation of service was not idempotent.").into())
    }
}

fn non_empty<T: Clone>(list: Option<&Vec<T>>) -> Vec<T> {
    list.cloned().unwrap_or_default()
}

/// Checks the request, in ECS's order where it is known, and makes the service of it. With `express` it is an Express
/// service, which may leave its network to us.
pub(crate) fn build(
    ctx: &Context,
    request: &CreateServiceRequest,
    key: &ServiceKey,
    place: Where,
    definition: Option<&TaskDefinition>,
    now: Timestamp,
    express: Option<Express>,
) -> Result<Service> {
    let strategy = request.scheduling_strategy.unwrap_or(SchedulingStrategy::Replica);
    let launch_type = place.launch_type();
    if let Some(definition) = definition.filter(|_| express.is_none()) {
        check_network(&definition.doc, request.network_configuration.as_ref(), launch_type)?;
    }
    let desired = check_count(request, strategy, launch_type)?;
    if definition.is_some_and(|definition| !definition.supports(launch_type)) {
        let message = format!("Task definition does not support launch_type {launch_type}.");
        return Err(EcsError::invalid_parameter(message).into());
    }
    check_platform(request.platform_version.as_deref(), launch_type)?;
    let configuration =
        configure::deployment_configuration(None, request.deployment_configuration.as_ref(), strategy)?;
    let replica = strategy == SchedulingStrategy::Replica;
    let rebalancing =
        configure::zone_rebalancing(None, request.availability_zone_rebalancing, &configuration, replica)?;
    configure::check_grace_period(request.health_check_grace_period_seconds)?;
    let constraints = non_empty(request.placement_constraints.as_ref());
    let strategies = non_empty(request.placement_strategy.as_ref());
    configure::check_placement(&constraints, &strategies)?;
    let balancers = non_empty(request.load_balancers.as_ref());
    let extras = RevisionExtras {
        service_connect: request.service_connect_configuration.clone(),
        volumes: request.volume_configurations.clone(),
        vpc_lattice: request.vpc_lattice_configurations.clone(),
        gateway_connectors: request.gateway_connectors.clone(),
        monitoring: request.monitoring.clone(),
        provider_launch_type: provider_launch_type(&place),
        gateways: Vec::new(),
        express,
    };
    if let Some(definition) = definition {
        configure::check_against_definition(&balancers, &extras, &definition.doc)?;
    }
    let tags = tag::check(request.tags.as_deref().unwrap_or_default())?;

    let awsvpc = definition.is_some_and(|found| found.doc.network_mode == Some(NetworkMode::Awsvpc));
    let fargate = launch_type == LaunchType::Fargate;
    let role = role_arn(&ctx.scope, request.role.as_deref());
    let spec = model::Service {
        service_arn: Some(key.arn()),
        service_name: Some(key.name.to_string()),
        cluster_arn: Some(key.cluster.arn()),
        role_arn: (awsvpc || !balancers.is_empty()).then_some(role),
        load_balancers: Some(balancers),
        service_registries: Some(non_empty(request.service_registries.as_ref())),
        desired_count: Some(desired),
        launch_type: matches!(place, Where::LaunchType(_)).then_some(launch_type),
        capacity_provider_strategy: match place {
            Where::Strategy(strategy) => Some(strategy.items),
            Where::LaunchType(_) => None,
        },
        platform_version: fargate
            .then(|| request.platform_version.clone().unwrap_or_else(|| "LATEST".to_owned())),
        platform_family: definition.filter(|_| fargate).map(|found| found.platform_family().to_owned()),
        task_definition: definition.map(|found| found.key.arn()),
        deployment_configuration: Some(configuration),
        created_at: Some(now),
        placement_constraints: Some(constraints),
        placement_strategy: Some(strategies),
        network_configuration: request.network_configuration.clone(),
        health_check_grace_period_seconds: Some(request.health_check_grace_period_seconds.unwrap_or(0)),
        scheduling_strategy: Some(strategy),
        deployment_controller: Some(
            request
                .deployment_controller
                .clone()
                .unwrap_or(DeploymentController { r#type: DeploymentControllerType::Ecs }),
        ),
        created_by: Some(ctx.caller_arn.clone()),
        enable_ecs_managed_tags: Some(request.enable_ecs_managed_tags.unwrap_or(false)),
        propagate_tags: Some(request.propagate_tags.unwrap_or(PropagateTags::None)),
        enable_execute_command: Some(request.enable_execute_command.unwrap_or(false)),
        availability_zone_rebalancing: Some(rebalancing),
        resource_management_type: Some(if extras.express.is_some() {
            ResourceManagementType::Ecs
        } else {
            ResourceManagementType::Customer
        }),
        ..Default::default()
    };
    Ok(Service::new(key.clone(), spec, extras, tags))
}

fn check_count(
    request: &CreateServiceRequest,
    strategy: SchedulingStrategy,
    launch_type: LaunchType,
) -> Result<i32> {
    let refuse = |message: &str| Err(EcsError::invalid_parameter(message).into());
    if strategy == SchedulingStrategy::Daemon {
        if request.desired_count.is_some() {
            return refuse(
                "The daemon scheduling strategy does not support a desired count for services. Remove the desired \
                 count value and try again",
            );
        }
        if launch_type == LaunchType::Fargate {
            return refuse(
                "The daemon scheduling strategy does not support the FARGATE launch type. Change the launch type and \
                 try again",
            );
        }
        return Ok(0);
    }
    match request.desired_count {
        None if external::is_external(request) => Ok(0),
        None => refuse("DesiredCount is missing"),
        Some(count) if count < 0 => refuse("DesiredCount can not be lesser than 0"),
        Some(count) => Ok(count),
    }
}
