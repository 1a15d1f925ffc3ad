//! ListDaemons.

use kecs_domain::daemon::{Daemon, capacity_provider_ref};
use kecs_domain::model::{ListDaemonsRequest, ListDaemonsResponse};
use kecs_domain::pagination::{Page, PageSizes, Pager};
use kecs_domain::resource::ResourceKind;

use super::Daemons;
use crate::context::{Context, Result, check_model};
use crate::daemon_task_definition::all_kept;
use crate::task::active_cluster;

impl Daemons<'_> {
    /// Lists the daemons of a cluster by name, or those of them that have one of some capacity providers.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for `maxResults` or `nextToken`, and for what is no
    /// capacity provider.
    pub async fn list(&self, ctx: &Context, request: ListDaemonsRequest) -> Result<ListDaemonsResponse> {
        check_model(&request)?;
        let cluster = active_cluster(self.ports, &ctx.scope, request.cluster_arn.as_deref()).await?;
        let given = request.capacity_provider_arns.unwrap_or_default();
        let mut providers = Vec::with_capacity(given.len());
        for text in &given {
            providers.push(capacity_provider_ref(&ctx.scope, text)?);
        }
        let pager = Pager::<String>::new("ListDaemons", &ctx.scope, &(cluster.key.name.as_str(), &providers));
        let asked = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::LIST)?;
        let parent = Some(cluster.key.name.to_string());
        let all = all_kept(self.ports, &ctx.scope, ResourceKind::Daemon, parent).await?;
        let fitting = all.iter().filter_map(|kept| kept.get::<Daemon>()).filter(|daemon| {
            let has = &daemon.settings.capacity_providers;
            let after = asked.after.as_deref().is_none_or(|after| daemon.key.name.as_str() > after);
            after && (providers.is_empty() || providers.iter().any(|provider| has.contains(provider)))
        });
        let page = Page::take(fitting, asked.limit);
        Ok(ListDaemonsResponse {
            next_token: pager.next_token(&page, |daemon| daemon.key.name.to_string()),
            daemon_summaries_list: Some(page.items.into_iter().map(Daemon::summary).collect()),
        })
    }
}
