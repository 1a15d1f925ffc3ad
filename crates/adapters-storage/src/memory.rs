//! The store that forgets: everything in memory, for tests, for simulations and for throw-away runs.
//!
//! Deterministic: no threads, no time, and a commit never waits.

use async_trait::async_trait;
use kecs_usecases::ports::{Changes, PortError, UnitOfWork, Version};
use parking_lot::{RwLock, RwLockReadGuard};

use crate::state::{Checked, State, check, implement_reads};

/// A store in memory.
#[derive(Default)]
pub struct MemoryStore {
    inner: RwLock<Inner>,
}

#[derive(Default)]
struct Inner {
    state: State,
    last: u64,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> impl std::ops::Deref<Target = State> + '_ {
        RwLockReadGuard::map(self.inner.read(), |inner| &inner.state)
    }
}

#[async_trait]
impl UnitOfWork for MemoryStore {
    async fn commit(&self, changes: Changes) -> Result<Vec<Version>, PortError> {
        let changes = Checked::new(changes)?;
        let mut guard = self.inner.write();
        let Inner { state, last } = &mut *guard;
        check(&changes.expectations, |key| state.version_of(key))?;
        let mut versions = Vec::with_capacity(changes.puts.len());
        for (_, entity) in changes.puts {
            *last += 1;
            versions.push(Version(*last));
            state.put(entity, Version(*last));
        }
        for key in &changes.deletes {
            state.remove(key);
        }
        Ok(versions)
    }
}

implement_reads!(MemoryStore);
