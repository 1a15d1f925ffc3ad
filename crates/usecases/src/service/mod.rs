//! The operations on services, their deployments and revisions.

mod continue_deployment;
pub(crate) mod create;
mod delete;
mod describe;
mod describe_deployments;
mod describe_revisions;
mod external;
mod list;
mod list_by_namespace;
mod list_deployments;
pub(crate) mod namespace;
mod stop_deployment;
mod update;

use kecs_domain::arn::{ClusterKey, ServiceKey, service_ref};
use kecs_domain::model::LaunchType;
use kecs_domain::name::DeploymentId;
use kecs_domain::service::{NewDeployment, Service};
use kecs_domain::task_definition::TaskDefinition;
use kecs_domain::{EcsError, Scope};

use crate::context::{Ports, Result};
use crate::ports::{Changes, Versioned};
use crate::task::Where;

/// The operations on services, over some ports.
#[derive(Clone, Copy)]
pub struct Services<'a> {
    ports: &'a Ports,
}

impl<'a> Services<'a> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports }
    }

    /// The service that a request names in `cluster`, in whatever state. None if there is none.
    async fn find(&self, cluster: &ClusterKey, named: &str) -> Result<Option<Versioned<Service>>> {
        match service_ref(cluster, named)? {
            None => Ok(None),
            Some(key) => self.load(&key).await,
        }
    }

    pub(crate) async fn load(&self, key: &ServiceKey) -> Result<Option<Versioned<Service>>> {
        Ok(self.ports.services.services(std::slice::from_ref(key)).await?.pop().flatten())
    }
}

/// Begins a deployment of the service's present settings: the deployment itself, its revision and its record, in
/// one set of changes. The record's ARN shows in the service from now on.
pub(crate) fn begin_deployment(
    ports: &Ports,
    service: &mut Service,
    definition: &TaskDefinition,
    changes: &mut Changes,
) {
    let now = ports.clock.now();
    let id: DeploymentId = ports.ids.deployment();
    let record = service.record(ports.ids.record(), id, now);
    changes.create(service.revision(id, definition, now));
    let record_id = record.key.id.clone();
    changes.create(record);
    service.open_deployment(NewDeployment {
        id,
        record: record_id,
        definition,
        rolls_back: None,
        reason: None,
        now,
    });
}

/// `provider_launch_type` of a service that runs there: said only where the strategy doesn't say it by itself.
fn provider_launch_type(place: &Where) -> Option<LaunchType> {
    match place {
        Where::Strategy(strategy) => Some(strategy.launch_type).filter(|kind| *kind != LaunchType::Fargate),
        Where::LaunchType(_) => None,
    }
}

/// The role of a service: ECS's own one unless another is given. One that is given by its name alone reads back as an
/// ARN. (API reference, `role`)
fn role_arn(scope: &Scope, given: Option<&str>) -> String {
    match given.unwrap_or("aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS") {
        arn if arn.starts_with("arn:") => arn.to_owned(),
        name => format!("arn:{}:iam::{}:role/{name}", scope.partition(), scope.account()),
    }
}

/// Checks a platform version against where the tasks run.
pub(crate) fn check_platform(version: Option<&str>, launch_type: LaunchType) -> Result<()> {
    if version.is_some_and(|version| !version.is_empty()) && launch_type != LaunchType::Fargate {
        return Err(EcsError::invalid_parameter(
            "The platform version must be null when specifying an EC2 launch type.",
        )
        .into());
    }
    Ok(())
}
