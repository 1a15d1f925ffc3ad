//! The contract of a store: what every implementation of the store ports must do, as cases that run against any of them.
//!
//! In a test of an adapter:
//!
//! ```ignore
//! kecs_testkit::store_contract!(MyFactory);
//! ```
//!
//! makes one test of each case. Each sentence with MUST in `kecs_usecases::ports::store` has its case in here.

pub mod cases;
mod model;

use std::any::Any;
use std::ops::Deref;
use std::sync::Arc;

use kecs_domain::pagination::{Page, PageRequest};
use kecs_usecases::ports::store::{Entity, EntityKey};
use kecs_usecases::ports::{Changes, Expect, PortError, Store, Version};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Makes stores to be tested.
pub trait StoreFactory {
    /// An empty store of its own; None if there can be none here, which the factory must have said aloud.
    fn fresh() -> impl Future<Output = Option<Fixture>> + Send;
}

/// A store under test, with whatever must live as long as it.
#[derive(Clone)]
pub struct Fixture {
    store: Arc<dyn Store>,
    _guard: Arc<dyn Any + Send + Sync>,
}

impl Fixture {
    /// A store that needs `guard` (a directory, a server) to live.
    pub fn new(store: impl Store + 'static, guard: impl Any + Send + Sync) -> Self {
        Self { store: Arc::new(store), _guard: Arc::new(guard) }
    }

    /// The store.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }
}

impl Deref for Fixture {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.store
    }
}

/// Makes a test of every case of the contract, for the stores of a [`StoreFactory`].
#[macro_export]
macro_rules! store_contract {
    ($factory:ty) => {
        $crate::store_contract!($factory:
            commit: [
                what_is_saved_is_read_back_the_same, an_absent_key_must_be_free, a_version_must_be_the_stored_one,
                any_replaces_whatever_is_there, a_condition_on_another_entity_must_hold, all_or_nothing,
                a_delete_removes_and_a_later_version_is_higher, versions_come_in_the_order_of_puts,
                a_key_can_not_be_changed_twice_in_one_commit, a_commit_of_nothing_still_checks_its_conditions,
                a_failed_commit_leaves_counts_and_lists_alone, a_dropped_commit_is_made_wholly_or_not_at_all,
                a_large_commit_is_one_commit,
            ]
            cluster: [
                clusters_are_read_in_the_order_asked, only_active_clusters_are_listed,
                counts_follow_every_change, counts_are_apart_by_launch_type, scopes_are_apart,
            ]
            task_definition: [
                revisions_sort_as_numbers, the_latest_active_revision_skips_inactive_ones,
                revisions_are_listed_by_state_and_family_both_ways, families_are_listed_by_activeness_and_prefix,
            ]
            task: [
                tasks_are_read_in_the_order_asked, each_filter_alone, filters_together, pages_cover_everything_once,
                pages_hold_while_tasks_come_and_go, a_service_sees_its_open_tasks, unfinished_tasks_cross_clusters,
                stopped_tasks_are_found_by_age,
            ]
            service: [
                services_are_listed_by_launch_type_and_strategy, unfinished_services_cross_clusters,
                service_deployments_are_listed_newest_first, service_deployments_are_filtered,
                revisions_of_a_service_are_read_back,
            ]
            token: [a_token_is_found_by_its_whole_key, tokens_are_found_by_age]
            resource: [
                a_resource_is_found_by_its_whole_key, resources_are_listed_by_parent_and_id,
                resources_of_every_scope_are_found_by_kind,
            ]
            concurrency: [
                concurrent_increments_lose_nothing, one_of_many_creators_wins,
                commits_in_opposite_orders_do_not_block_each_other, a_commit_is_visible_when_it_returns,
                a_reader_never_sees_half_a_commit,
            ]
            random: [random_histories_agree_with_a_plain_model]
        );
    };
    ($factory:ty: $($module:ident: [$($case:ident),* $(,)?])*) => {
        $(mod $module {
            #[allow(unused_imports, reason = "the factory may be a path from anywhere")]
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let fresh = <$factory as $crate::store::StoreFactory>::fresh().await;
                    let Some(store) = fresh else { return };
                    $crate::store::cases::$module::$case(store).await;
                }
            )*
        })*
    };
}

/// The seed of a random test: `KECS_SEED` if it is set, else a new one. Printed, so that a failure can be repeated.
///
/// # Panics
/// If `KECS_SEED` is no number.
pub fn seed() -> u64 {
    let seed = match std::env::var("KECS_SEED") {
        Ok(seed) => seed.parse().expect("KECS_SEED is a number"),
        #[allow(clippy::disallowed_methods, reason = "this is where a test's randomness begins")]
        Err(_) => StdRng::from_os_rng().random(),
    };
    eprintln!("KECS_SEED={seed}");
    seed
}

/// Saves new entities.
///
/// # Panics
/// If the store refuses.
pub async fn create(store: &dyn Store, entities: impl IntoIterator<Item = Entity>) -> Vec<Version> {
    let mut changes = Changes::new();
    for entity in entities {
        changes.puts.push((entity, Expect::Absent));
    }
    store.commit(changes).await.expect("new entities are saved")
}

/// Saves one entity over whatever is there.
async fn put(store: &dyn Store, entity: impl Into<Entity>) -> Version {
    let changes = Changes { puts: vec![(entity.into(), Expect::Any)], ..Changes::default() };
    store.commit(changes).await.expect("an entity is saved")[0]
}

/// Removes one entity.
async fn delete(store: &dyn Store, key: EntityKey) {
    let changes = Changes { deletes: vec![(key, Expect::Any)], ..Changes::default() };
    store.commit(changes).await.expect("an entity is removed");
}

/// The first page, of at most `limit` items.
fn first<K>(limit: usize) -> PageRequest<K> {
    PageRequest { after: None, limit }
}

/// Reads a whole list page by page, and checks that pages are as long as asked while there are more.
async fn pages<T, K, F>(
    limit: usize,
    key: impl Fn(&T) -> K,
    mut page: impl FnMut(PageRequest<K>) -> F,
) -> Vec<T>
where
    F: Future<Output = Result<Page<T>, PortError>>,
{
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let Page { items, more } =
            page(PageRequest { after: after.take(), limit }).await.expect("a list is read");
        assert!(items.len() <= limit, "a page of {} with limit {limit}", items.len());
        assert!(!more || items.len() == limit, "a short page that is not the last");
        after = items.last().map(&key);
        all.extend(items);
        if !more {
            return all;
        }
        assert!(after.is_some(), "an empty page that is not the last");
    }
}
