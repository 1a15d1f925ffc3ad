//! UpdateService.

use kecs_domain::model::{
    DeploymentControllerType, LaunchType, NetworkMode, SchedulingStrategy, UpdateServiceRequest,
    UpdateServiceResponse,
};
use kecs_domain::service::{Service, ServiceStatus, configure};
use kecs_domain::task_definition::TaskDefinition;
use kecs_domain::{Doc, EcsError, ErrorCode};

use super::{
    Services, begin_deployment, check_platform, external, namespace, provider_launch_type, role_arn,
};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::gateway::connect::{connect, enter};
use crate::ports::{Changes, EntityKey, Versioned, WakeKey};
use crate::task::{Where, active_cluster, check_network, launch_choice};
use crate::task_definition::resolve::{Accept, resolve};

impl Services<'_> {
    /// Changes a service. What is part of a revision begins a new deployment; mere scaling does not.
    ///
    /// # Errors
    /// `ServiceNotFoundException`, `ServiceNotActiveException`, `ClusterNotFoundException`; `ClientException` and
    /// `InvalidParameterException` for what is wrong with the request.
    pub async fn update(
        &self,
        ctx: &Context,
        request: UpdateServiceRequest,
    ) -> Result<UpdateServiceResponse> {
        check_model(&request)?;
        let ports = self.ports;
        let service = retry_conflicts(|| async {
            let cluster = active_cluster(ports, &ctx.scope, request.cluster.as_deref()).await?;
            let found =
                self.find(&cluster.key, &request.service).await?.ok_or_else(EcsError::service_not_found)?;
            if found.status != ServiceStatus::Active {
                return Err(EcsError::new(ErrorCode::ServiceNotActive, "Service was not ACTIVE.").into());
            }
            external::check_update(&found, &request)?;
            external::check_code_deploy(&found, &request)?;
            let definition = self.definition(ctx, &found, &request).await?;
            let mut changes = Changes::new();
            let place = match request.capacity_provider_strategy.as_ref() {
                None => None,
                Some(items) => {
                    // The cluster must still have the providers when the service has them.
                    changes.require(EntityKey::Cluster(cluster.key.clone()), cluster.version);
                    Some(launch_choice(ports, &cluster, None, Some(items), "").await?)
                }
            };
            let mut service = Service::clone(&found);
            change(&mut service, &request, place, definition.as_deref())?;
            let force = request.force_new_deployment == Some(true);
            let scheduled = service.controller() == DeploymentControllerType::Ecs;
            // A deployment is connected to the gateways of its own time; to look for others is reason enough for one.
            let asked = force || request.gateway_connectors.is_some();
            let mut gateways = Vec::new();
            if scheduled && (asked || is_new_revision(&found, &service)) {
                gateways = connect(ports, &mut service).await?;
            }
            if let Some(definition) =
                definition.filter(|_| scheduled && (force || is_new_revision(&found, &service)))
            {
                changes.require(EntityKey::TaskDefinition(definition.key.clone()), definition.version);
                self.supersede(&found, &mut changes).await?;
                enter(&service.key, &gateways, &mut changes);
                begin_deployment(ports, &mut service, &definition, &mut changes);
            }
            if request.service_connect_configuration.is_some() {
                service.take_default_namespace(cluster.settings.service_connect_defaults.as_ref());
            }
            namespace::follow(Some(&found), &service, &mut changes);
            changes.update(service.clone(), found.version);
            ports.unit_of_work.commit(changes).await?;
            Ok(service)
        })
        .await?;
        ports.wake.wake(vec![WakeKey::Service(service.key.clone())]);
        Ok(UpdateServiceResponse { service: Some(Doc::new(service.answer(false))) })
    }

    /// The task definition that the service will have.
    async fn definition(
        &self,
        ctx: &Context,
        service: &Service,
        request: &UpdateServiceRequest,
    ) -> Result<Option<Versioned<TaskDefinition>>> {
        match request.task_definition.as_deref() {
            Some(named) => Ok(Some(resolve(self.ports, &ctx.scope, named, Accept::ActiveForService).await?)),
            // What runs may have been deregistered since: it still serves what is there.
            None => match service.spec.task_definition.as_deref() {
                // What a service with task sets shows of its PRIMARY one isn't its own.
                Some(_) if service.controller() == DeploymentControllerType::External => Ok(None),
                None => Ok(None),
                Some(arn) => Ok(Some(resolve(self.ports, &ctx.scope, arn, Accept::Any).await?)),
            },
        }
    }

    /// Ends the record of the deployment that a new one takes the place of.
    pub(crate) async fn supersede(&self, service: &Service, changes: &mut Changes) -> Result<()> {
        let Some(key) = service.current_record() else { return Ok(()) };
        let Some(record) = self.ports.services.service_deployment(&key).await? else { return Ok(()) };
        let now = self.ports.clock.now();
        if let Some(ended) = record.after(&kecs_domain::service::RecordEvent::Superseded, now) {
            changes.update(ended, record.version);
        }
        Ok(())
    }
}

