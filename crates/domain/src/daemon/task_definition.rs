//! Daemon task definitions: families of rising revisions, like task definitions, and what orchestrators get of them.

use serde::{Deserialize, Serialize};

use crate::arn::TaskDefinitionKey;
use crate::error::EcsError;
use crate::generated as model;
use crate::model::{
    ContainerDefinition, DaemonContainerDefinition, DaemonIpcMode, DaemonPidMode, DaemonTaskDefinitionStatus,
    HostVolumeProperties, IpcMode, NetworkMode, PidMode, Volume,
};
use crate::name::FamilyName;
use crate::service::has_health_check;
use crate::task_definition::{TaskDefinition, TaskDefinitionState};
use crate::{Doc, Timestamp};

/// Where the log files of an instance's other tasks are: what a volume with `logDriverVolumeConfiguration` holds.
pub const LOG_FILES: &str = "/var/log/pods";

/// One revision of a daemon task definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DaemonTaskDefinition {
    /// Which one.
    pub key: TaskDefinitionKey,
    /// As DescribeDaemonTaskDefinition answers it.
    pub doc: Doc<model::DaemonTaskDefinition>,
    /// The same as a task definition: what its tasks are made of. Kept, because what was checked is what runs.
    pub runs: Doc<model::TaskDefinition>,
    /// Its tags.
    pub tags: Vec<model::Tag>,
}

/// A family of daemon task definitions: it remembers its last revision, so that a number is never used twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonFamily {
    /// Its name.
    pub family: FamilyName,
    /// The newest revision that was ever registered.
    pub last_revision: i32,
}

impl DaemonTaskDefinition {
    /// Whether new daemons can be made of it.
    pub fn is_active(&self) -> bool {
        self.doc.status == Some(DaemonTaskDefinitionStatus::Active)
    }

    /// Whether it has a health check on a container that matters.
    pub fn has_health_check(&self) -> bool {
        has_health_check(&self.runs)
    }

    /// What its tasks are made of. Its key is unique among those of daemon task definitions only.
    pub fn working_copy(&self) -> TaskDefinition {
        TaskDefinition {
            key: self.key.clone(),
            state: TaskDefinitionState::Active,
            doc: self.runs.clone(),
            tags: self.tags.clone(),
        }
    }

    /// Deletes it. It stays describable, and daemons that use it go on.
    ///
    /// # Errors
    /// `ClientException` unless it is ACTIVE.
    pub fn delete(&self, now: Timestamp) -> Result<Self, EcsError> {
        if !self.is_active() {
            return Err(EcsError::client(
                "The daemon task definition could not be deleted because it is not in ACTIVE status.",
            ));
        }
        let mut deleted = self.clone();
        let doc = deleted.doc.make_mut();
        doc.status = Some(DaemonTaskDefinitionStatus::DeleteInProgress);
        doc.delete_requested_at = Some(now);
        Ok(deleted)
    }

    /// The definition after everything that was made of it is gone: its deletion is through. It stays describable. None
    /// for one that isn't being deleted.
    #[must_use]
    pub fn deleted(&self) -> Option<Self> {
        if self.doc.status != Some(DaemonTaskDefinitionStatus::DeleteInProgress) {
            return None;
        }
        let mut deleted = self.clone();
        deleted.doc.make_mut().status = Some(DaemonTaskDefinitionStatus::Deleted);
        Some(deleted)
    }
}

/// A registration as one of a task definition, whose rules it shares.
pub(super) fn as_task_definition(
    request: &model::RegisterDaemonTaskDefinitionRequest,
) -> model::RegisterTaskDefinitionRequest {
    model::RegisterTaskDefinitionRequest {
        family: request.family.clone(),
        task_role_arn: request.task_role_arn.clone(),
        execution_role_arn: request.execution_role_arn.clone(),
        // A daemon's network is neither the host's nor a task's with an interface of its own.
        network_mode: Some(NetworkMode::Bridge),
        container_definitions: request.container_definitions.iter().map(container).collect(),
        volumes: request.volumes.as_ref().map(|volumes| volumes.iter().map(volume).collect()),
        cpu: request.cpu.clone(),
        memory: request.memory.clone(),
        tags: request.tags.clone(),
        pid_mode: (request.pid_mode == Some(DaemonPidMode::Shared)).then_some(PidMode::Host),
        ipc_mode: (request.ipc_mode == Some(DaemonIpcMode::Shared)).then_some(IpcMode::Host),
        ..Default::default()
    }
}

fn container(it: &DaemonContainerDefinition) -> ContainerDefinition {
    let it = it.clone();
    ContainerDefinition {
        name: it.name,
        image: Some(it.image),
        memory: it.memory,
        memory_reservation: it.memory_reservation,
        repository_credentials: it.repository_credentials,
        health_check: it.health_check,
        cpu: it.cpu,
        essential: it.essential,
        entry_point: it.entry_point,
        command: it.command,
        working_directory: it.working_directory,
        environment_files: it.environment_files,
        environment: it.environment,
        secrets: it.secrets,
        readonly_root_filesystem: it.readonly_root_filesystem,
        mount_points: it.mount_points,
        log_configuration: it.log_configuration,
        firelens_configuration: it.firelens_configuration,
        privileged: it.privileged,
        user: it.user,
        ulimits: it.ulimits,
        linux_parameters: it.linux_parameters.map(|linux| model::LinuxParameters {
            capabilities: linux.capabilities,
            devices: linux.devices,
            init_process_enabled: linux.init_process_enabled,
            tmpfs: linux.tmpfs,
            ..Default::default()
        }),
        depends_on: it.depends_on,
        start_timeout: it.start_timeout,
        stop_timeout: it.stop_timeout,
        system_controls: it.system_controls,
        interactive: it.interactive,
        pseudo_terminal: it.pseudo_terminal,
        restart_policy: it.restart_policy,
        ..Default::default()
    }
}

fn volume(it: &model::DaemonVolume) -> Volume {
    let logs = it.log_driver_volume_configuration.as_ref();
    let host = logs.map(|_| HostVolumeProperties { source_path: Some(LOG_FILES.to_owned()) });
    Volume { name: it.name.clone(), host: host.or_else(|| it.host.clone()), ..Default::default() }
}
