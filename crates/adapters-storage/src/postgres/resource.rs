//! Resources that have no table of their own.

use async_trait::async_trait;
use kecs_domain::pagination::{Page, PageRequest};
use kecs_domain::resource::{Resource, ResourceKey, ResourceKind};
use kecs_usecases::ports::store::EntityKey;
use kecs_usecases::ports::{PortError, ResourceQuery, ResourceStore, Versioned};

use super::PostgresStore;
use super::error::port;
use super::rows::{entity, one_more, page};

#[async_trait]
impl ResourceStore for PostgresStore {
    async fn resources(&self, keys: &[ResourceKey]) -> Result<Vec<Option<Versioned<Resource>>>, PortError> {
        self.read(keys.iter().cloned().map(EntityKey::Resource).collect()).await
    }

    async fn list_resources(
        &self,
        query: &ResourceQuery,
        request: PageRequest<(String, String)>,
    ) -> Result<Page<Versioned<Resource>>, PortError> {
        let (parent, id) = request.after.unzip();
        let rows = sqlx::query(
            "SELECT version, doc::text FROM resources
             WHERE kind = $1 AND account = $2 AND region = $3 AND ($4::text IS NULL OR parent = $4)
               AND ($5::text IS NULL OR (parent, id) > ($5, $6))
             ORDER BY parent, id LIMIT $7",
        )
        .bind(query.kind.as_str())
        .bind(query.scope.account())
        .bind(query.scope.region())
        .bind(query.parent.as_deref())
        .bind(parent)
        .bind(id)
        .bind(one_more(request.limit))
        .fetch_all(&self.pool)
        .await
        .map_err(port)?;
        page(rows, request.limit, |row| entity(row, 0))
    }

    async fn resources_everywhere(
        &self,
        kind: ResourceKind,
        request: PageRequest<ResourceKey>,
    ) -> Result<Page<Versioned<Resource>>, PortError> {
        let after = request.after.as_ref();
        let rows = sqlx::query(
            "SELECT version, doc::text FROM resources
             WHERE kind = $1 AND ($2::text IS NULL OR (account, region, parent, id) > ($2, $3, $4, $5))
             ORDER BY account, region, parent, id LIMIT $6",
        )
        .bind(kind.as_str())
        .bind(after.map(|key| key.scope.account()))
        .bind(after.map(|key| key.scope.region()))
        .bind(after.map(|key| key.parent.as_str()))
        .bind(after.map(|key| key.id.as_str()))
        .bind(one_more(request.limit))
        .fetch_all(&self.pool)
        .await
        .map_err(port)?;
        page(rows, request.limit, |row| entity(row, 0))
    }
}
