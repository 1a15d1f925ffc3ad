//! The unit of work as one transaction.
//!
//! Every row that is named is locked first, kind by kind and in the order of keys, so that two commits never wait for each
//! other in a circle. Then the versions are compared, new versions are drawn (after the locks, so that they rise with
//! every save of a key), and rows are saved. A key that must be free has no row to lock: if somebody else saves it
//! meanwhile, the primary key says so.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use kecs_usecases::ports::store::{Entity, EntityKey};
use kecs_usecases::ports::{Changes, Expect, PortError, UnitOfWork, Version};
use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::PostgresStore;
use super::error::port;
use super::rows::Arrays;
use super::table::{Table, key_columns, other_columns};
use crate::state::{Checked, check};

#[async_trait]
impl UnitOfWork for PostgresStore {
    async fn commit(&self, changes: Changes) -> Result<Vec<Version>, PortError> {
        let changes = Checked::new(changes)?;
        if changes.expectations.is_empty() {
            return Ok(Vec::new());
        }
        // Dropped anywhere before COMMIT is sent, nothing is done: the connection rolls back before its next use.
        let mut transaction = self.pool.begin().await.map_err(port)?;
        let stored = lock(&mut transaction, &changes).await?;
        check(&changes.expectations, |key| stored.get(key).copied())?;
        let versions = save(&mut transaction, changes, &stored).await?;
        transaction.commit().await.map_err(port)?;
        Ok(versions)
    }
}

/// Locks every row that the commit names. Returns the versions of those that are there.
async fn lock(
    connection: &mut PgConnection,
    changes: &Checked,
) -> Result<HashMap<EntityKey, Version>, PortError> {
    // By kind, in the order of the kinds; whether any of the kind's rows will change.
    let mut kinds: BTreeMap<usize, (Vec<&EntityKey>, bool)> = BTreeMap::new();
    let changed = changes.len();
    for (at, (key, _)) in changes.expectations.iter().enumerate() {
        let kind = kinds.entry(order(key).0).or_default();
        kind.0.push(key);
        kind.1 |= at < changed;
    }
    let mut stored = HashMap::new();
    for (keys, changes) in kinds.into_values() {
        let statements = Table::of(keys[0]).statements();
        let mut arrays = Arrays::new();
        for key in &keys {
            arrays.push(key_columns(key).into_iter().map(Some));
        }
        let sql = if changes { &statements.lock_to_change } else { &statements.lock_to_keep };
        for row in arrays.query(sql).fetch_all(&mut *connection).await.map_err(port)? {
            let at: i64 = row.try_get(0).map_err(port)?;
            let version: i64 = row.try_get(1).map_err(port)?;
            let at = usize::try_from(at - 1).unwrap_or(usize::MAX);
            if let Some(key) = keys.get(at) {
                stored.insert((*key).clone(), Version(u64::try_from(version).unwrap_or(0)));
            }
        }
    }
    Ok(stored)
}

async fn save(
    connection: &mut PgConnection,
    changes: Checked,
    stored: &HashMap<EntityKey, Version>,
) -> Result<Vec<Version>, PortError> {
    let versions = draw_versions(connection, changes.puts.len()).await?;
    // By statement, in the order of the kinds: removals, new rows, saves over what may be there.
    let mut statements: BTreeMap<(usize, &'static String), Arrays> = BTreeMap::new();
    for key in changes.deletes.iter().filter(|key| stored.contains_key(key)) {
        let (order, table) = order(key);
        let arrays = statements.entry((order * 3, &table.statements().delete)).or_insert_with(Arrays::new);
        arrays.push(key_columns(key).into_iter().map(Some));
    }
    let absent: Vec<bool> = changes
        .expectations
        .iter()
        .take(changes.puts.len())
        .map(|(_, expect)| *expect == Expect::Absent)
        .collect();
    for (((key, entity), version), absent) in changes.puts.iter().zip(&versions).zip(absent) {
        let (order, table) = order(key);
        let statement = if absent { &table.statements().insert } else { &table.statements().upsert };
        let arrays =
            statements.entry((order * 3 + 1 + usize::from(!absent), statement)).or_insert_with(Arrays::new);
        arrays.push(row(key, entity, *version)?);
    }
    for ((_, sql), arrays) in statements {
        arrays.query(sql).execute(&mut *connection).await.map_err(port)?;
    }
    Ok(versions)
}

fn row(key: &EntityKey, entity: &Entity, version: Version) -> Result<Vec<Option<String>>, PortError> {
    let doc = entity.to_json();
    let doc = doc.map_err(|error| PortError::permanent(format!("{key:?} has no JSON form: {error}")))?;
    let mut row: Vec<Option<String>> = key_columns(key).into_iter().map(Some).collect();
    row.extend(other_columns(entity));
    row.push(Some(version.0.to_string()));
    row.push(Some(doc));
    Ok(row)
}

/// The place of the key's kind among the kinds, and its table.
fn order(key: &EntityKey) -> (usize, &'static Table) {
    let order = match key {
        EntityKey::Cluster(_) => 0,
        EntityKey::Family(_) => 1,
        EntityKey::TaskDefinition(_) => 2,
        EntityKey::Task(_) => 3,
        EntityKey::Service(_) => 4,
        EntityKey::ServiceDeployment(_) => 5,
        EntityKey::ServiceRevision(_) => 6,
        EntityKey::Token(_) => 7,
        EntityKey::Resource(_) => 8,
    };
    (order, Table::of(key))
}

async fn draw_versions(connection: &mut PgConnection, count: usize) -> Result<Vec<Version>, PortError> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let drawn = sqlx::query_scalar::<_, i64>("SELECT nextval('kecs_version') FROM generate_series(1, $1)")
        .bind(count)
        .fetch_all(connection)
        .await
        .map_err(port)?;
    let mut drawn: Vec<Version> =
        drawn.into_iter().map(|version| Version(u64::try_from(version).unwrap_or(0))).collect();
    drawn.sort_unstable();
    Ok(drawn)
}