/// Whether what belongs to a revision has changed: then there is a new one, and a deployment to it.
fn is_new_revision(before: &Service, after: &Service) -> bool {
    let (old, new) = (&before.spec, &after.spec);
    old.task_definition != new.task_definition
        || old.capacity_provider_strategy != new.capacity_provider_strategy
        || old.launch_type != new.launch_type
        || old.platform_version != new.platform_version
        || old.network_configuration != new.network_configuration
        || old.load_balancers != new.load_balancers
        || old.service_registries != new.service_registries
        || before.revision_extras != after.revision_extras
}

/// Puts the request's members into the service, after their checks.
fn change(
    service: &mut Service,
    request: &UpdateServiceRequest,
    place: Option<Where>,
    definition: Option<&TaskDefinition>,
) -> Result<()> {
    change_count(service, request)?;
    let launch_type = change_place(service, place)?;
    let strategy = service.scheduling_strategy();
    let spec = &mut service.spec;
    if let Some(network) = &request.network_configuration {
        spec.network_configuration = Some(network.clone());
    }
    if let Some(definition) = definition {
        // The network of an Express service may have been left to us.
        if service.revision_extras.express.is_none() {
            check_network(&definition.doc, spec.network_configuration.as_ref(), launch_type)?;
        }
        if !definition.supports(launch_type) {
            let message = format!("Task definition does not support launch_type {launch_type}.");
            return Err(EcsError::invalid_parameter(message).into());
        }
        spec.task_definition = Some(definition.key.arn());
        if launch_type == LaunchType::Fargate {
            spec.platform_family = Some(definition.platform_family().to_owned());
        }
    }
    check_platform(request.platform_version.as_deref(), launch_type)?;
    if let Some(version) = &request.platform_version {
        spec.platform_version = Some(version.clone());
    }
    let configuration = configure::deployment_configuration(
        spec.deployment_configuration.as_ref(),
        request.deployment_configuration.as_ref(),
        strategy,
    )?;
    spec.availability_zone_rebalancing = Some(configure::zone_rebalancing(
        spec.availability_zone_rebalancing,
        request.availability_zone_rebalancing,
        &configuration,
        strategy == SchedulingStrategy::Replica,
    )?);
    spec.deployment_configuration = Some(configuration);
    let constraints = request.placement_constraints.as_ref().or(spec.placement_constraints.as_ref());
    let strategies = request.placement_strategy.as_ref().or(spec.placement_strategy.as_ref());
    let (constraints, strategies) =
        (constraints.cloned().unwrap_or_default(), strategies.cloned().unwrap_or_default());
    configure::check_placement(&constraints, &strategies)?;
    spec.placement_constraints = Some(constraints);
    spec.placement_strategy = Some(strategies);
    configure::check_grace_period(request.health_check_grace_period_seconds)?;
    if let Some(seconds) = request.health_check_grace_period_seconds {
        spec.health_check_grace_period_seconds = Some(seconds);
    }
    if let Some(controller) = &request.deployment_controller {
        spec.deployment_controller = Some(controller.clone());
    }
    spec.enable_execute_command = request.enable_execute_command.or(spec.enable_execute_command);
    spec.enable_ecs_managed_tags = request.enable_ecs_managed_tags.or(spec.enable_ecs_managed_tags);
    spec.propagate_tags = request.propagate_tags.or(spec.propagate_tags);
    if let Some(balancers) = &request.load_balancers {
        spec.load_balancers = Some(balancers.clone());
    }
    if let Some(registries) = &request.service_registries {
        spec.service_registries = Some(registries.clone());
    }
    let extras = &mut service.revision_extras;
    replace(&mut extras.service_connect, request.service_connect_configuration.as_ref());
    replace(&mut extras.volumes, request.volume_configurations.as_ref());
    replace(&mut extras.vpc_lattice, request.vpc_lattice_configurations.as_ref());
    replace(&mut extras.gateway_connectors, request.gateway_connectors.as_ref());
    replace(&mut extras.monitoring, request.monitoring.as_ref());
    if let Some(definition) = definition {
        let balancers = service.spec.load_balancers.as_deref().unwrap_or_default();
        configure::check_against_definition(balancers, &service.revision_extras, &definition.doc)?;
        let awsvpc = definition.doc.network_mode == Some(NetworkMode::Awsvpc);
        let role = service.spec.role_arn.take();
        service.spec.role_arn = (awsvpc || !balancers.is_empty())
            .then(|| role.unwrap_or_else(|| role_arn(&service.key.cluster.scope, None)));
    }
    Ok(())
}

