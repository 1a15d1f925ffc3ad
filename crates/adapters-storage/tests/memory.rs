//! The memory store keeps the contract of a store.

use kecs_adapters_storage::MemoryStore;
use kecs_testkit::store::{Fixture, StoreFactory};

struct Memory;

impl StoreFactory for Memory {
    async fn fresh() -> Option<Fixture> {
        Some(Fixture::new(MemoryStore::new(), ()))
    }
}

kecs_testkit::store_contract!(Memory);
