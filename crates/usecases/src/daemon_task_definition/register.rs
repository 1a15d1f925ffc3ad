//! RegisterDaemonTaskDefinition.

use kecs_domain::daemon::{DaemonFamily, DaemonRegistration, DaemonTaskDefinition, family_key};
use kecs_domain::model;
use kecs_domain::resource::Resource;

use super::{DaemonTaskDefinitions, kept};
use crate::context::check_model;
use crate::ports::Changes;
use crate::task_definition::next_revision;
use crate::{Context, Result};

impl DaemonTaskDefinitions<'_> {
    /// Registers a revision. Several at once in one family all get one of their own.
    ///
    /// # Errors
    /// `ClientException` or `InvalidParameterException` for the first rule that is broken, ECS's own rules before
    /// those of the orchestrator.
    pub async fn register(
        &self,
        ctx: &Context,
        request: model::RegisterDaemonTaskDefinitionRequest,
    ) -> Result<model::RegisterDaemonTaskDefinitionResponse> {
        check_model(&request)?;
        let registration = DaemonRegistration::new(request)?;
        self.ports.orchestrator.check(registration.runs())?;

        let registered = next_revision(|| self.save(ctx, &registration)).await?;
        Ok(model::RegisterDaemonTaskDefinitionResponse {
            daemon_task_definition_arn: registered.doc.daemon_task_definition_arn.clone(),
        })
    }

    /// Saves the revision and what is remembered of its family in one commit. If we die here, both are kept or
    /// neither; a caller who asks again registers another revision, as with ECS.
    async fn save(&self, ctx: &Context, registration: &DaemonRegistration) -> Result<DaemonTaskDefinition> {
        let key = family_key(&ctx.scope, &registration.family);
        let found = kept::<DaemonFamily>(self.ports, &key).await?;
        let before = found.as_ref().map(|(family, _)| family);
        let now = self.ports.clock.now();
        let (family, revision) = registration.next_revision(&ctx.scope, before, &ctx.caller_arn, now);
        let mut changes = Changes::new();
        let family = Resource::new(&ctx.scope, key.parent, key.id, family);
        match found {
            None => changes.create(family),
            Some((_, version)) => changes.update(family, version),
        };
        let key = kecs_domain::daemon::definition_key(&revision.key);
        changes.create(Resource::new(&ctx.scope, key.parent, key.id, revision.clone()));
        self.ports.unit_of_work.commit(changes).await?;
        Ok(revision)
    }
}
