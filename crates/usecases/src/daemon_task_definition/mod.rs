//! The operations on daemon task definitions, one per file, and the way in which daemons find one.

mod delete;
mod describe;
mod list;
mod register;

use kecs_domain::arn::{BadTaskDefinitionRef, TaskDefinitionKey, TaskDefinitionRef};
use kecs_domain::daemon::{DaemonTaskDefinition, daemon_task_definition_ref, definition_key};
use kecs_domain::pagination::PageRequest;
use kecs_domain::resource::{Resource, ResourceKey, ResourceKind, ResourceValue};
use kecs_domain::{EcsError, Scope};

use crate::ports::{ResourceQuery, Version, Versioned};
use crate::{Ports, Result};

/// How many resources are loaded at a time.
const PER_PAGE: usize = 1_000;

/// The operations on daemon task definitions.
#[derive(Clone, Copy)]
pub struct DaemonTaskDefinitions<'a> {
    ports: &'a Ports,
}

impl<'a> DaemonTaskDefinitions<'a> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports }
    }
}

/// A kept resource that is a `T`, with its version.
pub(crate) async fn kept<T: ResourceValue + Clone>(
    ports: &Ports,
    key: &ResourceKey,
) -> Result<Option<(T, Version)>> {
    let found = ports.resources.resources(std::slice::from_ref(key)).await?.pop().flatten();
    Ok(found.and_then(|found| Some((found.get::<T>()?.clone(), found.version))))
}

/// Everything of a kind in a scope, of one parent or of all.
pub(crate) async fn all_kept(
    ports: &Ports,
    scope: &Scope,
    kind: ResourceKind,
    parent: Option<String>,
) -> Result<Vec<Versioned<Resource>>> {
    let query = ResourceQuery { kind, scope: scope.clone(), parent };
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = ports.resources.list_resources(&query, PageRequest { after, limit: PER_PAGE }).await?;
        after = page.items.last().map(|last| (last.key.parent.clone(), last.key.id.clone()));
        all.extend(page.items);
        if !page.more {
            return Ok(all);
        }
    }
}

/// One revision, in whatever state.
pub(crate) async fn find(
    ports: &Ports,
    key: &TaskDefinitionKey,
) -> Result<Option<(DaemonTaskDefinition, Version)>> {
    kept(ports, &definition_key(key)).await
}

/// The revision that is named, or else the newest ACTIVE one of the family.
async fn lookup(
    ports: &Ports,
    scope: &Scope,
    named: TaskDefinitionRef,
) -> Result<Option<(DaemonTaskDefinition, Version)>> {
    let TaskDefinitionRef { family, revision } = named;
    if let Some(revision) = revision {
        return find(ports, &TaskDefinitionKey { scope: scope.clone(), family, revision }).await;
    }
    let all = all_kept(ports, scope, ResourceKind::DaemonTaskDefinition, Some(family.to_string())).await?;
    Ok(all.iter().rev().find_map(|found| {
        let definition = found.get::<DaemonTaskDefinition>().filter(|it| it.is_active())?;
        Some((definition.clone(), found.version))
    }))
}

/// The daemon task definition that a daemon is to be made of.
///
/// # Errors
/// `InvalidParameterException` for a revision that is no number; `ClientException` for one that isn't there or is
/// being deleted.
pub(crate) async fn resolve(
    ports: &Ports,
    scope: &Scope,
    text: &str,
) -> Result<(DaemonTaskDefinition, Version)> {
    let not_found = || EcsError::client("DaemonTaskDefinition not found.");
    let named = daemon_task_definition_ref(scope, text).map_err(|bad| match bad {
        BadTaskDefinitionRef::Revision => bad_revision(),
        BadTaskDefinitionRef::Family => not_found(),
    })?;
    let (found, version) = lookup(ports, scope, named).await?.ok_or_else(not_found)?;
    if !found.is_active() {
        return Err(EcsError::client("DaemonTaskDefinition is being deleted").into());
    }
    Ok((found, version))
}

/// `family:x`, where x is no positive number.
pub(crate) fn bad_revision() -> EcsError {
    EcsError::invalid_parameter("Invalid daemon task definition: Invalid revision number.")
}

/// What is said of a daemon task definition that isn't there.
pub(crate) fn unable_to_describe() -> EcsError {
    EcsError::client("Unable to describe daemon task definition.")
}
