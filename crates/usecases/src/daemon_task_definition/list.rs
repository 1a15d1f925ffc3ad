//! ListDaemonTaskDefinitions.

use kecs_domain::daemon::DaemonTaskDefinition;
use kecs_domain::model::{
    self, DaemonTaskDefinitionRevisionFilter, DaemonTaskDefinitionStatus,
    DaemonTaskDefinitionStatusFilter as StatusFilter, SortOrder,
};
use kecs_domain::name::FamilyName;
use kecs_domain::pagination::{Page, PageSizes, Pager};
use kecs_domain::resource::ResourceKind;

use super::{DaemonTaskDefinitions, all_kept};
use crate::context::check_model;
use crate::{Context, Result};

/// Where in the list a revision stands.
type Place = (FamilyName, i32);

fn place(definition: &DaemonTaskDefinition) -> Place {
    (definition.key.family.clone(), definition.key.revision)
}

impl DaemonTaskDefinitions<'_> {
    /// Lists revisions, by family and then by revision as a number: the ACTIVE ones unless another status is asked
    /// for. LAST_REGISTERED leaves the newest of each family among those that fit.
    ///
    /// # Errors
    /// `InvalidParameterException` for a wrong token and for a page size that isn't 1 to 100.
    pub async fn list(
        &self,
        ctx: &Context,
        request: model::ListDaemonTaskDefinitionsRequest,
    ) -> Result<model::ListDaemonTaskDefinitionsResponse> {
        check_model(&request)?;
        let descending = request.sort == Some(SortOrder::Desc);
        let last = request.revision == Some(DaemonTaskDefinitionRevisionFilter::LastRegistered);
        let status = request.status.unwrap_or(StatusFilter::Active);
        let filters = (&request.family_prefix, &request.family, last, status.as_str(), descending);
        let pager = Pager::<Place>::new("ListDaemonTaskDefinitions", &ctx.scope, &filters);
        let asked = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::LIST)?;

        let kind = ResourceKind::DaemonTaskDefinition;
        let all = all_kept(self.ports, &ctx.scope, kind, request.family.clone()).await?;
        let mut found: Vec<&DaemonTaskDefinition> = all
            .iter()
            .filter_map(|kept| kept.get::<DaemonTaskDefinition>())
            .filter(|it| {
                let prefix = request.family_prefix.as_deref().unwrap_or_default();
                it.key.family.as_str().starts_with(prefix) && has_status(it, status)
            })
            .collect();
        found.sort_by_key(|it| place(it));
        if last {
            // Of each family the one that stands before another family, or at the end.
            let newest =
                |at: usize| found.get(at + 1).is_none_or(|next| next.key.family != found[at].key.family);
            found = (0..found.len()).filter(|at| newest(*at)).map(|at| found[at]).collect();
        }
        if descending {
            found.reverse();
        }
        let rest = found.into_iter().filter(|it| {
            asked.after.as_ref().is_none_or(
                |after| {
                    if descending { place(it) < *after } else { place(it) > *after }
                },
            )
        });
        let page = Page::take(rest, asked.limit);
        Ok(model::ListDaemonTaskDefinitionsResponse {
            next_token: pager.next_token(&page, |it| place(it)),
            daemon_task_definitions: Some(page.items.into_iter().map(summary).collect()),
        })
    }
}

fn has_status(definition: &DaemonTaskDefinition, wanted: StatusFilter) -> bool {
    let is = definition.doc.status;
    match wanted {
        StatusFilter::Active => is == Some(DaemonTaskDefinitionStatus::Active),
        StatusFilter::DeleteInProgress => is == Some(DaemonTaskDefinitionStatus::DeleteInProgress),
        StatusFilter::All => true,
    }
}

fn summary(definition: &DaemonTaskDefinition) -> model::DaemonTaskDefinitionSummary {
    let doc = &*definition.doc;
    model::DaemonTaskDefinitionSummary {
        arn: doc.daemon_task_definition_arn.clone(),
        registered_at: doc.registered_at,
        registered_by: doc.registered_by.clone(),
        delete_requested_at: doc.delete_requested_at,
        status: doc.status,
    }
}
