//! The operations on daemons, their deployments and revisions, one per file, and how other operations look at them.

mod create;
mod delete;
mod describe;
mod describe_deployments;
mod describe_revisions;
mod gate;
mod list;
mod list_deployments;
mod update;

use kecs_domain::arn::TaskDefinitionKey;
use kecs_domain::daemon::{
    Daemon, DaemonDeployment, DaemonDeploymentKey, DaemonEvent, DaemonKey, DaemonRevision, DaemonRevisionKey,
    DaemonSettings, Rollout, check_providers, daemon_ref,
};
use kecs_domain::model::DaemonPropagateTags;
use kecs_domain::resource::{Resource, ResourceKey};
use kecs_domain::task_definition::TaskDefinition;
use kecs_domain::{EcsError, ErrorCode, Scope, Timestamp};

pub(crate) use gate::{held_instances, instances_of};

use crate::daemon_task_definition::kept;
use crate::ports::{Changes, Version};
use crate::task::active_cluster;
use crate::{Context, Ports, Result};

/// The operations on daemons.
#[derive(Clone, Copy)]
pub struct Daemons<'a> {
    ports: &'a Ports,
}

impl<'a> Daemons<'a> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports }
    }

    /// The daemon with this ARN, whose cluster must be ACTIVE.
    ///
    /// # Errors
    /// `InvalidParameterException` for what is no daemon's ARN, `ClusterNotFoundException`,
    /// `DaemonNotFoundException`.
    async fn find(&self, ctx: &Context, arn: &str) -> Result<(Daemon, Version)> {
        let key = daemon_ref(&ctx.scope, arn)?;
        active_cluster(self.ports, &ctx.scope, Some(key.cluster.name.as_str())).await?;
        Ok(load(self.ports, &key).await?.ok_or_else(not_found)?)
    }
}

/// The daemon, if it is there.
pub(crate) async fn load(ports: &Ports, key: &DaemonKey) -> Result<Option<(Daemon, Version)>> {
    kept(ports, &key.resource()).await
}

/// The record of a daemon deployment.
pub(crate) async fn record(
    ports: &Ports,
    key: &DaemonDeploymentKey,
) -> Result<Option<(DaemonDeployment, Version)>> {
    kept(ports, &key.resource()).await
}

/// A daemon revision.
pub(crate) async fn revision(
    ports: &Ports,
    key: &DaemonRevisionKey,
) -> Result<Option<(DaemonRevision, Version)>> {
    kept(ports, &key.resource()).await
}

/// `DaemonNotFoundException`
pub(crate) fn not_found() -> EcsError {
    EcsError::new(ErrorCode::DaemonNotFound, "Daemon not found.")
}

/// `DaemonNotActiveException`
fn not_active() -> EcsError {
    EcsError::new(ErrorCode::DaemonNotActive, "Daemon was not ACTIVE.")
}

/// What CreateDaemon and UpdateDaemon say of a revision, in the same words.
struct Wanted<'a> {
    providers: &'a [String],
    propagate_tags: Option<DaemonPropagateTags>,
    managed_tags: Option<bool>,
    execute_command: Option<bool>,
    critical: Option<bool>,
}

impl Wanted<'_> {
    /// What that makes, with the defaults filled in.
    ///
    /// # Errors
    /// `InvalidParameterException` for what is wrong with the capacity providers.
    fn settings(
        self,
        scope: &Scope,
        definition: &TaskDefinitionKey,
    ) -> std::result::Result<DaemonSettings, EcsError> {
        Ok(DaemonSettings {
            definition: definition.clone(),
            capacity_providers: check_providers(scope, self.providers)?,
            propagate_tags: self.propagate_tags == Some(DaemonPropagateTags::Daemon),
            managed_tags: self.managed_tags.unwrap_or(false),
            execute_command: self.execute_command.unwrap_or(false),
            critical: self.critical.unwrap_or(true),
        })
    }
}

/// A value to be kept under `key`.
pub(crate) fn keep<T: kecs_domain::resource::ResourceValue>(key: ResourceKey, value: T) -> Resource {
    Resource::new(&key.scope, key.parent, key.id, value)
}

/// Begins a deployment of `settings`: a revision, a record, and the daemon turned to both.
fn begin_deployment(
    ports: &Ports,
    daemon: &mut Daemon,
    settings: DaemonSettings,
    definition: &TaskDefinition,
    now: Timestamp,
    changes: &mut Changes,
) {
    let id = ports.ids.deployment();
    let key = DaemonRevisionKey { daemon: daemon.key.clone(), id };
    let revision = DaemonRevision::new(key, &settings, definition, now);
    changes.create(keep(revision.key.resource(), revision));
    daemon.turn_to(id, settings, Rollout::Pending);
    let record = DaemonDeployment::new(daemon, ports.ids.record(), Some(id), now);
    daemon.deployment.clone_from(&record.key.id);
    daemon.updated_at = now;
    changes.create(keep(record.key.resource(), record));
}

/// Ends the record of the newest deployment, if it still goes on, because another one takes its place.
async fn supersede(ports: &Ports, daemon: &Daemon, now: Timestamp, changes: &mut Changes) -> Result<()> {
    let key = DaemonDeploymentKey { daemon: daemon.key.clone(), id: daemon.deployment.clone() };
    if let Some((found, version)) = record(ports, &key).await?
        && let Some(ended) = found.after(&DaemonEvent::Superseded, daemon, now)
    {
        changes.update(keep(key.resource(), ended), version);
    }
    Ok(())
}
