//! ListServicesByNamespace.

use kecs_domain::model::{ListServicesByNamespaceRequest, ListServicesByNamespaceResponse};
use kecs_domain::pagination::{PageRequest, PageSizes, Pager};
use kecs_domain::resource::ResourceKind;
use kecs_domain::service::NamespaceMember;
use kecs_domain::{EcsError, ErrorCode, Scope};

use super::{Services, namespace};
use crate::context::{Context, Result, check_model};
use crate::ports::ResourceQuery;

/// How many clusters are looked at together.
const CLUSTERS: usize = 1_000;

impl Services<'_> {
    /// Lists the ARNs of the services of all clusters that are associated with a namespace.
    ///
    /// # Errors
    /// `NamespaceNotFoundException` for one that neither a service nor a cluster has named; `InvalidParameterException`
    /// for an empty name, `maxResults` or `nextToken`.
    pub async fn list_by_namespace(
        &self,
        ctx: &Context,
        request: ListServicesByNamespaceRequest,
    ) -> Result<ListServicesByNamespaceResponse> {
        check_model(&request)?;
        if request.namespace.is_empty() {
            return Err(EcsError::invalid_parameter("Namespace can not be blank.").into());
        }
        let query = ResourceQuery {
            kind: ResourceKind::NamespaceMember,
            scope: ctx.scope.clone(),
            parent: Some(request.namespace.clone()),
        };
        let pager = Pager::new("ListServicesByNamespace", &ctx.scope, &query);
        let page = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::SERVICES)?;
        let page = self.ports.resources.list_resources(&query, page).await?;
        if page.items.is_empty() && !self.namespace_exists(&ctx.scope, &request.namespace).await? {
            return Err(EcsError::new(ErrorCode::NamespaceNotFound, "Namespace not found.").into());
        }
        let members = page.items.iter().filter_map(|found| found.get::<NamespaceMember>());
        let arns = members.map(|member| member.service.arn()).collect();
        let next_token = pager.next_token(&page, |found| (found.key.parent.clone(), found.key.id.clone()));
        Ok(ListServicesByNamespaceResponse { service_arns: Some(arns), next_token })
    }

    /// Whether a service has named the namespace once, or a cluster has it as its default.
    async fn namespace_exists(&self, scope: &Scope, name: &str) -> Result<bool> {
        let noted = self.ports.resources.resources(&[namespace::key(scope, name)]).await?;
        if noted.into_iter().flatten().next().is_some() {
            return Ok(true);
        }
        let mut after = None;
        loop {
            let request = PageRequest { after, limit: CLUSTERS };
            let page = self.ports.clusters.list_clusters(scope, request).await?;
            let keys: Vec<_> = page
                .items
                .iter()
                .map(|name| kecs_domain::arn::ClusterKey::new(scope.clone(), name.clone()))
                .collect();
            let clusters = self.ports.clusters.clusters(&keys).await?;
            let named = clusters.iter().flatten().any(|cluster| {
                let defaults = cluster.settings.service_connect_defaults.as_ref();
                defaults.is_some_and(|defaults| defaults.namespace.as_deref() == Some(name))
            });
            if named || !page.more {
                return Ok(named);
            }
            after = page.items.last().cloned();
        }
    }
}
