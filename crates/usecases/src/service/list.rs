//! ListServices.

use kecs_domain::arn::ServiceKey;
use kecs_domain::model::{ListServicesRequest, ListServicesResponse, ResourceManagementType};
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
        };
        let pager = Pager::new("ListServices", &ctx.scope, &query);
        let page = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::SERVICES)?;
        if request.resource_management_type == Some(ResourceManagementType::Ecs) {
            // Services that ECS manages itself are those of Express Mode, which can't be made here.
            return Ok(ListServicesResponse { service_arns: Some(Vec::new()), next_token: None });
        }
        let page = self.ports.services.list_services(&query, page).await?;
        let arn = |name: &_| ServiceKey { cluster: query.cluster.clone(), name: Clone::clone(name) }.arn();
        Ok(ListServicesResponse {
            service_arns: Some(page.items.iter().map(arn).collect()),
            next_token: pager.next_token(&page, Clone::clone),
        })
    }
}
