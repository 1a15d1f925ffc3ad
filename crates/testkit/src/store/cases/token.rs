//! Idempotency tokens.

use kecs_domain::idempotency::TokenKey;
use kecs_usecases::ports::Store;
use kecs_usecases::ports::store::{Entity, EntityKey};

use crate::sample;
use crate::store::{Fixture, create, delete, put};

/// Cluster, operation and token together.
pub async fn a_token_is_found_by_its_whole_key(store: Fixture) {
    let main = sample::cluster_key("main");
    let other = sample::cluster_key("other");
    // Free text, with what stores may take for separators.
    let keys = [
        (&main, "RunTask", "t"),
        (&other, "RunTask", "t"),
        (&main, "CreateService/web", "t"),
        (&main, "CreateService", "web/t"),
        (&main, "RunTask", "T"),
        (&main, "RunTask", "t "),
        (&main, "RunTask", ""),
        (&main, "RunTask", "\u{fc}\u{1f680}'%_\\\""),
    ];
    let mut entities: Vec<Entity> = Vec::new();
    for (n, (cluster, operation, token)) in keys.into_iter().enumerate() {
        let mut record = sample::token(cluster, operation, token, sample::at(0));
        record.fingerprint = n.to_string();
        entities.push(record.into());
    }
    create(&*store, entities).await;
    for (n, (cluster, operation, token)) in keys.into_iter().enumerate() {
        let key = TokenKey { cluster: cluster.clone(), operation: operation.into(), token: token.into() };
        let found = store.token(&key).await.unwrap().expect("it was saved");
        assert_eq!((&found.key, found.fingerprint.as_str()), (&key, n.to_string().as_str()));
    }
    let absent = TokenKey { cluster: other, operation: "RunTask".into(), token: "T".into() };
    assert!(store.token(&absent).await.unwrap().is_none());
}

/// Tokens used before a time, at most so many.
pub async fn tokens_are_found_by_age(store: Fixture) {
    let main = sample::cluster_key("main");
    let token = |name: &str, second| sample::token(&main, "RunTask", name, sample::at(second));
    create(&*store, [token("c", 30).into(), token("a", 10).into(), token("b", 20).into()]).await;
    let before = async |store: &dyn Store, second, limit| {
        let keys = store.tokens_before(sample::at(second), limit).await.unwrap();
        let mut names: Vec<_> = keys.into_iter().map(|key| key.token).collect();
        names.sort();
        names.join("")
    };
    assert_eq!(before(&*store, 30, 10).await, "ab");
    assert_eq!(before(&*store, 31, 10).await, "abc");
    assert_eq!(before(&*store, 10, 10).await, "");
    assert_eq!(before(&*store, 31, 2).await.len(), 2);
    delete(&*store, EntityKey::Token(token("a", 0).key)).await;
    put(&*store, token("b", 40)).await;
    assert_eq!(before(&*store, 35, 10).await, "c");
}
