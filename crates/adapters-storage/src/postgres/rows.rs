//! Rows to and from PostgreSQL.

use std::sync::Arc;

use kecs_domain::pagination::Page;
use kecs_usecases::ports::store::EntityKey;
use kecs_usecases::ports::{PortError, Version, Versioned};
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;

use super::PostgresStore;
use super::error::port;
use super::table::{Table, key_columns};

/// The arrays of a statement of [`Table`]: one for each column.
pub(super) struct Arrays(Vec<Vec<Option<String>>>);

impl Arrays {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// The key columns of `keys`.
    pub(super) fn of_keys<'k>(keys: impl IntoIterator<Item = &'k EntityKey>) -> Self {
        let mut arrays = Self::new();
        for key in keys {
            arrays.push(key_columns(key).into_iter().map(Some));
        }
        arrays
    }

    pub(super) fn push(&mut self, row: impl IntoIterator<Item = Option<String>>) {
        for (at, value) in row.into_iter().enumerate() {
            if self.0.len() == at {
                self.0.push(Vec::new());
            }
            self.0[at].push(value);
        }
    }

    pub(super) fn query(self, sql: &'static str) -> Query<'static, sqlx::Postgres, PgArguments> {
        self.0.into_iter().fold(sqlx::query(sql), Query::bind)
    }
}

/// An entity from its version and its document, in columns `at` and the next one.
pub(super) fn entity<T: DeserializeOwned>(row: &PgRow, at: usize) -> Result<Versioned<T>, PortError> {
    let version: i64 = row.try_get(at).map_err(port)?;
    let doc: &str = row.try_get(at + 1).map_err(port)?;
    let value = serde_json::from_str(doc).map_err(|error| {
        PortError::permanent(format!("version {version} has a document that can't be read: {error}"))
    })?;
    Ok(Versioned { value: Arc::new(value), version: Version(u64::try_from(version).unwrap_or(0)) })
}

/// A column that must hold something that parses, such as a name.
pub(super) fn parsed<T>(row: &PgRow, at: usize, parse: impl Fn(&str) -> Option<T>) -> Result<T, PortError> {
    let text: &str = row.try_get(at).map_err(port)?;
    parse(text)
        .ok_or_else(|| PortError::permanent(format!("column {at} holds {text:?}, which is nothing legal")))
}

/// The number of rows to ask for, to know whether there are more than `limit`.
pub(super) fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).map_or(i64::MAX, |limit| limit.saturating_add(1))
}

/// A page of rows, of which one more than `limit` was asked for.
pub(super) fn page<T>(
    rows: Vec<PgRow>,
    limit: usize,
    read: impl Fn(&PgRow) -> Result<T, PortError>,
) -> Result<Page<T>, PortError> {
    let items = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::take(items, limit))
}

impl PostgresStore {
    /// The entities of `keys`, all of one kind, in their order.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        keys: Vec<EntityKey>,
    ) -> Result<Vec<Option<Versioned<T>>>, PortError> {
        let Some(first) = keys.first() else { return Ok(Vec::new()) };
        let query = Arrays::of_keys(&keys).query(&Table::of(first).statements().read);
        let mut found: Vec<Option<Versioned<T>>> = keys.iter().map(|_| None).collect();
        for row in query.fetch_all(&self.pool).await.map_err(port)? {
            let at: i64 = row.try_get(0).map_err(port)?;
            let at = usize::try_from(at - 1).unwrap_or(usize::MAX);
            if let Some(place) = found.get_mut(at) {
                *place = Some(entity(&row, 1)?);
            }
        }
        Ok(found)
    }

    /// The entity of `key`.
    pub(super) async fn read_one<T: DeserializeOwned>(
        &self,
        key: EntityKey,
    ) -> Result<Option<Versioned<T>>, PortError> {
        Ok(self.read(vec![key]).await?.pop().flatten())
    }
}
