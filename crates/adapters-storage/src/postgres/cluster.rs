//! Clusters and their counts.

use std::str::FromStr;

use async_trait::async_trait;
use kecs_domain::Scope;
use kecs_domain::arn::ClusterKey;
use kecs_domain::cluster::{Cluster, ClusterCounts};
use kecs_domain::model::LaunchType;
use kecs_domain::name::ClusterName;
use kecs_domain::pagination::{Page, PageRequest};
use kecs_usecases::ports::store::EntityKey;
use kecs_usecases::ports::{ClusterStore, PortError, Versioned};
use sqlx::Row;

use super::PostgresStore;
use super::error::port;
use super::rows::{one_more, page, parsed};

#[async_trait]
impl ClusterStore for PostgresStore {
    async fn clusters(&self, keys: &[ClusterKey]) -> Result<Vec<Option<Versioned<Cluster>>>, PortError> {
        self.read(keys.iter().cloned().map(EntityKey::Cluster).collect()).await
    }

    async fn list_clusters(
        &self,
        scope: &Scope,
        request: PageRequest<ClusterName>,
    ) -> Result<Page<ClusterName>, PortError> {
        let rows = sqlx::query(
            "SELECT name FROM clusters
             WHERE account = $1 AND region = $2 AND status = 'ACTIVE' AND name > $3
             ORDER BY name LIMIT $4",
        )
        .bind(scope.account())
        .bind(scope.region())
        // Before the first name there is the empty one, which no cluster has.
        .bind(request.after.as_ref().map_or("", ClusterName::as_str))
        .bind(one_more(request.limit))
        .fetch_all(&self.pool)
        .await
        .map_err(port)?;
        page(rows, request.limit, |row| parsed(row, 0, ClusterName::parse))
    }

    async fn cluster_counts(&self, key: &ClusterKey) -> Result<ClusterCounts, PortError> {
        // One statement, so that both tables are seen at the same moment.
        let rows = sqlx::query(
            "SELECT 'task', status, launch_type, count(*) FROM tasks
             WHERE account = $1 AND region = $2 AND cluster = $3 AND status <> 'STOPPED'
             GROUP BY status, launch_type
             UNION ALL
             SELECT 'service', status, launch_type, count(*) FROM services
             WHERE account = $1 AND region = $2 AND cluster = $3 AND status <> 'INACTIVE'
             GROUP BY status, launch_type",
        )
        .bind(key.scope.account())
        .bind(key.scope.region())
        .bind(key.name.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(port)?;
        let mut counts = ClusterCounts::default();
        for row in rows {
            let (table, status): (&str, &str) =
                (row.try_get(0).map_err(port)?, row.try_get(1).map_err(port)?);
            let launch_type: Option<&str> = row.try_get(2).map_err(port)?;
            let launch_type = launch_type.and_then(|text| LaunchType::from_str(text).ok());
            let count: i64 = row.try_get(3).map_err(port)?;
            let count = i32::try_from(count).unwrap_or(i32::MAX);
            if table == "task" {
                counts.unfinished_tasks += count;
            }
            match (table, status) {
                ("task", "RUNNING") => *counts.running_tasks.of(launch_type) += count,
                ("task", "PROVISIONING" | "PENDING" | "ACTIVATING") => {
                    *counts.pending_tasks.of(launch_type) += count
                }
                ("service", "ACTIVE") => *counts.active_services.of(launch_type) += count,
                ("service", "DRAINING") => *counts.draining_services.of(launch_type) += count,
                _ => {}
            }
        }
        Ok(counts)
    }
}
