//! Daemon task definitions that are being deleted: they are DELETED when nothing that was made of them is left.

use std::collections::BTreeSet;

use kecs_domain::arn::TaskDefinitionKey;
use kecs_domain::daemon::{Daemon, DaemonRevisionKey, DaemonTaskDefinition};
use kecs_domain::pagination::PageRequest;
use kecs_domain::resource::{Resource, ResourceKind};
use kecs_domain::task::TaskStatus;

use super::Reconciler;
use crate::context::Result;
use crate::daemon::{keep, revision};
use crate::daemon_task_definition::all_kept;
use crate::ports::{Changes, TaskQuery, Versioned};

/// How many definitions are loaded at a time.
const PER_PAGE: usize = 1_000;

impl Reconciler<'_> {
    /// Adds the end of deletions to `changes`. No daemon can come to use such a definition anew, so nothing has to be
    /// required of those that there are.
    pub(super) async fn end_deletions(&self, changes: &mut Changes) -> Result<()> {
        let kind = ResourceKind::DaemonTaskDefinition;
        let mut after = None;
        loop {
            let page = PageRequest { after, limit: PER_PAGE };
            let page = self.ports.resources.resources_everywhere(kind, page).await?;
            for one in &page.items {
                let deleted = one.get::<DaemonTaskDefinition>().and_then(DaemonTaskDefinition::deleted);
                let Some(deleted) = deleted else { continue };
                if !self.is_used(&deleted.key).await? {
                    changes.update(keep(one.key.clone(), deleted), one.version);
                }
            }
            after = page.items.last().map(|one| one.key.clone());
            if !page.more {
                return Ok(());
            }
        }
    }

    /// Whether a daemon has the definition in a revision that it may still start tasks of, or has tasks of it.
    async fn is_used(&self, definition: &TaskDefinitionKey) -> Result<bool> {
        let daemons: Vec<Versioned<Resource>> =
            all_kept(self.ports, &definition.scope, ResourceKind::Daemon, None).await?;
        for daemon in daemons.iter().filter_map(|kept| kept.get::<Daemon>()) {
            let mut revisions: BTreeSet<_> = daemon.counts.iter().map(|counts| counts.revision).collect();
            revisions.extend(daemon.last_successful);
            for id in revisions {
                let key = DaemonRevisionKey { daemon: daemon.key.clone(), id };
                let found = revision(self.ports, &key).await?;
                if found.is_some_and(|(found, _)| found.settings.definition == *definition) {
                    return Ok(true);
                }
            }
            let query = TaskQuery {
                started_by: Some(daemon.key.started_by()),
                ..TaskQuery::of_cluster(&daemon.key.cluster)
            };
            let tasks = self.all_tasks(&query).await?;
            if tasks.iter().any(|task| task.definition == *definition && task.status != TaskStatus::Stopped) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
