//! Retention: what has ended long ago is removed for good.

use std::time::Duration;

use kecs_domain::Timestamp;
use kecs_domain::container_instance::ContainerInstance;
use kecs_domain::pagination::PageRequest;
use kecs_domain::resource::ResourceKind;

use super::Reconciler;
use crate::context::Result;
use crate::ports::{Changes, EntityKey, Expect};

/// How long STOPPED tasks stay describable: about an hour in ECS, which is the least that clients rely on.
const STOPPED_TASKS: Duration = Duration::from_secs(60 * 60);
/// How long an idempotency token is remembered. (API reference, clientToken: 24 hours)
const TOKENS: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a deregistered instance of an agent stays describable. A deregistered node must be remembered as long as
/// there is such a node.
const DEREGISTERED_INSTANCES: Duration = Duration::from_secs(60 * 60);
/// How many entities one call removes at most, of each kind.
const PER_SWEEP: usize = 1_000;

impl Reconciler<'_> {
    /// Removes what has ended long ago, a bounded number of things, and ends deletions. Returns whether there may be
    /// more.
    ///
    /// # Errors
    /// A failure behind a port.
    pub async fn sweep(&self) -> Result<bool> {
        let now = self.ports.clock.now();
        let tasks = self.ports.tasks.stopped_before(now.saturating_sub(STOPPED_TASKS), PER_SWEEP).await?;
        let tokens = self.ports.tokens.tokens_before(now.saturating_sub(TOKENS), PER_SWEEP).await?;
        let more = tasks.len() == PER_SWEEP || tokens.len() == PER_SWEEP;
        let mut changes = Changes::new();
        for task in tasks {
            // One that its service or daemon has not drawn its conclusions from is still needed.
            if !task.accounted && (task.service.is_some() || task.daemon.is_some()) {
                continue;
            }
            // The hint to let go of it may have been lost, and without its record nobody would give another.
            if let Err(error) = self.ports.orchestrator.forget(&task.key).await {
                tracing::warn!(task = %task.key.arn(), cause = %error, "a task is kept until its orchestrator lets go");
                continue;
            }
            if let Err(error) = self.ports.log_archive.drop_task(&task.key).await {
                // The archive's own bound takes them in the end.
                tracing::warn!(task = %task.key.arn(), cause = %error, "logs of a task that is gone are still kept");
            }
            changes.deletes.push((EntityKey::Task(task.key.clone()), Expect::Version(task.version)));
        }
        changes.deletes.extend(tokens.into_iter().map(|token| (EntityKey::Token(token), Expect::Any)));
        let before = now.saturating_sub(DEREGISTERED_INSTANCES);
        changes.deletes.extend(self.deregistered_before(before).await?);
        self.end_deletions(&mut changes).await?;
        if !changes.is_empty() {
            self.ports.unit_of_work.commit(changes).await?;
        }
        Ok(more)
    }

    /// Instances of agents that were deregistered long ago. There never are many instances at all.
    async fn deregistered_before(&self, before: Timestamp) -> Result<Vec<(EntityKey, Expect)>> {
        let mut gone = Vec::new();
        let mut after = None;
        loop {
            let request = PageRequest { after, limit: PER_SWEEP };
            let page =
                self.ports.resources.resources_everywhere(ResourceKind::ContainerInstance, request).await?;
            for one in &page.items {
                let Some(kept) = one.get::<ContainerInstance>() else { continue };
                let long_ago = kept.deregistered_at.is_some_and(|at| at < before);
                if kept.registration.is_some() && long_ago {
                    gone.push((EntityKey::Resource(one.key.clone()), Expect::Version(one.version)));
                }
            }
            after = page.items.last().map(|one| one.key.clone());
            if !page.more {
                return Ok(gone);
            }
        }
    }
}
