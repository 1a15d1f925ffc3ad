//! ListServices.

use kecs_domain::arn::ServiceKey;
use kecs_domain::model::{ListServicesRequest, ListServicesResponse};
use kecs_domain::pagination::{PageSizes, Pager};

use super::Services;
use crate::context::{Context, Result, check_model};
use crate::ports::ServiceQuery;
use crate::task::active_cluster;

impl Services<'_> {
    /// Lists the ARNs of a cluster's ACTIVE services.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for `maxResults` or `nextToken`.
    pub async fn list(&self, ctx: &Context, request: ListServicesRequest) -> Result<ListServicesResponse> {
        check_model(&request)?;
        let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
        let query = ServiceQuery {
            cluster: cluster.key.clone(),
            launch_type: request.launch_type,
            scheduling_strategy: request.scheduling_strategy,
            management: request.resource_management_type,
        };
        let pager = Pager::new("ListServices", &ctx.scope, &query);
        let page = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::SERVICES)?;
        let page = self.ports.services.list_services(&query, page).await?;
        let arn = |name: &_| ServiceKey { cluster: query.cluster.clone(), name: Clone::clone(name) }.arn();
        Ok(ListServicesResponse {
            service_arns: Some(page.items.iter().map(arn).collect()),
            next_token: pager.next_token(&page, Clone::clone),
        })
    }
}
