//! Stores: the DuckDB journal, PostgreSQL, and memory.
//!
//! Every store implements the read ports and the unit of work of `kecs-usecases`, and passes the same contract
//! suite (`kecs_testkit::store`). What is no store's business: what an entity means, and what time it is.

#[cfg(feature = "duckdb")]
pub mod duckdb;
mod logs;
mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg_attr(not(feature = "duckdb"), allow(dead_code, reason = "memory needs less than all of it"))]
mod state;

#[cfg(feature = "duckdb")]
pub use duckdb::{DuckDbStore, OpenError, Options, RecoveryReport};
pub use logs::KeptLogs;
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
