//! ListDaemonDeployments.

use std::cmp::Reverse;

use kecs_domain::Timestamp;
use kecs_domain::daemon::DaemonDeployment;
use kecs_domain::model::{ListDaemonDeploymentsRequest, ListDaemonDeploymentsResponse};
use kecs_domain::pagination::{Page, PageSizes, Pager};
use kecs_domain::resource::ResourceKind;

use super::{Daemons, load, not_found};
use crate::context::{Context, Result, check_model};
use crate::daemon_task_definition::all_kept;
use crate::task::active_cluster;

/// Where in the list a deployment stands: the newest comes first.
type Place = (Reverse<Timestamp>, String);

fn place(record: &DaemonDeployment) -> Place {
    (Reverse(record.created_at()), record.key.id.clone())
}

impl Daemons<'_> {
    /// Lists the deployments of a daemon, newest first. Those of an earlier daemon of the same name are not its
    /// own; of a daemon that is gone, the last one's can still be listed.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for what is no daemon's ARN, for `maxResults` and for
    /// `nextToken`; `ClientException` for a daemon that never was.
    pub async fn list_deployments(
        &self,
        ctx: &Context,
        request: ListDaemonDeploymentsRequest,
    ) -> Result<ListDaemonDeploymentsResponse> {
        check_model(&request)?;
        let key = kecs_domain::daemon::daemon_ref(&ctx.scope, &request.daemon_arn)?;
        active_cluster(self.ports, &ctx.scope, Some(key.cluster.name.as_str())).await?;
        let created = request.created_at.unwrap_or_default();
        let statuses = request.status.unwrap_or_default();
        let filters = (&key, &statuses, created.after, created.before);
        let pager = Pager::<(Timestamp, String)>::new("ListDaemonDeployments", &ctx.scope, &filters);
        let sizes = PageSizes::SERVICE_DEPLOYMENTS;
        let asked = pager.request(request.next_token.as_deref(), request.max_results, sizes)?;

        let daemon = load(self.ports, &key).await?;
        let all =
            all_kept(self.ports, &ctx.scope, ResourceKind::DaemonDeployment, Some(key.parent())).await?;
        if daemon.is_none() && all.is_empty() {
            // This operation has no DaemonNotFoundException. (API model)
            return Err(kecs_domain::EcsError::client(not_found().message).into());
        }
        let since = daemon.map_or(Timestamp::MIN, |(daemon, _)| daemon.created_at);
        let mut records: Vec<&DaemonDeployment> = all
            .iter()
            .filter_map(|kept| kept.get::<DaemonDeployment>())
            .filter(|record| {
                let at = record.created_at();
                at >= since
                    && (statuses.is_empty() || statuses.contains(&record.status()))
                    && created.after.is_none_or(|after| at >= after)
                    && created.before.is_none_or(|before| at <= before)
            })
            .collect();
        records.sort_by_key(|record| place(record));
        let after = asked.after.map(|(at, id)| (Reverse(at), id));
        let rest =
            records.into_iter().filter(|record| after.as_ref().is_none_or(|after| place(record) > *after));
        let page = Page::take(rest, asked.limit);
        Ok(ListDaemonDeploymentsResponse {
            next_token: pager.next_token(&page, |record| (record.created_at(), record.key.id.clone())),
            daemon_deployments: Some(page.items.into_iter().map(DaemonDeployment::summary).collect()),
        })
    }
}
