//! One row of the journal: what it says, and the checksum that proves it.

use kecs_domain::Timestamp;
use kecs_usecases::ports::store::{Entity, EntityKey};

/// What a change writes, before it has its place in the journal.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) kind: &'static str,
    pub(super) key: String,
    pub(super) status: Option<&'static str>,
    /// None for a delete.
    pub(super) doc: Option<String>,
}

impl Draft {
    pub(super) fn put(key: &EntityKey, entity: &Entity) -> Result<Self, serde_json::Error> {
        Ok(Self {
            kind: entity.kind(),
            key: key_text(key),
            status: status(entity),
            doc: Some(entity.to_json()?),
        })
    }

    pub(super) fn delete(key: &EntityKey) -> Self {
        Self { kind: kind(key), key: key_text(key), status: None, doc: None }
    }
}

/// A row as it stands in the journal, without its document, which is borrowed where it is needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'a> {
    pub(super) seq: i64,
    pub(super) changed_at_micros: i64,
    pub(super) commit_seq: i64,
    pub(super) commit_rows: i32,
    pub(super) kind: &'a str,
    pub(super) key: &'a str,
    pub(super) status: Option<&'a str>,
}

impl Header<'_> {
    /// CRC-32 over every column, each ended so that no two rows have the same bytes.
    pub(super) fn checksum(&self, doc: Option<&str>) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        for number in [self.seq, self.changed_at_micros, self.commit_seq, i64::from(self.commit_rows)] {
            hasher.update(&number.to_le_bytes());
        }
        for text in [Some(self.kind), Some(self.key), self.status, doc] {
            hasher.update(text.unwrap_or("").as_bytes());
            hasher.update(if text.is_some() { &[0xff] } else { &[0xfe] });
        }
        hasher.finalize()
    }
}

/// A time as the journal has it.
pub(super) fn micros(time: Timestamp) -> i64 {
    // In range: a timestamp ends with the year 9999.
    time.as_millis() * 1000
}

fn kind(key: &EntityKey) -> &'static str {
    match key {
        EntityKey::Cluster(_) => "Cluster",
        EntityKey::Family(_) => "Family",
        EntityKey::TaskDefinition(_) => "TaskDefinition",
        EntityKey::Task(_) => "Task",
        EntityKey::Service(_) => "Service",
        EntityKey::ServiceDeployment(_) => "ServiceDeployment",
        EntityKey::ServiceRevision(_) => "ServiceRevision",
        EntityKey::Token(_) => "Token",
        EntityKey::Resource(_) => "Resource",
    }
}

/// What the column `status` says, for queries.
fn status(entity: &Entity) -> Option<&'static str> {
    match entity {
        Entity::Cluster(it) => Some(it.status.as_str()),
        Entity::TaskDefinition(it) => Some(it.state.status().as_str()),
        Entity::Task(it) => Some(it.status.as_str()),
        Entity::Service(it) => Some(it.status.as_str()),
        Entity::ServiceDeployment(it) => Some(it.status().as_str()),
        Entity::Family(_) | Entity::ServiceRevision(_) | Entity::Token(_) | Entity::Resource(_) => None,
    }
}

