//! DescribeTaskDefinition.

use kecs_domain::EcsError;
use kecs_domain::arn::{BadTaskDefinitionRef, task_definition_ref};
use kecs_domain::model::{self, TaskDefinitionField};

use super::resolve::lookup;
use super::{TaskDefinitions, bad_revision, unable_to_describe};
use crate::context::check_model;
use crate::{Context, Result};

impl TaskDefinitions<'_> {
    /// Describes a revision in whatever state, or the newest ACTIVE one of a family. `tags` are always there, and
    /// empty unless they were asked for.
    ///
    /// # Errors
    /// `InvalidParameterException` for a revision that is no number; `ClientException` for one that isn't there.
    pub async fn describe(
        &self,
        ctx: &Context,
        request: model::DescribeTaskDefinitionRequest,
    ) -> Result<model::DescribeTaskDefinitionResponse> {
        check_model(&request)?;
        if request.task_definition.is_empty() {
            return Err(EcsError::invalid_parameter("Task Definition can not be blank.").into());
        }
        let named = task_definition_ref(&ctx.scope, &request.task_definition).map_err(|bad| match bad {
            BadTaskDefinitionRef::Revision => bad_revision(),
            BadTaskDefinitionRef::Family => unable_to_describe(),
        })?;
        let found = lookup(self.ports, &ctx.scope, named).await?.ok_or_else(unable_to_describe)?;
        let with_tags = request.include.is_some_and(|include| include.contains(&TaskDefinitionField::Tags));
        Ok(model::DescribeTaskDefinitionResponse {
            task_definition: Some(found.doc.clone()),
            tags: Some(if with_tags { found.tags.clone() } else { Vec::new() }),
        })
    }
}
