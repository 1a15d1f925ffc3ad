//! Families and revisions.

use kecs_domain::name::FamilyName;
use kecs_domain::task_definition::{TaskDefinition, TaskDefinitionState};
use kecs_usecases::ports::store::{Entity, EntityKey, FamilyQuery};
use kecs_usecases::ports::{Store, TaskDefinitionQuery};

use crate::sample;
use crate::store::{Fixture, create, delete, pages, put};

fn in_state(family: &str, revision: i32, state: TaskDefinitionState) -> TaskDefinition {
    let mut definition = sample::task_definition(family, revision);
    definition.state = state;
    definition.doc.make_mut().status = Some(state.status());
    definition
}

async fn list(store: &dyn Store, query: &TaskDefinitionQuery, limit: usize) -> Vec<String> {
    let listed = pages(limit, Clone::clone, |page| store.list_task_definitions(query, page)).await;
    listed.into_iter().map(|(family, revision)| format!("{family}:{revision}")).collect()
}

async fn list_families(store: &dyn Store, prefix: &str, active: Option<bool>, limit: usize) -> Vec<String> {
    let query = FamilyQuery { scope: sample::scope(), prefix: prefix.to_owned(), active };
    let listed = pages(limit, FamilyName::clone, |page| store.list_families(&query, page)).await;
    listed.into_iter().map(|family| family.to_string()).collect()
}

/// Sorted by family and revision, as a number.
pub async fn revisions_sort_as_numbers(store: Fixture) {
    let definitions = [9, 10, 11, 100, 2, 1].map(|revision| sample::task_definition("web", revision).into());
    create(&*store, definitions).await;
    create(&*store, [sample::task_definition("Web", 3).into(), sample::task_definition("we", 20).into()])
        .await;
    let query = TaskDefinitionQuery {
        scope: sample::scope(),
        family: None,
        state: TaskDefinitionState::Active,
        descending: false,
    };
    let up = ["Web:3", "we:20", "web:1", "web:2", "web:9", "web:10", "web:11", "web:100"];
    let down: Vec<_> = up.iter().rev().copied().collect();
    for limit in [1, 2, 3, 8, 9] {
        assert_eq!(list(&*store, &query, limit).await, up);
        let descending = TaskDefinitionQuery { descending: true, ..query.clone() };
        assert_eq!(list(&*store, &descending, limit).await, down);
    }
}

/// The newest ACTIVE revision of a family.
pub async fn the_latest_active_revision_skips_inactive_ones(store: Fixture) {
    let key = (sample::scope(), sample::family_name("web"));
    let latest = async |store: &dyn Store| store.latest_active(&key).await.unwrap().map(|it| it.key.revision);
    assert_eq!(latest(&*store).await, None);
    create(&*store, [8, 9, 10].map(|revision| sample::task_definition("web", revision).into())).await;
    create(&*store, [sample::task_definition("webb", 99).into()]).await;
    assert_eq!(latest(&*store).await, Some(10));
    put(&*store, in_state("web", 10, TaskDefinitionState::Inactive)).await;
    assert_eq!(latest(&*store).await, Some(9));
    put(&*store, in_state("web", 9, TaskDefinitionState::DeleteInProgress)).await;
    assert_eq!(latest(&*store).await, Some(8));
    delete(&*store, EntityKey::TaskDefinition(sample::definition_key("web", 8))).await;
    assert_eq!(latest(&*store).await, None);
    put(&*store, in_state("web", 10, TaskDefinitionState::Active)).await;
    assert_eq!(latest(&*store).await, Some(10));
}

/// One state, one family or all, smallest or largest first.
pub async fn revisions_are_listed_by_state_and_family_both_ways(store: Fixture) {
    use TaskDefinitionState::{Active, DeleteInProgress, Inactive};
    let states = [
        ("a", 1, Active),
        ("a", 2, Inactive),
        ("a", 3, Active),
        ("b", 1, Inactive),
        ("b", 2, DeleteInProgress),
        ("c", 1, Active),
    ];
    create(&*store, states.map(|(family, revision, state)| in_state(family, revision, state).into())).await;
    for (family, state, expected) in [
        (None, Active, vec!["a:1", "a:3", "c:1"]),
        (None, Inactive, vec!["a:2", "b:1"]),
        (None, DeleteInProgress, vec!["b:2"]),
        (Some("a"), Active, vec!["a:1", "a:3"]),
        (Some("b"), Active, vec![]),
        (Some("nowhere"), Active, vec![]),
    ] {
        let family = family.map(sample::family_name);
        let mut expected = expected;
        for descending in [false, true] {
            let query =
                TaskDefinitionQuery { scope: sample::scope(), family: family.clone(), state, descending };
            for limit in [1, 2, 10] {
                assert_eq!(list(&*store, &query, limit).await, expected, "{query:?}");
            }
            expected.reverse();
        }
    }
}

/// Families with an ACTIVE revision, without one, or all; by the beginning of their name.
pub async fn families_are_listed_by_activeness_and_prefix(store: Fixture) {
    let mut entities: Vec<Entity> =
        ["web", "web-2", "wea", "x", "we_b"].map(|name| sample::family(name, 1).into()).into();
    for name in ["web", "x", "we_b"] {
        entities.push(sample::task_definition(name, 1).into());
    }
    entities.push(in_state("wea", 1, TaskDefinitionState::Inactive).into());
    create(&*store, entities).await;
    for limit in [1, 2, 10] {
        assert_eq!(list_families(&*store, "", None, limit).await, ["we_b", "wea", "web", "web-2", "x"]);
        assert_eq!(list_families(&*store, "web", None, limit).await, ["web", "web-2"]);
        // The underscore is a letter like any other, also for a database whose patterns know better.
        assert_eq!(list_families(&*store, "we_", None, limit).await, ["we_b"]);
        assert_eq!(list_families(&*store, "%", None, limit).await, [""; 0]);
        assert_eq!(list_families(&*store, "we", Some(true), limit).await, ["we_b", "web"]);
        assert_eq!(list_families(&*store, "", Some(false), limit).await, ["wea", "web-2"]);
    }
    put(&*store, in_state("web", 1, TaskDefinitionState::Inactive)).await;
    put(&*store, in_state("wea", 1, TaskDefinitionState::Active)).await;
    assert_eq!(list_families(&*store, "", Some(true), 10).await, ["we_b", "wea", "x"]);
    assert_eq!(list_families(&*store, "", Some(false), 10).await, ["web", "web-2"]);
    delete(&*store, EntityKey::Family((sample::scope(), sample::family_name("x")))).await;
    assert_eq!(list_families(&*store, "x", None, 10).await, [""; 0]);
}