/// `ACCOUNT/REGION/...`: unique among the entities of a kind, and readable in queries.
pub(super) fn key_text(key: &EntityKey) -> String {
    use std::fmt::Write;

    let mut text = String::with_capacity(96);
    let scope = match key {
        EntityKey::Cluster(key) => &key.scope,
        EntityKey::Family((scope, _)) => scope,
        EntityKey::TaskDefinition(key) => &key.scope,
        EntityKey::Task(key) => &key.cluster.scope,
        EntityKey::Service(key) => &key.cluster.scope,
        EntityKey::ServiceDeployment(key) => &key.service.cluster.scope,
        EntityKey::ServiceRevision(key) => &key.service.cluster.scope,
        EntityKey::Token(key) => &key.cluster.scope,
        EntityKey::Resource(key) => &key.scope,
    };
    escape(&mut text, scope.account());
    text.push('/');
    escape(&mut text, scope.region());
    text.push('/');
    // Names have no character that would have to be escaped.
    let written = match key {
        EntityKey::Cluster(key) => write!(text, "{}", key.name),
        EntityKey::Family((_, family)) => write!(text, "{family}"),
        EntityKey::TaskDefinition(key) => write!(text, "{}:{}", key.family, key.revision),
        EntityKey::Task(key) => write!(text, "{}/{}", key.cluster.name, key.id),
        EntityKey::Service(key) => write!(text, "{}/{}", key.cluster.name, key.name),
        EntityKey::ServiceDeployment(key) => {
            let written = write!(text, "{}/{}/", key.service.cluster.name, key.service.name);
            escape(&mut text, &key.id);
            written
        }
        EntityKey::ServiceRevision(key) => {
            write!(text, "{}/{}/{:019}", key.service.cluster.name, key.service.name, key.id.number())
        }
        EntityKey::Token(key) => {
            let written = write!(text, "{}/", key.cluster.name);
            escape(&mut text, &key.operation);
            text.push('/');
            escape(&mut text, &key.token);
            written
        }
        EntityKey::Resource(key) => {
            let written = write!(text, "{}/", key.kind);
            escape(&mut text, &key.parent);
            text.push('/');
            escape(&mut text, &key.id);
            written
        }
    };
    written.expect("writing to a String can't fail");
    text
}

/// Appends free text with what would be taken for a separator written as `%XX`.
fn escape(text: &mut String, part: &str) {
    for c in part.chars() {
        match c {
            '/' | '%' | '\0'..='\x1f' | '\x7f' => {
                text.push('%');
                let digit =
                    |four_bits: u32| char::from_digit(four_bits, 16).map_or('0', |c| c.to_ascii_uppercase());
                text.push(digit(c as u32 >> 4));
                text.push(digit(c as u32 & 15));
            }
            _ => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use kecs_domain::Scope;
    use kecs_domain::arn::ClusterKey;
    use kecs_domain::idempotency::TokenKey;
    use kecs_domain::name::ClusterName;

    use super::*;

    fn token(operation: &str, token: &str) -> String {
        let scope = Scope::new("123456789012", "eu-central-1");
        let cluster = ClusterKey::new(scope, ClusterName::parse("main").unwrap());
        key_text(&EntityKey::Token(TokenKey { cluster, operation: operation.into(), token: token.into() }))
    }

    #[test]
    fn free_text_in_a_key_can_not_be_taken_for_another_key() {
        assert_eq!(token("RunTask", "a"), "123456789012/eu-central-1/main/RunTask/a");
        assert_eq!(token("RunTask", "a/b%\0"), "123456789012/eu-central-1/main/RunTask/a%2Fb%25%00");
        assert_ne!(token("CreateService/web", "a"), token("CreateService", "web/a"));
    }

    #[test]
    fn every_column_counts_in_the_checksum() {
        let row = Header {
            seq: 1,
            changed_at_micros: 2,
            commit_seq: 1,
            commit_rows: 1,
            kind: "Task",
            key: "k",
            status: Some("RUNNING"),
        };
        let sum = row.checksum(Some("{}"));
        let others = [
            Header { seq: 2, ..row }.checksum(Some("{}")),
            Header { changed_at_micros: 3, ..row }.checksum(Some("{}")),
            Header { commit_seq: 0, ..row }.checksum(Some("{}")),
            Header { commit_rows: 2, ..row }.checksum(Some("{}")),
            Header { kind: "Taskk", key: "", ..row }.checksum(Some("{}")),
            Header { key: "K", ..row }.checksum(Some("{}")),
            Header { status: None, ..row }.checksum(Some("{}")),
            row.checksum(Some("")),
            row.checksum(None),
        ];
        assert!(others.iter().all(|other| *other != sum));
    }
}
