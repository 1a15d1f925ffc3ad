//! Tasks.

use async_trait::async_trait;
use kecs_domain::Timestamp;
use kecs_domain::arn::{ServiceKey, TaskKey};
use kecs_domain::name::TaskId;
use kecs_domain::pagination::{Page, PageRequest};
use kecs_domain::task::{DesiredStatus, Task};
use kecs_usecases::ports::store::EntityKey;
use kecs_usecases::ports::{PortError, TaskQuery, TaskStore, Versioned};
use sqlx::{Postgres, QueryBuilder};

use super::PostgresStore;
use super::error::port;
use super::rows::{entity, one_more, page, parsed};

#[async_trait]
impl TaskStore for PostgresStore {
    async fn tasks(&self, keys: &[TaskKey]) -> Result<Vec<Option<Versioned<Task>>>, PortError> {
        self.read(keys.iter().cloned().map(EntityKey::Task).collect()).await
    }

    async fn list_tasks(
        &self,
        query: &TaskQuery,
        request: PageRequest<TaskId>,
    ) -> Result<Page<TaskId>, PortError> {
        let mut sql = QueryBuilder::new("");
        match query.desired {
            Some(desired) => list(&mut sql, query, desired, &request),
            // Each half is read in the order of an index, as far as the page goes.
            None => {
                sql.push("SELECT id FROM ((");
                list(&mut sql, query, DesiredStatus::Running, &request);
                sql.push(") UNION ALL (");
                list(&mut sql, query, DesiredStatus::Stopped, &request);
                sql.push(")) AS both_halves ORDER BY id LIMIT ").push_bind(one_more(request.limit));
            }
        }
        let rows = sql.build().fetch_all(&self.pool).await.map_err(port)?;
        page(rows, request.limit, |row| parsed(row, 0, |text| text.parse().ok()))
    }

    async fn tasks_of_service(&self, service: &ServiceKey) -> Result<Vec<Versioned<Task>>, PortError> {
        let rows = sqlx::query(
            "SELECT version, doc::text FROM tasks
             WHERE account = $1 AND region = $2 AND cluster = $3 AND service = $4
             AND (status <> 'STOPPED' OR NOT accounted)
             ORDER BY id",
        )
        .bind(service.cluster.scope.account())
        .bind(service.cluster.scope.region())
        .bind(service.cluster.name.as_str())
        .bind(service.name.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(port)?;
        rows.iter().map(|row| entity(row, 0)).collect()
    }

    async fn unfinished_tasks(
        &self,
        request: PageRequest<TaskKey>,
    ) -> Result<Page<Versioned<Task>>, PortError> {
        let mut sql = QueryBuilder::new("SELECT version, doc::text FROM tasks WHERE status <> 'STOPPED'");
        if let Some(TaskKey { cluster, id }) = &request.after {
            sql.push(" AND (account, region, cluster, id) > (").push_bind(cluster.scope.account());
            sql.push(", ").push_bind(cluster.scope.region()).push(", ").push_bind(cluster.name.as_str());
            sql.push(", ").push_bind(id.to_string()).push(")");
        }
        sql.push(" ORDER BY account, region, cluster, id LIMIT ").push_bind(one_more(request.limit));
        let rows = sql.build().fetch_all(&self.pool).await.map_err(port)?;
        page(rows, request.limit, |row| entity(row, 0))
    }

    async fn stopped_before(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<Versioned<Task>>, PortError> {
        // One without a time is older than any other, so that retention finds it.
        let rows = sqlx::query(
            "SELECT version, doc::text FROM tasks
             WHERE status = 'STOPPED' AND (stopped_at < $1 OR stopped_at IS NULL)
             ORDER BY stopped_at NULLS FIRST LIMIT $2",
        )
        .bind(before.as_millis())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await
        .map_err(port)?;
        rows.iter().map(|row| entity(row, 0)).collect()
    }
}

/// Appends the query of a page of ids with one desired status.
fn list(
    sql: &mut QueryBuilder<Postgres>,
    query: &TaskQuery,
    desired: DesiredStatus,
    request: &PageRequest<TaskId>,
) {
    let cluster = &query.cluster;
    sql.push("SELECT id FROM tasks WHERE account = ").push_bind(cluster.scope.account().to_owned());
    sql.push(" AND region = ").push_bind(cluster.scope.region().to_owned());
    sql.push(" AND cluster = ").push_bind(cluster.name.to_string());
    sql.push(" AND desired = ").push_bind(desired.as_str());
    if let Some(family) = &query.family {
        sql.push(" AND family = ").push_bind(family.to_string());
    }
    if let Some(service) = &query.service {
        sql.push(" AND service = ").push_bind(service.to_string());
    }
    if let Some(by) = &query.started_by {
        // The index has the digest; the text itself settles it.
        sql.push(" AND md5(started_by) = md5(")
            .push_bind(by.clone())
            .push(") AND started_by = ")
            .push_bind(by.clone());
    }
    if let Some(launch_type) = query.launch_type {
        sql.push(" AND launch_type = ").push_bind(launch_type.as_str());
    }
    if let Some(instance) = query.instance {
        sql.push(" AND instance = ").push_bind(instance.to_string());
    }
    if let Some(last) = request.after {
        sql.push(" AND id > ").push_bind(last.to_string());
    }
    sql.push(" ORDER BY id LIMIT ").push_bind(one_more(request.limit));
}
