//! ListClusters.

use kecs_domain::arn::ClusterKey;
use kecs_domain::model;
use kecs_domain::pagination::{PageSizes, Pager};

use super::Clusters;
use crate::context::check_model;
use crate::{Context, Result};

impl Clusters<'_> {
    /// The ARNs of the ACTIVE clusters, by name.
    ///
    /// # Errors
    /// `InvalidParameterException` for a wrong token and for a page size that isn't 1 to 100.
    pub async fn list(
        &self,
        ctx: &Context,
        request: model::ListClustersRequest,
    ) -> Result<model::ListClustersResponse> {
        check_model(&request)?;
        let pager = Pager::new("ListClusters", &ctx.scope, &());
        let page = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::LIST)?;
        let page = self.ports.clusters.list_clusters(&ctx.scope, page).await?;
        let next_token = pager.next_token(&page, Clone::clone);
        let arns = page.items.into_iter().map(|name| ClusterKey::new(ctx.scope.clone(), name).arn());
        Ok(model::ListClustersResponse { cluster_arns: Some(arns.collect()), next_token })
    }
}
