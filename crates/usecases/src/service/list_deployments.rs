//! ListServiceDeployments.

use kecs_domain::EcsError;
use kecs_domain::model::{
    ListServiceDeploymentsRequest, ListServiceDeploymentsResponse, ServiceDeploymentBrief,
};
use kecs_domain::pagination::{PageSizes, Pager};

use super::Services;
use crate::context::{Context, Result, check_model};
use crate::ports::ServiceDeploymentQuery;
use crate::task::active_cluster;

impl Services<'_> {
    /// Lists the deployments of a service, newest first.
    ///
    /// # Errors
    /// `ServiceNotFoundException`, `ClusterNotFoundException`; `InvalidParameterException` for `maxResults` or
    /// `nextToken`.
    pub async fn list_deployments(
        &self,
        ctx: &Context,
        request: ListServiceDeploymentsRequest,
    ) -> Result<ListServiceDeploymentsResponse> {
        check_model(&request)?;
        let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
        let service =
            self.find(&cluster.key, &request.service).await?.ok_or_else(EcsError::service_not_found)?;
        let created = request.created_at.unwrap_or_default();
        let query = ServiceDeploymentQuery {
            service: service.key.clone(),
            status: request.status.unwrap_or_default(),
            created_after: created.after,
            created_before: created.before,
        };
        let pager = Pager::new("ListServiceDeployments", &ctx.scope, &query);
        let sizes = PageSizes::SERVICE_DEPLOYMENTS;
        let page = pager.request(request.next_token.as_deref(), request.max_results, sizes)?;
        let page = self.ports.services.list_service_deployments(&query, page).await?;
        let briefs = page
            .items
            .iter()
            .map(|record| ServiceDeploymentBrief {
                service_deployment_arn: record.doc.service_deployment_arn.clone(),
                service_arn: record.doc.service_arn.clone(),
                cluster_arn: record.doc.cluster_arn.clone(),
                started_at: record.doc.started_at,
                created_at: record.doc.created_at,
                finished_at: record.doc.finished_at,
                target_service_revision_arn: record
                    .doc
                    .target_service_revision
                    .as_ref()
                    .and_then(|revision| revision.arn.clone()),
                status: record.doc.status,
                status_reason: record.doc.status_reason.clone(),
            })
            .collect();
        Ok(ListServiceDeploymentsResponse {
            service_deployments: Some(briefs),
            next_token: pager.next_token(&page, |record| (record.created_at(), record.key.id.clone())),
        })
    }
}
