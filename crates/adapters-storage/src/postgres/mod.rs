//! The store in PostgreSQL: for several replicas that share their state.
//!
//! Ordinary tables, one for each kind of entity, made and changed by the migrations in `migrations/postgres`. A save compares
//! versions; nothing is kept in memory, so that every replica reads what any of them saved.
//!
//! What is deliberately not here: telling other replicas of changes, and deciding which of them reconciles.

mod cluster;
mod commit;
mod error;
mod resource;
mod rows;
mod service;
mod table;
mod task;
mod task_definition;
mod token;

use std::time::Duration;

use kecs_usecases::ports::PortError;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

/// The most connections of one replica.
const CONNECTIONS: u32 = 16;
/// How long a call waits for a free connection before it is refused as Transient.
const PATIENCE: Duration = Duration::from_secs(5);

/// A store in a PostgreSQL database. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pool: PgPool,
}

impl PostgresStore {
    /// Connects to the database at `url` (`postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with `?host=/DIR` for a socket),
    /// and brings its tables up to date. Several replicas may do so at once.
    ///
    /// # Errors
    /// Transient if the server can't be reached, Permanent if the URL is wrong or a migration fails. Messages don't have
    /// the password.
    pub async fn connect(url: &str) -> Result<Self, PortError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(PortError::permanent("a PostgreSQL URL begins with postgres://"));
        }
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .connect(url)
            .await
            .map_err(error::port)?;
        sqlx::migrate!("migrations/postgres").run(&pool).await.map_err(|failure| match failure {
            sqlx::migrate::MigrateError::Execute(failure) => error::port(failure),
            other => PortError::permanent(format!("PostgreSQL: {other}")),
        })?;
        Ok(Self { pool })
    }

    /// Closes all connections, once what is running on them has ended. Calls after this are refused as Transient.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
