//! Services whose deployments somebody else controls: what belongs to that one can't be set on them.

use kecs_domain::EcsError;
use kecs_domain::model::{
    CreateServiceRequest, DeploymentControllerType, SchedulingStrategy, UpdateServiceRequest,
};
use kecs_domain::service::Service;

use crate::context::Result;

fn refuse(message: impl Into<String>) -> Result<()> {
    Err(EcsError::invalid_parameter(message).into())
}

/// Whether a request asks for a service with an EXTERNAL deployment controller.
pub(super) fn is_external(request: &CreateServiceRequest) -> bool {
    let controller = request.deployment_controller.as_ref();
    controller.is_some_and(|controller| controller.r#type == DeploymentControllerType::External)
}

/// Checks that a request for such a service leaves to the task sets what is theirs.
pub(super) fn check_create(request: &CreateServiceRequest) -> Result<()> {
    match request.task_definition.as_deref() {
        None => {}
        // (recorded)
        Some("") => return refuse("Family should not be null or empty."),
        Some(_) => return refuse("TaskDefinition must be blank."),
    }
    if request.scheduling_strategy == Some(SchedulingStrategy::Daemon) {
        return refuse(
            "The daemon scheduling strategy does not support the EXTERNAL deployment controller. Change the deployment \
             controller and try again",
        );
    }
    for (given, member) in [
        (is_filled(request.load_balancers.as_ref()), "LoadBalancers"),
        (is_filled(request.service_registries.as_ref()), "ServiceRegistries"),
        (is_filled(request.capacity_provider_strategy.as_ref()), "CapacityProviderStrategy"),
        (request.network_configuration.is_some(), "NetworkConfiguration"),
        (is_text(request.platform_version.as_ref()), "PlatformVersion"),
        (request.service_connect_configuration.is_some(), "ServiceConnectConfiguration"),
    ] {
        if given {
            return refuse(format!("{member} must be blank."));
        }
    }
    Ok(())
}

/// Checks that an update of such a service changes nothing that belongs to a task set. The controller itself stays.
pub(super) fn check_update(service: &Service, request: &UpdateServiceRequest) -> Result<()> {
    let external = service.controller() == DeploymentControllerType::External;
    let wanted = request.deployment_controller.as_ref().map(|controller| controller.r#type);
    let becomes_external = wanted == Some(DeploymentControllerType::External);
    if wanted.is_some() && external != becomes_external {
        return refuse(
            "Unable to change the deployment controller of a service to EXTERNAL or from EXTERNAL.",
        );
    }
    if !external {
        return Ok(());
    }
    for (given, what) in [
        (request.task_definition.is_some(), "task definition"),
        (is_filled(request.load_balancers.as_ref()), "load balancers"),
        (is_filled(request.service_registries.as_ref()), "service registries"),
        (is_filled(request.capacity_provider_strategy.as_ref()), "capacity provider strategy"),
        (request.network_configuration.is_some(), "network configuration"),
        (is_text(request.platform_version.as_ref()), "platform version"),
        (request.service_connect_configuration.is_some(), "service connect configuration"),
        (request.force_new_deployment == Some(true), "deployment"),
    ] {
        if given {
            return refuse(format!(
                "Unable to update {what} on services with an EXTERNAL deployment controller. Create a new task set \
                 instead."
            ));
        }
    }
    Ok(())
}

/// Checks that an update of a service that CodeDeploy deploys leaves to it what is its own.
pub(super) fn check_code_deploy(service: &Service, request: &UpdateServiceRequest) -> Result<()> {
    if service.controller() != DeploymentControllerType::CodeDeploy {
        return Ok(());
    }
    let why = "on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.";
    for (given, what) in [
        (request.task_definition.is_some(), "task definition"),
        (request.network_configuration.is_some(), "network parameters"),
        (is_filled(request.load_balancers.as_ref()), "load balancers"),
    ] {
        if given {
            return refuse(format!("Unable to update {what} {why}"));
        }
    }
    if request.force_new_deployment == Some(true) {
        return refuse(format!("Cannot force a new deployment {why}"));
    }
    Ok(())
}

fn is_filled<T>(list: Option<&Vec<T>>) -> bool {
    list.is_some_and(|list| !list.is_empty())
}

fn is_text(text: Option<&String>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}
