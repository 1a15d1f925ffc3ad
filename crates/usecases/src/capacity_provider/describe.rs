//! DescribeCapacityProviders.

use std::collections::BTreeSet;

use kecs_domain::arn::{Arn, capacity_provider_arn};
use kecs_domain::capacity_provider::{FARGATE_PROVIDERS, Providers, is_predefined, name_of, predefined};
use kecs_domain::model::{
    self, CapacityProviderField, DescribeCapacityProvidersRequest, DescribeCapacityProvidersResponse, Failure,
};
use kecs_domain::pagination::{Page, PageSizes, Pager};
use kecs_domain::{Doc, EcsError};

use super::{CapacityProviders, load};
use crate::context::check_model;
use crate::task::active_cluster;
use crate::{Context, Result};

/// The most providers in one call. (API model)
const MOST: usize = 100;

impl CapacityProviders<'_> {
    /// Describes providers in pages: those that are named, in their order, or all ACTIVE ones by name. With a
    /// cluster, only those that it has. One that there isn't becomes a failure MISSING on the first page.
    ///
    /// # Errors
    /// `InvalidParameterException` for more than 100 names, for a wrong token and for a page size that isn't 1 to
    /// 10; `ClusterNotFoundException`.
    pub async fn describe(
        &self,
        ctx: &Context,
        request: DescribeCapacityProvidersRequest,
    ) -> Result<DescribeCapacityProvidersResponse> {
        check_model(&request)?;
        let named = request.capacity_providers.as_deref().unwrap_or_default();
        if named.len() > MOST {
            return Err(EcsError::invalid_parameter(format!(
                "capacityProviders can have at most {MOST} items"
            ))
            .into());
        }
        let filters = (named, &request.cluster, &request.include);
        let pager: Pager<String> = Pager::new("DescribeCapacityProviders", &ctx.scope, &filters);
        let page = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::TENS)?;
        let allowed = self.of_cluster(ctx, request.cluster.as_deref()).await?;
        let is_allowed = |name: &str| allowed.as_ref().is_none_or(|allowed| allowed.contains(name));

        let (names, known, missing) = if named.is_empty() {
            let (names, known) = self.everything(ctx).await?;
            (names.into_iter().filter(|name| is_allowed(name)).collect(), known, Vec::new())
        } else {
            let known = load(self.ports, &ctx.scope, named.iter().map(String::as_str)).await?.known;
            let (mut names, mut missing) = (Vec::new(), Vec::new());
            for text in named {
                let name = name_of(&ctx.scope, text).to_owned();
                let exists = is_predefined(&name) || known.get(&name).is_some();
                if !exists || !is_allowed(&name) {
                    missing.push(failure(ctx, text));
                } else if !names.contains(&name) {
                    names.push(name);
                }
            }
            (names, known, missing)
        };
        // Those that are named may stand in any order, but always the same; the others come and go between pages.
        let start = page.after.as_ref().map_or(0, |after| {
            let next = if named.is_empty() {
                names.iter().position(|name| name > after)
            } else {
                names.iter().position(|name| name == after).map(|position| position + 1)
            };
            next.unwrap_or(names.len())
        });
        let failures = if page.after.is_none() { missing } else { Vec::new() };
        let page = Page::take(names.into_iter().skip(start), page.limit);
        let next_token = pager.next_token(&page, Clone::clone);
        let with_tags = request.include.is_some_and(|include| include.contains(&CapacityProviderField::Tags));
        let view = |name: String| {
            known.get(&name).map_or_else(|| predefined(&ctx.scope, &name), |own| own.view(with_tags))
        };
        let providers: Vec<Doc<model::CapacityProvider>> =
            page.items.into_iter().map(|name| Doc::new(view(name))).collect();
        Ok(DescribeCapacityProvidersResponse {
            capacity_providers: Some(providers),
            failures: Some(failures),
            next_token,
        })
    }

    /// The providers of a cluster, if one is named.
    async fn of_cluster(&self, ctx: &Context, named: Option<&str>) -> Result<Option<BTreeSet<String>>> {
        if named.is_none() {
            return Ok(None);
        }
        let cluster = active_cluster(self.ports, &ctx.scope, named).await?;
        Ok(Some(cluster.settings.capacity_providers.iter().cloned().collect()))
    }

    /// Every ACTIVE provider by name, Fargate's among them.
    async fn everything(&self, ctx: &Context) -> Result<(Vec<String>, Providers)> {
        let own: Vec<_> = self.all(ctx).await?.into_iter().filter(|provider| provider.active).collect();
        let mut names: Vec<String> = own.iter().map(|provider| provider.name.clone()).collect();
        names.extend(FARGATE_PROVIDERS.map(str::to_owned));
        names.sort_unstable();
        Ok((names, own.into_iter().collect()))
    }
}

fn failure(ctx: &Context, text: &str) -> Failure {
    let arn =
        if Arn::parse(text).is_some() { text.to_owned() } else { capacity_provider_arn(&ctx.scope, text) };
    Failure { arn: Some(arn), reason: Some("MISSING".to_owned()), detail: None }
}
