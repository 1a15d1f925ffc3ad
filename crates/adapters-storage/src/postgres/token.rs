//! Idempotency tokens.

use async_trait::async_trait;
use kecs_domain::Timestamp;
use kecs_domain::idempotency::{TokenKey, TokenRecord};
use kecs_usecases::ports::store::EntityKey;
use kecs_usecases::ports::{PortError, TokenStore, Versioned};

use super::PostgresStore;
use super::error::port;
use super::rows::entity;

#[async_trait]
impl TokenStore for PostgresStore {
    async fn token(&self, key: &TokenKey) -> Result<Option<Versioned<TokenRecord>>, PortError> {
        self.read_one(EntityKey::Token(key.clone())).await
    }

    async fn tokens_before(&self, before: Timestamp, limit: usize) -> Result<Vec<TokenKey>, PortError> {
        let rows = sqlx::query(
            "SELECT version, doc::text FROM tokens WHERE created_at < $1 ORDER BY created_at, version LIMIT $2",
        )
        .bind(before.as_millis())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await
        .map_err(port)?;
        rows.iter().map(|row| entity::<TokenRecord>(row, 0).map(|token| token.key.clone())).collect()
    }
}
