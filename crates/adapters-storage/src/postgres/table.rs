//! The tables: which columns an entity of each kind has, and the statements that save it.
//!
//! Rows travel as arrays of text, one for each column, and are cast on the other side: one statement saves any number of
//! rows, and all kinds share the code.

use std::fmt::Write;
use std::sync::LazyLock;

use kecs_domain::arn::{ClusterKey, ServiceKey};
use kecs_domain::task::TaskStatus;
use kecs_usecases::ports::store::{Entity, EntityKey};

/// A column's name and type.
type Column = (&'static str, &'static str);

const TEXT: &str = "text";

/// The table of a kind.
pub(super) struct Table {
    name: &'static str,
    keys: &'static [Column],
    columns: &'static [Column],
    statements: LazyLock<Statements>,
}

/// The statements of a table. `$1`... are arrays of text: the key columns, then (to save) the other columns, the
/// version and the document.
pub(super) struct Statements {
    /// Saves rows whose keys must be free.
    pub(super) insert: String,
    /// Saves rows over whatever is there.
    pub(super) upsert: String,
    /// Removes rows.
    pub(super) delete: String,
    /// The position (from 1), version and document of each row that is there.
    pub(super) read: String,
    /// The position (from 1) and version of each row that is there. Holds it until the end of the transaction
    /// against changes; rows are locked in the order of their keys.
    pub(super) lock_to_change: String,
    /// Like it, but others may hold it too.
    pub(super) lock_to_keep: String,
}

macro_rules! table {
    ($table:ident: $name:literal, [$($key:literal $key_type:expr),*], [$($column:literal $column_type:expr),*]) => {
        static $table: Table = Table {
            name: $name,
            keys: &[$(($key, $key_type)),*],
            columns: &[$(($column, $column_type)),*],
            statements: LazyLock::new(|| Statements::new(&$table)),
        };
    };
}

table!(CLUSTERS: "clusters", ["account" TEXT, "region" TEXT, "name" TEXT], ["status" TEXT]);
table!(FAMILIES: "families", ["account" TEXT, "region" TEXT, "name" TEXT], []);
table!(
    TASK_DEFINITIONS: "task_definitions",
    ["account" TEXT, "region" TEXT, "family" TEXT, "revision" "integer"],
    ["status" TEXT]
);
table!(
    TASKS: "tasks",
    ["account" TEXT, "region" TEXT, "cluster" TEXT, "id" TEXT],
    [
        "status" TEXT, "desired" TEXT, "family" TEXT, "service" TEXT, "started_by" TEXT, "launch_type" TEXT,
        "instance" TEXT, "accounted" "boolean", "stopped_at" "bigint"
    ]
);
table!(
    SERVICES: "services",
    ["account" TEXT, "region" TEXT, "cluster" TEXT, "name" TEXT],
    ["status" TEXT, "launch_type" TEXT, "strategy" TEXT]
);
table!(
    SERVICE_DEPLOYMENTS: "service_deployments",
    ["account" TEXT, "region" TEXT, "cluster" TEXT, "service" TEXT, "id" TEXT],
    ["status" TEXT, "created_at" "bigint"]
);
table!(
    SERVICE_REVISIONS: "service_revisions",
    ["account" TEXT, "region" TEXT, "cluster" TEXT, "service" TEXT, "id" TEXT],
    []
);
table!(
    TOKENS: "tokens",
    ["account" TEXT, "region" TEXT, "cluster" TEXT, "operation" TEXT, "token" TEXT],
    ["created_at" "bigint"]
);
table!(
    RESOURCES: "resources",
    ["kind" TEXT, "account" TEXT, "region" TEXT, "parent" TEXT, "id" TEXT],
    []
);

impl Table {
    /// The table for `key`.
    pub(super) fn of(key: &EntityKey) -> &'static Self {
        match key {
            EntityKey::Cluster(_) => &CLUSTERS,
            EntityKey::Family(_) => &FAMILIES,
            EntityKey::TaskDefinition(_) => &TASK_DEFINITIONS,
            EntityKey::Task(_) => &TASKS,
            EntityKey::Service(_) => &SERVICES,
            EntityKey::ServiceDeployment(_) => &SERVICE_DEPLOYMENTS,
            EntityKey::ServiceRevision(_) => &SERVICE_REVISIONS,
            EntityKey::Token(_) => &TOKENS,
            EntityKey::Resource(_) => &RESOURCES,
        }
    }

    pub(super) fn statements(&'static self) -> &'static Statements {
        &self.statements
    }
}

