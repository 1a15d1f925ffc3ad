//! Resources without an index of their own.

use kecs_domain::Scope;
use kecs_domain::model::{Setting, SettingName};
use kecs_domain::pagination::PageRequest;
use kecs_domain::resource::{Resource, ResourceKey, ResourceKind};
use kecs_usecases::ports::Store;
use kecs_usecases::ports::store::{Entity, EntityKey, ResourceQuery};

use crate::store::{Fixture, create, delete, put};

const KIND: ResourceKind = ResourceKind::AccountSetting;

fn scope(account: &str) -> Scope {
    Scope::new(account, "eu-central-1")
}

fn resource(account: &str, parent: &str, id: &str) -> Resource {
    let value = Setting {
        name: Some(SettingName::ContainerInsights),
        value: Some(format!("{account}|{parent}|{id}")),
        ..Setting::default()
    };
    Resource::new(&scope(account), parent, id, value)
}

/// What is listed, in pages of `limit`, as `parent/id`.
async fn listed(store: &dyn Store, account: &str, parent: Option<&str>, limit: usize) -> Vec<String> {
    let query = ResourceQuery { kind: KIND, scope: scope(account), parent: parent.map(str::to_owned) };
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.list_resources(&query, PageRequest { after, limit }).await.unwrap();
        assert!(page.items.len() <= limit);
        let Some(last) = page.items.last() else { return found };
        after = Some((last.key.parent.clone(), last.key.id.clone()));
        found.extend(page.items.iter().map(|it| format!("{}/{}", it.key.parent, it.key.id)));
        if !page.more {
            return found;
        }
    }
}

/// Scope, parent and id together, whatever characters they have.
pub async fn a_resource_is_found_by_its_whole_key(store: Fixture) {
    let all = [
        resource("111111111111", "main", "a"),
        resource("222222222222", "main", "a"),
        resource("111111111111", "main/a", ""),
        resource("111111111111", "", "main/a"),
        resource("111111111111", "main", "A"),
        resource("111111111111", "arn:aws:iam::111111111111:root", "\u{fc}\u{1f680}'%_\\\""),
    ];
    create(&*store, all.iter().cloned().map(Entity::from)).await;
    let absent = ResourceKey { id: "b".into(), ..all[0].key.clone() };
    let mut keys: Vec<_> = all.iter().map(|it| it.key.clone()).collect();
    keys.push(absent);
    let found = store.resources(&keys).await.unwrap();
    let found: Vec<_> = found.iter().map(|it| it.as_ref().map(|it| (*it.value).clone())).collect();
    let expected: Vec<_> = all.into_iter().map(Some).chain([None]).collect();
    assert_eq!(found, expected);
}

/// By bytes, in pages of any size, of one parent or of all, and as they come and go.
pub async fn resources_are_listed_by_parent_and_id(store: Fixture) {
    let mine = "111111111111";
    for (parent, id) in [("b", "2"), ("a", "1"), ("b", "10"), ("B", "x"), ("", "z"), ("a", "\u{fc}")] {
        create(&*store, [resource(mine, parent, id).into()]).await;
    }
    create(&*store, [resource("222222222222", "b", "1").into()]).await;
    for limit in [1, 2, 3, 100] {
        let all = listed(&*store, mine, None, limit).await;
        assert_eq!(all, ["/z", "B/x", "a/1", "a/\u{fc}", "b/10", "b/2"], "pages of {limit}");
        assert_eq!(listed(&*store, mine, Some("b"), limit).await, ["b/10", "b/2"]);
        assert!(listed(&*store, mine, Some("c"), limit).await.is_empty());
    }
    delete(&*store, EntityKey::Resource(resource(mine, "b", "10").key)).await;
    put(&*store, resource(mine, "b", "2")).await;
    assert_eq!(listed(&*store, mine, Some("b"), 10).await, ["b/2"]);
    // A position before or after the parent's own range shows no other parent's.
    for (after, expected) in [(("a", "zzz"), 1), (("c", ""), 0)] {
        let query = ResourceQuery { kind: KIND, scope: scope(mine), parent: Some("b".into()) };
        let after = Some((after.0.to_owned(), after.1.to_owned()));
        let page = store.list_resources(&query, PageRequest { after, limit: 10 }).await.unwrap();
        assert_eq!(page.items.len(), expected);
    }
}

/// Across accounts, once each.
pub async fn resources_of_every_scope_are_found_by_kind(store: Fixture) {
    let mut expected = Vec::new();
    for account in ["222222222222", "111111111111"] {
        for (parent, id) in [("b", "1"), ("a", "2"), ("a", "1")] {
            let resource = resource(account, parent, id);
            expected.push(resource.key.clone());
            create(&*store, [resource.into()]).await;
        }
    }
    expected.sort();
    for limit in [1, 4, 100] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.resources_everywhere(KIND, PageRequest { after, limit }).await.unwrap();
            found.extend(page.items.iter().map(|it| it.key.clone()));
            after = found.last().cloned();
            if !page.more {
                break;
            }
        }
        assert_eq!(found, expected, "pages of {limit}");
    }
}
