//! Registering a daemon task definition: from a request to the next revision of its family.

use super::task_definition::as_task_definition;
use super::{DaemonFamily, DaemonTaskDefinition, daemon_task_definition_arn};
use crate::arn::TaskDefinitionKey;
use crate::error::EcsError;
use crate::generated as model;
use crate::model::{Compatibility, DaemonTaskDefinitionStatus, LogDriver};
use crate::name::FamilyName;
use crate::scope::Scope;
use crate::task_definition::Registration;
use crate::{Doc, Timestamp};

/// A registration that keeps every rule, with ECS's defaults, before it has a revision.
#[derive(Clone, Debug, PartialEq)]
pub struct DaemonRegistration {
    /// Its family.
    pub family: FamilyName,
    doc: model::DaemonTaskDefinition,
    runs: model::TaskDefinition,
    tags: Vec<model::Tag>,
}

impl DaemonRegistration {
    /// Checks a request by the rules of task definitions, and fills in their defaults.
    ///
    /// # Errors
    /// `ClientException` or `InvalidParameterException` for the first rule that is broken; tags come last.
    pub fn new(request: model::RegisterDaemonTaskDefinitionRequest) -> Result<Self, EcsError> {
        check_volumes(&request)?;
        let checked = Registration::new(as_task_definition(&request))?;
        let runs = model::TaskDefinition {
            compatibilities: Some(vec![Compatibility::ManagedInstances]),
            ..checked.definition
        };
        let doc = fill_in(request, &runs);
        Ok(Self { family: checked.family, doc, runs, tags: checked.tags })
    }

    /// What its tasks will be made of, for the orchestrator to look at.
    pub fn runs(&self) -> &model::TaskDefinition {
        &self.runs
    }

    /// The next revision of the family, of which `family` is remembered if it had one already. Both are saved
    /// together, so that a number is never used twice.
    pub fn next_revision(
        &self,
        scope: &Scope,
        family: Option<&DaemonFamily>,
        registered_by: &str,
        now: Timestamp,
    ) -> (DaemonFamily, DaemonTaskDefinition) {
        let revision = family.map_or(0, |family| family.last_revision) + 1;
        let key = TaskDefinitionKey { scope: scope.clone(), family: self.family.clone(), revision };
        let arn = daemon_task_definition_arn(&key);
        let doc = model::DaemonTaskDefinition {
            daemon_task_definition_arn: Some(arn.clone()),
            revision: Some(revision),
            status: Some(DaemonTaskDefinitionStatus::Active),
            registered_at: Some(now),
            registered_by: Some(registered_by.to_owned()),
            ..self.doc.clone()
        };
        let runs = model::TaskDefinition {
            task_definition_arn: Some(arn),
            revision: Some(revision),
            status: Some(model::TaskDefinitionStatus::Active),
            registered_at: Some(now),
            registered_by: Some(registered_by.to_owned()),
            ..self.runs.clone()
        };
        let family = DaemonFamily { family: self.family.clone(), last_revision: revision };
        let tags = self.tags.clone();
        (family, DaemonTaskDefinition { key, doc: Doc::new(doc), runs: Doc::new(runs), tags })
    }
}

fn check_volumes(request: &model::RegisterDaemonTaskDefinitionRequest) -> Result<(), EcsError> {
    for volume in request.volumes.iter().flatten() {
        let Some(logs) = &volume.log_driver_volume_configuration else { continue };
        let name = volume.name.as_deref().unwrap_or_default();
        if volume.host.is_some() {
            return Err(EcsError::client(format!(
                "Volume '{name}' can not have both host and logDriverVolumeConfiguration."
            )));
        }
        if logs.driver != LogDriver::JsonFile {
            return Err(EcsError::client(format!(
                "Volume '{name}': the only supported driver in logDriverVolumeConfiguration is json-file."
            )));
        }
    }
    Ok(())
}

/// The registration as it reads back, but for what its revision adds.
fn fill_in(
    request: model::RegisterDaemonTaskDefinitionRequest,
    runs: &model::TaskDefinition,
) -> model::DaemonTaskDefinition {
    let mut containers = request.container_definitions;
    for container in &mut containers {
        container.cpu.get_or_insert(0);
        container.essential.get_or_insert(true);
        container.environment.get_or_insert_default();
        container.mount_points.get_or_insert_default();
        container.system_controls.get_or_insert_default();
    }
    model::DaemonTaskDefinition {
        family: Some(request.family),
        task_role_arn: request.task_role_arn.filter(|role| !role.is_empty()),
        execution_role_arn: request.execution_role_arn.filter(|role| !role.is_empty()),
        container_definitions: Some(containers),
        volumes: Some(request.volumes.unwrap_or_default()),
        cpu: runs.cpu.clone(),
        memory: runs.memory.clone(),
        pid_mode: request.pid_mode,
        ipc_mode: request.ipc_mode,
        ..Default::default()
    }
}