fn replace<T: Clone>(slot: &mut Option<T>, given: Option<&T>) {
    if given.is_some() {
        *slot = given.cloned();
    }
}

fn change_count(service: &mut Service, request: &UpdateServiceRequest) -> Result<()> {
    let Some(count) = request.desired_count else { return Ok(()) };
    if service.scheduling_strategy() == SchedulingStrategy::Daemon {
        return Err(EcsError::invalid_parameter(
            "The daemon scheduling strategy does not support a desired count for services. Remove the desired count \
             value and try again",
        )
        .into());
    }
    if count < 0 {
        return Err(EcsError::invalid_parameter("Task count can not be lesser than 0").into());
    }
    service.spec.desired_count = Some(count);
    Ok(())
}

/// Changes where tasks run. An empty strategy goes back to the cluster's default or to the launch type.
fn change_place(service: &mut Service, place: Option<Where>) -> Result<LaunchType> {
    let Some(place) = place else { return Ok(service.effective_launch_type()) };
    if service.scheduling_strategy() == SchedulingStrategy::Daemon
        && let Where::Strategy(_) = place
    {
        return Err(EcsError::invalid_parameter(
            "The daemon scheduling strategy does not support a capacity provider strategy. Remove the capacity \
             provider strategy and try again",
        )
        .into());
    }
    service.revision_extras.provider_launch_type = provider_launch_type(&place);
    let spec = &mut service.spec;
    match place {
        Where::Strategy(strategy) => {
            spec.capacity_provider_strategy = Some(strategy.items);
            spec.launch_type = None;
        }
        Where::LaunchType(launch_type) => {
            spec.capacity_provider_strategy = None;
            spec.launch_type = Some(spec.launch_type.unwrap_or(launch_type));
        }
    }
    let launch_type = service.effective_launch_type();
    let spec = &mut service.spec;
    if launch_type == LaunchType::Fargate {
        spec.platform_version.get_or_insert_with(|| "LATEST".to_owned());
    } else {
        spec.platform_version = None;
        spec.platform_family = None;
    }
    Ok(launch_type)
}
