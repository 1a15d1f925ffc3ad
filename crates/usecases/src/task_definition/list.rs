//! ListTaskDefinitions.

use kecs_domain::arn::TaskDefinitionKey;
use kecs_domain::model::{self, SortOrder, TaskDefinitionStatus};
use kecs_domain::name::FamilyName;
use kecs_domain::pagination::{Page, PageSizes, Pager};
use kecs_domain::task_definition::TaskDefinitionState;

use super::TaskDefinitions;
use crate::context::check_model;
use crate::ports::TaskDefinitionQuery;
use crate::{Context, Result};

impl TaskDefinitions<'_> {
    /// The ARNs of revisions, by family and then by revision as a number: the ACTIVE ones unless another status is
    /// asked for. `familyPrefix` is, against its name, a whole family.
    ///
    /// # Errors
    /// `InvalidParameterException` for a wrong token and for a page size that isn't 1 to 100.
    pub async fn list(
        &self,
        ctx: &Context,
        request: model::ListTaskDefinitionsRequest,
    ) -> Result<model::ListTaskDefinitionsResponse> {
        check_model(&request)?;
        let given = request.family_prefix.as_deref();
        let query = TaskDefinitionQuery {
            scope: ctx.scope.clone(),
            family: given.and_then(FamilyName::parse),
            state: match request.status {
                None | Some(TaskDefinitionStatus::Active) => TaskDefinitionState::Active,
                Some(TaskDefinitionStatus::Inactive) => TaskDefinitionState::Inactive,
                Some(TaskDefinitionStatus::DeleteInProgress) => TaskDefinitionState::DeleteInProgress,
            },
            descending: request.sort == Some(SortOrder::Desc),
        };
        let pager = Pager::new("ListTaskDefinitions", &ctx.scope, &query);
        let page = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::LIST)?;
        let page = if given.is_some() && query.family.is_none() {
            // No family has an illegal name.
            Page { items: Vec::new(), more: false }
        } else {
            self.ports.task_definitions.list_task_definitions(&query, page).await?
        };
        let next_token = pager.next_token(&page, Clone::clone);
        let arns = page
            .items
            .into_iter()
            .map(|(family, revision)| TaskDefinitionKey { scope: ctx.scope.clone(), family, revision }.arn());
        Ok(model::ListTaskDefinitionsResponse { task_definition_arns: Some(arns.collect()), next_token })
    }
}
