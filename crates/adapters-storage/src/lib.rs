//! Stores: the DuckDB journal, PostgreSQL, and memory.
//!
//! Every store implements the read ports and the unit of work of `kecs-usecases`, and passes the same contract
//! suite (`kecs_testkit::store`). What is no store's business: what an entity means, and what time it is.

pub mod duckdb;
mod memory;
pub mod postgres;
mod state;

pub use duckdb::{DuckDbStore, OpenError, Options, RecoveryReport};
pub use memory::MemoryStore;
pub use postgres::PostgresStore;
