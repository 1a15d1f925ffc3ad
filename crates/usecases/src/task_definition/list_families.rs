//! ListTaskDefinitionFamilies.

use kecs_domain::model::{self, TaskDefinitionFamilyStatus};
use kecs_domain::pagination::{PageSizes, Pager};

use super::TaskDefinitions;
use crate::context::check_model;
use crate::ports::FamilyQuery;
use crate::{Context, Result};

impl TaskDefinitions<'_> {
    /// Families by name: with an ACTIVE revision, without one, or (unless asked for one of these) all.
    ///
    /// # Errors
    /// `InvalidParameterException` for a wrong token and for a page size that isn't 1 to 100.
    pub async fn list_families(
        &self,
        ctx: &Context,
        request: model::ListTaskDefinitionFamiliesRequest,
    ) -> Result<model::ListTaskDefinitionFamiliesResponse> {
        check_model(&request)?;
        let query = FamilyQuery {
            scope: ctx.scope.clone(),
            prefix: request.family_prefix.unwrap_or_default(),
            active: match request.status {
                None | Some(TaskDefinitionFamilyStatus::All) => None,
                Some(TaskDefinitionFamilyStatus::Active) => Some(true),
                Some(TaskDefinitionFamilyStatus::Inactive) => Some(false),
            },
        };
        let pager = Pager::new("ListTaskDefinitionFamilies", &ctx.scope, &query);
        let page = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::LIST)?;
        let page = self.ports.task_definitions.list_families(&query, page).await?;
        let next_token = pager.next_token(&page, Clone::clone);
        let families = page.items.iter().map(ToString::to_string).collect();
        Ok(model::ListTaskDefinitionFamiliesResponse { families: Some(families), next_token })
    }
}
