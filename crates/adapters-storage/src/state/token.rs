//! Idempotency tokens, by key and by age.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use kecs_domain::Timestamp;
use kecs_domain::idempotency::{TokenKey, TokenRecord};
use kecs_usecases::ports::{Version, Versioned};

use super::State;

/// A record that is looked up by the key inside it, so that the key is held once.
struct ByKey(Arc<TokenRecord>);

impl Borrow<TokenKey> for ByKey {
    fn borrow(&self) -> &TokenKey {
        &self.0.key
    }
}

impl Hash for ByKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.key.hash(state);
    }
}

impl PartialEq for ByKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl Eq for ByKey {}

/// The tokens of every cluster.
#[derive(Default)]
pub(super) struct Tokens {
    by_key: HashMap<ByKey, Version>,
    /// A version is unique, so it stands for the token.
    by_time: BTreeMap<(Timestamp, Version), Arc<TokenRecord>>,
}

impl Tokens {
    pub(super) fn get(&self, key: &TokenKey) -> Option<Versioned<TokenRecord>> {
        let (record, version) = self.by_key.get_key_value(key)?;
        Some(Versioned { value: Arc::clone(&record.0), version: *version })
    }

    pub(super) fn put(&mut self, token: Versioned<TokenRecord>) -> Option<Version> {
        let old = self.remove(&token.key);
        self.by_time.insert((token.created_at, token.version), Arc::clone(&token.value));
        self.by_key.insert(ByKey(token.value), token.version);
        old
    }

    pub(super) fn remove(&mut self, key: &TokenKey) -> Option<Version> {
        let (record, version) = self.by_key.remove_entry(key)?;
        self.by_time.remove(&(record.0.created_at, version));
        Some(version)
    }
}

impl State {
    pub(crate) fn token(&self, key: &TokenKey) -> Option<Versioned<TokenRecord>> {
        self.tokens.get(key)
    }

    pub(crate) fn tokens_before(&self, before: Timestamp, limit: usize) -> Vec<TokenKey> {
        let oldest = self.tokens.by_time.range(..(before, Version(0))).take(limit);
        oldest.map(|(_, record)| record.key.clone()).collect()
    }
}
