//! ListAccountSettings.

use kecs_domain::account::{effective, names, root_arn, setting};
use kecs_domain::model::{ListAccountSettingsRequest, ListAccountSettingsResponse, Setting, SettingName};
use kecs_domain::pagination::{Page, PageSizes, Pager};
use kecs_domain::{EcsError, Scope};

use super::{AccountSettings, key, principal, setting_of};
use crate::context::check_model;
use crate::{Context, Result};

impl AccountSettings<'_> {
    /// The settings of the caller, or of the principal that it names, by name: those it has chosen, or, with
    /// `effectiveSettings`, all of them with the values that hold.
    ///
    /// # Errors
    /// `InvalidParameterException` for `value` without `name`, for a principal that is none, for a wrong token and
    /// for a page size that isn't 1 to 10; `AccessDeniedException` for another's settings.
    pub async fn list(
        &self,
        ctx: &Context,
        request: ListAccountSettingsRequest,
    ) -> Result<ListAccountSettingsResponse> {
        check_model(&request)?;
        let principal = principal(ctx, request.principal_arn.as_deref())?;
        if request.value.is_some() && request.name.is_none() {
            return Err(EcsError::invalid_parameter(
                "You must also specify an account setting name to use the value parameter.",
            )
            .into());
        }
        let all = request.effective_settings == Some(true);
        let filters = (request.name, &request.value, &principal, all);
        let pager: Pager<String> = Pager::new("ListAccountSettings", &ctx.scope, &filters);
        let page = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::TENS)?;
        let after = page.after.as_deref().unwrap_or_default();
        let listed = self.listed(&ctx.scope, &principal, request.name, all).await?;
        let listed = listed.into_iter().filter(|(name, setting)| {
            name.as_str() > after
                && request.value.as_ref().is_none_or(|value| setting.value.as_ref() == Some(value))
        });
        let page = Page::take(listed, page.limit);
        let next_token = pager.next_token(&page, |(name, _)| name.as_str().to_owned());
        let settings = page.items.into_iter().map(|(_, setting)| setting).collect();
        Ok(ListAccountSettingsResponse { settings: Some(settings), next_token })
    }

    /// The settings of a principal by name, chosen ones or all. There are few, so they are read all at once.
    async fn listed(
        &self,
        scope: &Scope,
        principal: &str,
        only: Option<SettingName>,
        all: bool,
    ) -> Result<Vec<(SettingName, Setting)>> {
        let root = root_arn(scope);
        let names: Vec<_> =
            names().into_iter().filter(|name| only.is_none_or(|only| only == *name)).collect();
        let keys: Vec<_> =
            names.iter().flat_map(|name| [key(scope, principal, *name), key(scope, &root, *name)]).collect();
        let found = self.ports.resources.resources(&keys).await?;
        let listed = names.into_iter().zip(found.chunks_exact(2)).filter_map(|(name, found)| {
            let chosen = |index: usize| found[index].as_ref().and_then(setting_of);
            if all {
                return Some((name, setting(name, effective(name, chosen(0), chosen(1)), principal)));
            }
            chosen(0).map(|own| (name, own.clone()))
        });
        Ok(listed.collect())
    }
}
