//! A revision says which images its tasks really run: their digests, from its first task that knows them.

use std::sync::Arc;

use kecs_domain::arn::ServiceRevisionKey;
use kecs_domain::service::Service;
use kecs_domain::task::Task;

use super::Reconciler;
use crate::context::Result;
use crate::ports::Changes;

impl Reconciler<'_> {
    /// Writes the digests into the revisions that don't have them yet. Once for each deployment.
    pub(super) async fn note_digests(
        &self,
        service: &mut Service,
        tasks: &[Arc<Task>],
        changes: &mut Changes,
    ) -> Result<()> {
        for deployment in service.deployments.iter_mut().filter(|deployment| !deployment.digests_known) {
            let mut of_deployment = tasks.iter().filter(|task| {
                task.doc.pull_stopped_at.is_some()
                    && task.service.as_ref().is_some_and(|membership| membership.deployment == deployment.id)
            });
            let Some(task) = of_deployment.next() else { continue };
            let key = ServiceRevisionKey { service: service.key.clone(), id: deployment.id };
            let Some(revision) = self.ports.services.service_revision(&key).await? else { continue };
            if let Some(known) = revision.with_digests(&task.doc) {
                changes.update(known, revision.version);
                deployment.digests_known = true;
            }
        }
        Ok(())
    }
}
