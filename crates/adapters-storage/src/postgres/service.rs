//! Services, service deployments and service revisions.

use async_trait::async_trait;
use kecs_domain::arn::{ClusterKey, ServiceDeploymentKey, ServiceKey, ServiceRevisionKey};
use kecs_domain::name::{ClusterName, ServiceName};
use kecs_domain::pagination::{Page, PageRequest};
use kecs_domain::service::{Service, ServiceDeployment, ServiceRevision};
use kecs_domain::{Scope, Timestamp};
use kecs_usecases::ports::store::{EntityKey, ServiceDeploymentQuery};
use kecs_usecases::ports::{PortError, ServiceQuery, ServiceStore, Versioned};
use sqlx::{QueryBuilder, Row};

use super::PostgresStore;
use super::error::port;
use super::rows::{entity, one_more, page, parsed};

#[async_trait]
impl ServiceStore for PostgresStore {
    async fn services(&self, keys: &[ServiceKey]) -> Result<Vec<Option<Versioned<Service>>>, PortError> {
        self.read(keys.iter().cloned().map(EntityKey::Service).collect()).await
    }

    async fn list_services(
        &self,
        query: &ServiceQuery,
        request: PageRequest<ServiceName>,
    ) -> Result<Page<ServiceName>, PortError> {
        let cluster = &query.cluster;
        let mut sql = QueryBuilder::new(
            "SELECT name FROM services WHERE status <> 'INACTIVE' AND status = 'ACTIVE' AND account = ",
        );
        sql.push_bind(cluster.scope.account()).push(" AND region = ").push_bind(cluster.scope.region());
        sql.push(" AND cluster = ").push_bind(cluster.name.as_str());
        if let Some(launch_type) = query.launch_type {
            sql.push(" AND launch_type = ").push_bind(launch_type.as_str());
        }
        if let Some(strategy) = query.scheduling_strategy {
            sql.push(" AND strategy = ").push_bind(strategy.as_str());
        }
        if let Some(management) = query.management {
            sql.push(" AND coalesce(doc->'spec'->>'resourceManagementType', 'CUSTOMER') = ");
            sql.push_bind(management.as_str());
        }
        if let Some(last) = &request.after {
            sql.push(" AND name > ").push_bind(last.as_str());
        }
        sql.push(" ORDER BY name LIMIT ").push_bind(one_more(request.limit));
        let rows = sql.build().fetch_all(&self.pool).await.map_err(port)?;
        page(rows, request.limit, |row| parsed(row, 0, ServiceName::parse))
    }

    async fn unfinished_services(
        &self,
        request: PageRequest<ServiceKey>,
    ) -> Result<Page<ServiceKey>, PortError> {
        let mut sql = QueryBuilder::new(
            "SELECT account, region, cluster, name FROM services WHERE status <> 'INACTIVE'",
        );
        if let Some(ServiceKey { cluster, name }) = &request.after {
            sql.push(" AND (account, region, cluster, name) > (").push_bind(cluster.scope.account());
            sql.push(", ").push_bind(cluster.scope.region()).push(", ").push_bind(cluster.name.as_str());
            sql.push(", ").push_bind(name.as_str()).push(")");
        }
        sql.push(" ORDER BY account, region, cluster, name LIMIT ").push_bind(one_more(request.limit));
        let rows = sql.build().fetch_all(&self.pool).await.map_err(port)?;
        page(rows, request.limit, |row| {
            let (account, region): (&str, &str) =
                (row.try_get(0).map_err(port)?, row.try_get(1).map_err(port)?);
            let cluster = ClusterKey::new(Scope::new(account, region), parsed(row, 2, ClusterName::parse)?);
            Ok(ServiceKey { cluster, name: parsed(row, 3, ServiceName::parse)? })
        })
    }

    async fn service_deployment(
        &self,
        key: &ServiceDeploymentKey,
    ) -> Result<Option<Versioned<ServiceDeployment>>, PortError> {
        self.read_one(EntityKey::ServiceDeployment(key.clone())).await
    }

    async fn list_service_deployments(
        &self,
        query: &ServiceDeploymentQuery,
        request: PageRequest<(Timestamp, String)>,
    ) -> Result<Page<Versioned<ServiceDeployment>>, PortError> {
        let ServiceKey { cluster, name } = &query.service;
        let mut sql =
            QueryBuilder::new("SELECT version, doc::text FROM service_deployments WHERE account = ");
        sql.push_bind(cluster.scope.account()).push(" AND region = ").push_bind(cluster.scope.region());
        sql.push(" AND cluster = ").push_bind(cluster.name.as_str());
        sql.push(" AND service = ").push_bind(name.as_str());
        if !query.status.is_empty() {
            let status: Vec<&str> = query.status.iter().map(|status| status.as_str()).collect();
            sql.push(" AND status = ANY(").push_bind(status).push(")");
        }
        if let Some(after) = query.created_after {
            sql.push(" AND created_at >= ").push_bind(after.as_millis());
        }
        if let Some(before) = query.created_before {
            sql.push(" AND created_at <= ").push_bind(before.as_millis());
        }
        if let Some((at, id)) = &request.after {
            sql.push(" AND (created_at, id) < (")
                .push_bind(at.as_millis())
                .push(", ")
                .push_bind(id.as_str())
                .push(")");
        }
        sql.push(" ORDER BY created_at DESC, id DESC LIMIT ").push_bind(one_more(request.limit));
        let rows = sql.build().fetch_all(&self.pool).await.map_err(port)?;
        page(rows, request.limit, |row| entity(row, 0))
    }

    async fn service_revision(
        &self,
        key: &ServiceRevisionKey,
    ) -> Result<Option<Versioned<ServiceRevision>>, PortError> {
        self.read_one(EntityKey::ServiceRevision(key.clone())).await
    }
}
