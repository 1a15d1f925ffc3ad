//! ListGateways.

use kecs_domain::EcsError;
use kecs_domain::gateway::Gateway;
use kecs_domain::model::{ListGatewaysRequest, ListGatewaysResponse};
use kecs_domain::pagination::{PageSizes, Pager};

use super::{Gateways, page_of};
use crate::context::{Context, Result, check_model};

/// The most names to filter by. (API model)
const MOST_NAMES: usize = 10;

impl Gateways<'_> {
    /// Lists gateways by name.
    ///
    /// # Errors
    /// `InvalidParameterException` for more than ten names, for `maxResults` or `nextToken`.
    pub async fn list(&self, ctx: &Context, request: ListGatewaysRequest) -> Result<ListGatewaysResponse> {
        check_model(&request)?;
        let names = request.names.unwrap_or_default();
        let status = request.status.unwrap_or_default();
        if names.len() > MOST_NAMES {
            return Err(
                EcsError::invalid_parameter(format!("names can have at most {MOST_NAMES} items")).into()
            );
        }
        let pager = Pager::new("ListGateways", &ctx.scope, &(&names, &status));
        let page = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::LIST)?;
        let mut found: Vec<_> = self.all(&ctx.scope).await?.into_iter().map(|read| read.gateway).collect();
        found.retain(|gateway| {
            (names.is_empty() || names.iter().any(|name| name == gateway.key.name.as_str()))
                && (status.is_empty() || status.contains(&gateway.status))
        });
        let key = |gateway: &Gateway| gateway.key.name.clone();
        let page = page_of(found, &page, key);
        Ok(ListGatewaysResponse {
            gateways: Some(page.items.iter().map(Gateway::summary).collect()),
            next_token: pager.next_token(&page, key),
        })
    }
}
