//! What a registration must keep, in ECS's words and, as far as it is known, in ECS's order.
//!
//! Each rule names its member or its container. Messages that were seen in ECS's answers are literal; the others
//! follow their style. The rules that the API model states are checked elsewhere.

mod containers;
mod fargate;
mod health;
mod logging;
mod network;
mod ordering;
mod placement;
mod ports;
mod resources;
mod secrets;
mod system;
#[cfg(test)]
mod tests;
mod volumes;

use crate::error::EcsError;
use crate::generated as model;
use crate::model::{Compatibility, ContainerDefinition, NetworkMode, OSFamily};

use super::sizes;

type Outcome = Result<(), EcsError>;

/// A registration, looked at in one way: as a task for Fargate or not.
struct Subject<'a> {
    request: &'a model::RegisterTaskDefinitionRequest,
    containers: &'a [ContainerDefinition],
    /// `bridge` where nothing is said.
    network: NetworkMode,
    windows: bool,
    /// Whether it has to keep the rules of Fargate.
    fargate: bool,
    /// CPU units of the whole task.
    cpu: Option<i32>,
    /// MiB of the whole task.
    memory: Option<i32>,
}

/// Checks a registration: as one for Fargate if it requires that.
///
/// # Errors
/// `ClientException` or `InvalidParameterException`, as ECS has it for the rule: the first that is broken.
pub fn check(request: &model::RegisterTaskDefinitionRequest) -> Outcome {
    check_as(request, requires(request, Compatibility::Fargate))
}

/// Whether a registration that passed [`check`] could also run on Fargate, whether it requires that or not.
pub(super) fn is_fit_for_fargate(request: &model::RegisterTaskDefinitionRequest) -> bool {
    check_as(request, true).is_ok()
}

fn check_as(request: &model::RegisterTaskDefinitionRequest, fargate: bool) -> Outcome {
    let mut subject = Subject {
        request,
        containers: &request.container_definitions,
        network: request.network_mode.unwrap_or(NetworkMode::Bridge),
        windows: is_windows(request),
        fargate,
        cpu: None,
        memory: None,
    };
    containers::check_list(&subject)?;
    subject.cpu = resources::task_cpu(&subject)?;
    subject.memory = resources::task_memory(&subject)?;
    containers::check_essential(&subject)?;
    containers::check_each(&subject)?;
    if fargate {
        fargate::check_network_mode(&subject)?;
    }
    containers::check_roles(&subject)?;
    resources::check_memory(&subject)?;
    if fargate {
        fargate::check_size(&subject)?;
        fargate::check_platform(&subject)?;
    }
    resources::check_cpu(&subject)?;
    ordering::check(&subject)?;
    network::check(&subject)?;
    ports::check(&subject)?;
    logging::check(&subject)?;
    secrets::check(&subject)?;
    volumes::check(&subject)?;
    health::check(&subject)?;
    system::check(&subject)?;
    placement::check(&subject)?;
    if fargate {
        fargate::check_refusals(&subject)?;
    }
    Ok(())
}

impl Subject<'_> {
    fn container(&self, name: &str) -> Option<&ContainerDefinition> {
        self.containers.iter().find(|container| name_of(container) == name)
    }

    fn has_execution_role(&self) -> bool {
        self.request.execution_role_arn.as_deref().is_some_and(|role| !role.is_empty())
    }

    fn requires(&self, compatibility: Compatibility) -> bool {
        requires(self.request, compatibility)
    }
}

fn requires(request: &model::RegisterTaskDefinitionRequest, compatibility: Compatibility) -> bool {
    request.requires_compatibilities.as_ref().is_some_and(|required| required.contains(&compatibility))
}

/// Whether the registration names an operating system family of Windows.
pub(super) fn is_windows(request: &model::RegisterTaskDefinitionRequest) -> bool {
    let family = request.runtime_platform.as_ref().and_then(|platform| platform.operating_system_family);
    family.is_some_and(|family| family != OSFamily::Linux)
}

/// Whether the container must not end. It is so unless it says otherwise.
fn is_essential(container: &ContainerDefinition) -> bool {
    container.essential.unwrap_or(true)
}

fn name_of(container: &ContainerDefinition) -> &str {
    container.name.as_deref().unwrap_or_default()
}

/// The elements of a list that may be left out.
fn each<T>(list: &Option<Vec<T>>) -> std::slice::Iter<'_, T> {
    list.as_deref().unwrap_or_default().iter()
}

fn client(message: impl Into<String>) -> Outcome {
    Err(EcsError::client(message))
}
