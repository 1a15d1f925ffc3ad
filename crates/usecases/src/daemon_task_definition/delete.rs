//! DeleteDaemonTaskDefinition.

use kecs_domain::arn::{BadTaskDefinitionRef, TaskDefinitionKey};
use kecs_domain::daemon::{daemon_task_definition_ref, definition_key};
use kecs_domain::resource::Resource;
use kecs_domain::{EcsError, model};

use super::{DaemonTaskDefinitions, bad_revision, find};
use crate::context::{check_model, retry_conflicts};
use crate::ports::Changes;
use crate::{Context, Result};

impl DaemonTaskDefinitions<'_> {
    /// Deletes a revision: no new daemon can be made of it, those that are go on, and it stays describable.
    ///
    /// # Errors
    /// `InvalidParameterException` for what names no revision; `ClientException` for one that isn't there or isn't
    /// ACTIVE.
    pub async fn delete(
        &self,
        ctx: &Context,
        request: model::DeleteDaemonTaskDefinitionRequest,
    ) -> Result<model::DeleteDaemonTaskDefinitionResponse> {
        check_model(&request)?;
        let invalid = || {
            EcsError::invalid_parameter(
                "The specified daemon task definition identifier is invalid. Specify a valid name or ARN and try \
                 again.",
            )
        };
        let named = daemon_task_definition_ref(&ctx.scope, &request.daemon_task_definition);
        let named = named.map_err(|bad| match bad {
            BadTaskDefinitionRef::Revision => bad_revision(),
            BadTaskDefinitionRef::Family => invalid(),
        })?;
        let revision = named.revision.ok_or_else(invalid)?;
        let key = TaskDefinitionKey { scope: ctx.scope.clone(), family: named.family, revision };
        let arn = retry_conflicts(|| async {
            let (found, version) = find(self.ports, &key).await?.ok_or_else(|| {
                EcsError::client(
                    "The specified daemon task definition does not exist. Specify a valid account, family, revision \
                     and try again.",
                )
            })?;
            let deleted = found.delete(self.ports.clock.now())?;
            let arn = deleted.doc.daemon_task_definition_arn.clone();
            let at = definition_key(&key);
            let mut changes = Changes::new();
            changes.update(Resource::new(&ctx.scope, at.parent, at.id, deleted), version);
            self.ports.unit_of_work.commit(changes).await?;
            Ok(arn)
        })
        .await?;
        Ok(model::DeleteDaemonTaskDefinitionResponse { daemon_task_definition_arn: arn })
    }
}
