//! Task definitions and families.

use async_trait::async_trait;
use kecs_domain::arn::TaskDefinitionKey;
use kecs_domain::name::FamilyName;
use kecs_domain::pagination::{Page, PageRequest};
use kecs_domain::task_definition::{TaskDefinition, TaskDefinitionFamily};
use kecs_usecases::ports::store::{EntityKey, FamilyKey, FamilyQuery};
use kecs_usecases::ports::{PortError, TaskDefinitionQuery, TaskDefinitionStore, Versioned};
use sqlx::{QueryBuilder, Row};

use super::PostgresStore;
use super::error::port;
use super::rows::{entity, one_more, page, parsed};

#[async_trait]
impl TaskDefinitionStore for PostgresStore {
    async fn family(&self, key: &FamilyKey) -> Result<Option<Versioned<TaskDefinitionFamily>>, PortError> {
        self.read_one(EntityKey::Family(key.clone())).await
    }

    async fn task_definition(
        &self,
        key: &TaskDefinitionKey,
    ) -> Result<Option<Versioned<TaskDefinition>>, PortError> {
        self.read_one(EntityKey::TaskDefinition(key.clone())).await
    }

    async fn latest_active(
        &self,
        (scope, family): &FamilyKey,
    ) -> Result<Option<Versioned<TaskDefinition>>, PortError> {
        let row = sqlx::query(
            "SELECT version, doc::text FROM task_definitions
             WHERE account = $1 AND region = $2 AND status = 'ACTIVE' AND family = $3
             ORDER BY revision DESC LIMIT 1",
        )
        .bind(scope.account())
        .bind(scope.region())
        .bind(family.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(port)?;
        row.map(|row| entity(&row, 0)).transpose()
    }

    async fn list_task_definitions(
        &self,
        query: &TaskDefinitionQuery,
        request: PageRequest<(FamilyName, i32)>,
    ) -> Result<Page<(FamilyName, i32)>, PortError> {
        let mut sql = QueryBuilder::new("SELECT family, revision FROM task_definitions WHERE account = ");
        sql.push_bind(query.scope.account()).push(" AND region = ").push_bind(query.scope.region());
        sql.push(" AND status = ").push_bind(query.state.status().as_str());
        if let Some(family) = &query.family {
            sql.push(" AND family = ").push_bind(family.as_str());
        }
        if let Some((family, revision)) = &request.after {
            sql.push(if query.descending {
                " AND (family, revision) < ("
            } else {
                " AND (family, revision) > ("
            });
            sql.push_bind(family.as_str()).push(", ").push_bind(*revision).push(")");
        }
        sql.push(if query.descending {
            " ORDER BY family DESC, revision DESC"
        } else {
            " ORDER BY family, revision"
        });
        sql.push(" LIMIT ").push_bind(one_more(request.limit));
        let rows = sql.build().fetch_all(&self.pool).await.map_err(port)?;
        page(rows, request.limit, |row| {
            let revision: i32 = row.try_get(1).map_err(port)?;
            Ok((parsed(row, 0, FamilyName::parse)?, revision))
        })
    }

    async fn list_families(
        &self,
        query: &FamilyQuery,
        request: PageRequest<FamilyName>,
    ) -> Result<Page<FamilyName>, PortError> {
        let mut sql = QueryBuilder::new("SELECT name FROM families f WHERE account = ");
        sql.push_bind(query.scope.account()).push(" AND region = ").push_bind(query.scope.region());
        if !query.prefix.is_empty() {
            // Names are ASCII, so everything that begins with the prefix is below it with this character behind.
            sql.push(" AND name >= ").push_bind(query.prefix.as_str());
            sql.push(" AND name < ").push_bind(format!("{}\u{10ffff}", query.prefix));
        }
        if let Some(last) = &request.after {
            sql.push(" AND name > ").push_bind(last.as_str());
        }
        if let Some(active) = query.active {
            sql.push(if active { " AND EXISTS (" } else { " AND NOT EXISTS (" }).push(
                "SELECT FROM task_definitions d WHERE d.account = f.account AND d.region = f.region
                 AND d.status = 'ACTIVE' AND d.family = f.name)",
            );
        }
        sql.push(" ORDER BY name LIMIT ").push_bind(one_more(request.limit));
        let rows = sql.build().fetch_all(&self.pool).await.map_err(port)?;
        page(rows, request.limit, |row| parsed(row, 0, FamilyName::parse))
    }
}
