//! X
pub struct PostgresStore;
