//! DeleteTaskDefinitions.

use kecs_domain::arn::{TaskDefinitionKey, TaskDefinitionRef, task_definition_ref};
use kecs_domain::{Doc, EcsError, model};

use super::TaskDefinitions;
use crate::context::{check_model, retry_conflicts};
use crate::ports::Changes;
use crate::{Context, Result};

/// The most task definitions in one call. (API model)
const MOST: usize = 10;

const INVALID: &str =
    "The specified task definition identifier is invalid. Specify a valid name or ARN and try again.";
const UNKNOWN: &str =
    "The specified task definition does not exist. Specify a valid account, family, revision and try again.";

/// What becomes of one revision: the answer, or the reason of its failure.
type Deleted = std::result::Result<Doc<model::TaskDefinition>, &'static str>;

impl TaskDefinitions<'_> {
    /// Deletes INACTIVE revisions, one by one: if we die in between, some are deleted, and asking again deletes
    /// the rest. Those that can't be deleted become failures, with the identifier as it was given.
    ///
    /// # Errors
    /// `InvalidParameterException` for none and for more than 10.
    pub async fn delete(
        &self,
        ctx: &Context,
        request: model::DeleteTaskDefinitionsRequest,
    ) -> Result<model::DeleteTaskDefinitionsResponse> {
        check_model(&request)?;
        let named = request.task_definitions;
        if named.is_empty() {
            return Err(EcsError::invalid_parameter("Task definitions cannot be empty.").into());
        }
        if named.len() > MOST {
            let message = format!("taskDefinitions can have at most {MOST} items");
            return Err(EcsError::invalid_parameter(message).into());
        }
        let (mut deleted, mut failures) = (Vec::new(), Vec::new());
        for text in named {
            match self.delete_one(ctx, &text).await? {
                Ok(answer) => deleted.push(answer),
                Err(reason) => failures.push(model::Failure {
                    arn: Some(text),
                    reason: Some(reason.to_owned()),
                    detail: None,
                }),
            }
        }
        Ok(model::DeleteTaskDefinitionsResponse { task_definitions: Some(deleted), failures: Some(failures) })
    }

    /// Deletes one revision.
    async fn delete_one(&self, ctx: &Context, text: &str) -> Result<Deleted> {
        let Ok(TaskDefinitionRef { family, revision: Some(revision) }) =
            task_definition_ref(&ctx.scope, text)
        else {
            return Ok(Err(INVALID));
        };
        let key = TaskDefinitionKey { scope: ctx.scope.clone(), family, revision };
        retry_conflicts(|| async {
            let Some(found) = self.ports.task_definitions.task_definition(&key).await? else {
                return Ok(Err(UNKNOWN));
            };
            let step = match found.delete(self.ports.clock.now()) {
                Ok(step) => step,
                Err(reason) => return Ok(Err(reason)),
            };
            if let Some(changed) = step.changed {
                let mut changes = Changes::new();
                changes.update(changed, found.version);
                self.ports.unit_of_work.commit(changes).await?;
            }
            Ok(Ok(step.answer))
        })
        .await
    }
}
