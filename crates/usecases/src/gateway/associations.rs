//! ListGatewayClusterAssociations.

use kecs_domain::arn::{ClusterKey, cluster_ref, gateway_ref};
use kecs_domain::gateway::Association;
use kecs_domain::model::{
    GatewayClusterAssociationSummary, ListGatewayClusterAssociationsRequest,
    ListGatewayClusterAssociationsResponse,
};
use kecs_domain::name::{ClusterName, GatewayName};
use kecs_domain::pagination::{PageSizes, Pager};
use kecs_domain::{EcsError, ErrorCode, Scope};

use super::{Gateways, page_of};
use crate::context::{Context, Result, check_model};

/// What a filter lets pass: everything, one name, or nothing, as there can't be what it names.
pub(super) enum Filter<N> {
    All,
    One(N),
    Nothing,
}

impl<N: PartialEq> Filter<N> {
    fn of(given: Option<&str>, read: impl FnOnce(&str) -> Result<Option<N>>) -> Result<Self> {
        match given {
            None => Ok(Self::All),
            Some(text) => Ok(read(text)?.map_or(Self::Nothing, Self::One)),
        }
    }

    pub(super) fn passes(&self, name: &N) -> bool {
        match self {
            Self::All => true,
            Self::One(one) => one == name,
            Self::Nothing => false,
        }
    }
}

/// The filter of a `gateway` member.
pub(super) fn gateway_filter(scope: &Scope, given: Option<&str>) -> Result<Filter<GatewayName>> {
    Filter::of(given, |text| Ok(gateway_ref(scope, text)?.map(|key| key.name)))
}

/// The filter of a `cluster` member. There is no exception for a cluster of elsewhere: it has no associations here.
pub(super) fn cluster_filter(scope: &Scope, given: Option<&str>) -> Result<Filter<ClusterName>> {
    Filter::of(given, |text| match cluster_ref(scope, Some(text)) {
        Ok(key) => Ok(Some(key.name)),
        Err(EcsError { code: ErrorCode::ClusterNotFound, .. }) => Ok(None),
        Err(error) => Err(error.into()),
    })
}

impl Gateways<'_> {
    /// Lists associations, by gateway and cluster.
    ///
    /// # Errors
    /// `InvalidParameterException` for a filter that can't be read, for `maxResults` or `nextToken`.
    pub async fn list_associations(
        &self,
        ctx: &Context,
        request: ListGatewayClusterAssociationsRequest,
    ) -> Result<ListGatewayClusterAssociationsResponse> {
        check_model(&request)?;
        let gateways = gateway_filter(&ctx.scope, request.gateway.as_deref())?;
        let clusters = cluster_filter(&ctx.scope, request.cluster.as_deref())?;
        let status = request.status.unwrap_or_default();
        let filters = (&request.gateway, &request.cluster, &status);
        let pager = Pager::new("ListGatewayClusterAssociations", &ctx.scope, &filters);
        let page = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::LIST)?;
        let mut found: Vec<(GatewayName, ClusterName, Association)> = Vec::new();
        for read in self.all(&ctx.scope).await? {
            let gateway = read.gateway;
            if gateways.passes(&gateway.key.name) {
                let all = gateway.clusters.into_iter();
                found.extend(
                    all.map(|(cluster, association)| (gateway.key.name.clone(), cluster, association)),
                );
            }
        }
        found.retain(|(_, cluster, association)| {
            clusters.passes(cluster) && (status.is_empty() || status.contains(&association.status()))
        });
        let key = |(gateway, cluster, _): &(GatewayName, ClusterName, Association)| {
            (gateway.clone(), cluster.clone())
        };
        let page = page_of(found, &page, key);
        let next_token = pager.next_token(&page, key);
        let summary = |(name, cluster, association): (GatewayName, ClusterName, Association)| {
            let gateway = kecs_domain::arn::GatewayKey { scope: ctx.scope.clone(), name };
            GatewayClusterAssociationSummary {
                gateway_arn: Some(gateway.arn()),
                cluster_arn: Some(ClusterKey::new(ctx.scope.clone(), cluster).arn()),
                status: Some(association.status()),
            }
        };
        Ok(ListGatewayClusterAssociationsResponse {
            gateway_cluster_associations: Some(page.items.into_iter().map(summary).collect()),
            next_token,
        })
    }
}