impl Statements {
    fn new(table: &Table) -> Self {
        let Table { name, keys, columns, .. } = table;
        let rest: Vec<Column> =
            columns.iter().copied().chain([("version", "bigint"), ("doc", "json")]).collect();
        let all: Vec<Column> = keys.iter().copied().chain(rest.iter().copied()).collect();
        let names = |columns: &[Column]| columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        // `unnest($1::text[], ...) AS r(a, ...)`, and what is selected of it.
        let rows = |columns: &[Column]| {
            let mut arrays = String::new();
            for at in 1..=columns.len() {
                let comma = if at > 1 { ", " } else { "" };
                write!(arrays, "{comma}${at}::text[]").expect("writing to a String can't fail");
            }
            format!("unnest({arrays}) WITH ORDINALITY AS r({}, at)", names(columns))
        };
        let casts = |columns: &[Column]| {
            columns.iter().map(|(name, kind)| format!("r.{name}::{kind}")).collect::<Vec<_>>().join(", ")
        };
        let same = keys
            .iter()
            .map(|(key, kind)| format!("t.{key} = r.{key}::{kind}"))
            .collect::<Vec<_>>()
            .join(" AND ");
        let set =
            rest.iter().map(|(name, _)| format!("{name} = excluded.{name}")).collect::<Vec<_>>().join(", ");
        let (key_names, order) = (names(keys), casts(keys));
        // Sorted, so that two transactions never wait for each other's new keys.
        let insert = format!(
            "INSERT INTO {name} ({}) SELECT {} FROM {} ORDER BY {order}",
            names(&all),
            casts(&all),
            rows(&all)
        );
        let t_keys = keys.iter().map(|(key, _)| format!("t.{key}")).collect::<Vec<_>>().join(", ");
        let lock = |strength: &str| {
            format!(
                "SELECT r.at, t.version FROM {name} t JOIN {} ON {same} ORDER BY {t_keys} FOR {strength} OF t",
                rows(keys)
            )
        };
        Self {
            upsert: format!("{insert} ON CONFLICT ({key_names}) DO UPDATE SET {set}"),
            insert,
            read: format!("SELECT r.at, t.version, t.doc::text FROM {name} t JOIN {} ON {same}", rows(keys)),
            delete: format!("DELETE FROM {name} t USING {} WHERE {same}", rows(keys)),
            lock_to_change: lock("UPDATE"),
            lock_to_keep: lock("SHARE"),
        }
    }
}

/// The key columns of a key.
pub(super) fn key_columns(key: &EntityKey) -> Vec<String> {
    let mut columns = Vec::with_capacity(5);
    let cluster = |columns: &mut Vec<String>, key: &ClusterKey| {
        columns.extend([key.scope.account().to_owned(), key.scope.region().to_owned(), key.name.to_string()]);
    };
    let service = |columns: &mut Vec<String>, key: &ServiceKey| {
        cluster(columns, &key.cluster);
        columns.push(key.name.to_string());
    };
    match key {
        EntityKey::Cluster(key) => cluster(&mut columns, key),
        EntityKey::Family((scope, name)) => {
            columns.extend([scope.account().to_owned(), scope.region().to_owned(), name.to_string()]);
        }
        EntityKey::TaskDefinition(key) => columns.extend([
            key.scope.account().to_owned(),
            key.scope.region().to_owned(),
            key.family.to_string(),
            key.revision.to_string(),
        ]),
        EntityKey::Task(key) => {
            cluster(&mut columns, &key.cluster);
            columns.push(key.id.to_string());
        }
        EntityKey::Service(key) => service(&mut columns, key),
        EntityKey::ServiceDeployment(key) => {
            service(&mut columns, &key.service);
            columns.push(key.id.clone());
        }
        EntityKey::ServiceRevision(key) => {
            service(&mut columns, &key.service);
            columns.push(key.id.number().to_string());
        }
        EntityKey::Token(key) => {
            cluster(&mut columns, &key.cluster);
            columns.extend([key.operation.clone(), key.token.clone()]);
        }
        EntityKey::Resource(key) => columns.extend([
            key.kind.to_string(),
            key.scope.account().to_owned(),
            key.scope.region().to_owned(),
            key.parent.clone(),
            key.id.clone(),
        ]),
    }
    columns
}

/// The columns of an entity that are neither key nor version nor document, as its table has them.
pub(super) fn other_columns(entity: &Entity) -> Vec<Option<String>> {
    let text = |text: &str| Some(text.to_owned());
    match entity {
        Entity::Cluster(it) => vec![text(it.status.as_str())],
        Entity::TaskDefinition(it) => vec![text(it.state.status().as_str())],
        Entity::Task(it) => vec![
            text(it.status.as_str()),
            text(it.desired.as_str()),
            Some(it.definition.family.to_string()),
            it.service.as_ref().map(|service| service.name.to_string()),
            it.doc.started_by.clone(),
            it.doc.launch_type.map(|launch_type| launch_type.as_str().to_owned()),
            it.instance.map(|instance| instance.to_string()),
            Some(it.accounted.to_string()),
            it.doc
                .stopped_at
                .filter(|_| it.status == TaskStatus::Stopped)
                .map(|at| at.as_millis().to_string()),
        ],
        Entity::Service(it) => vec![
            text(it.status.as_str()),
            it.launch_type().map(|launch_type| launch_type.as_str().to_owned()),
            text(it.scheduling_strategy().as_str()),
        ],
        Entity::ServiceDeployment(it) => {
            vec![text(it.status().as_str()), Some(it.created_at().as_millis().to_string())]
        }
        Entity::Token(it) => vec![Some(it.created_at.as_millis().to_string())],
        Entity::Family(_) | Entity::ServiceRevision(_) | Entity::Resource(_) => Vec::new(),
    }
}
