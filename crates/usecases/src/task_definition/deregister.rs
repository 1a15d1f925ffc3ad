//! DeregisterTaskDefinition.

use kecs_domain::arn::{BadTaskDefinitionRef, TaskDefinitionKey, task_definition_ref};
use kecs_domain::{EcsError, model};

use super::{TaskDefinitions, bad_revision};
use crate::context::{check_model, retry_conflicts};
use crate::ports::Changes;
use crate::{Context, Result};

impl TaskDefinitions<'_> {
    /// Makes a revision INACTIVE. What runs of it goes on. Again for an INACTIVE one answers the same.
    ///
    /// # Errors
    /// `InvalidParameterException` without a revision or with one that is no number; `ClientException` for one that
    /// isn't there or is being deleted.
    pub async fn deregister(
        &self,
        ctx: &Context,
        request: model::DeregisterTaskDefinitionRequest,
    ) -> Result<model::DeregisterTaskDefinitionResponse> {
        check_model(&request)?;
        let unknown = || EcsError::client("Unable to deregister task definition.");
        let named = task_definition_ref(&ctx.scope, &request.task_definition).map_err(|bad| match bad {
            BadTaskDefinitionRef::Revision => bad_revision(),
            BadTaskDefinitionRef::Family => unknown(),
        })?;
        let revision = named.revision.ok_or_else(|| EcsError::invalid_parameter("Revision is missing"))?;
        let key = TaskDefinitionKey { scope: ctx.scope.clone(), family: named.family, revision };
        let answer = retry_conflicts(|| async {
            let found = self.ports.task_definitions.task_definition(&key).await?.ok_or_else(unknown)?;
            let step = found.deregister(self.ports.clock.now())?;
            if let Some(changed) = step.changed {
                let mut changes = Changes::new();
                changes.update(changed, found.version);
                self.ports.unit_of_work.commit(changes).await?;
            }
            Ok(step.answer)
        });
        Ok(model::DeregisterTaskDefinitionResponse { task_definition: Some(answer.await?) })
    }
}
