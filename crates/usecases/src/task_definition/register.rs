//! RegisterTaskDefinition: checks a task definition and keeps it as the next revision of its family.

use kecs_domain::model;
use kecs_domain::task_definition::{Registration, TaskDefinition};

use super::{TaskDefinitions, next_revision};
use crate::context::check_model;
use crate::ports::Changes;
use crate::{Context, Result};

impl TaskDefinitions<'_> {
    /// Registers a revision. Several at once in one family all get one of their own.
    ///
    /// # Errors
    /// `ClientException` or `InvalidParameterException` for the first rule that is broken, ECS's own rules before
    /// those of the orchestrator.
    pub async fn register(
        &self,
        ctx: &Context,
        request: model::RegisterTaskDefinitionRequest,
    ) -> Result<model::RegisterTaskDefinitionResponse> {
        let with_tags = request.tags.is_some();
        check_model(&request)?;
        let registration = Registration::new(request)?;
        self.ports.orchestrator.check(&registration.definition)?;

        let registered = next_revision(|| self.save(ctx, &registration)).await?;
        Ok(model::RegisterTaskDefinitionResponse {
            task_definition: Some(registered.doc),
            tags: with_tags.then_some(registered.tags),
        })
    }

    /// Saves the revision and its family's row in one commit. If we die here, both are kept or neither; a caller
    /// who asks again registers another revision, as with ECS.
    async fn save(&self, ctx: &Context, registration: &Registration) -> Result<TaskDefinition> {
        let key = (ctx.scope.clone(), registration.family.clone());
        let found = self.ports.task_definitions.family(&key).await?;
        let before = found.as_ref().map(|found| &*found.value);
        let now = self.ports.clock.now();
        let (family, revision) = registration.next_revision(&ctx.scope, before, &ctx.caller_arn, now);
        let mut changes = Changes::new();
        match &found {
            None => changes.create(family),
            Some(found) => changes.update(family, found.version),
        };
        changes.create(revision.clone());
        self.ports.unit_of_work.commit(changes).await?;
        Ok(revision)
    }
}
