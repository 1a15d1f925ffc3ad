//! A queue of wake-ups for embedders that drive the reconcilers themselves, without any async runtime.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::ports::{Wake, WakeKey};

/// Keeps each woken key once, until it is taken.
#[derive(Debug, Default)]
pub struct WakeQueue {
    keys: Mutex<BTreeSet<WakeKey>>,
}

impl WakeQueue {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next key, if any. The order is that of the keys, so that a run can be repeated.
    pub fn take(&self) -> Option<WakeKey> {
        self.lock().pop_first()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<WakeKey>> {
        // A set of keys is whole at any moment, so a panic of another thread leaves nothing broken behind.
        self.keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Wake for WakeQueue {
    fn wake(&self, keys: Vec<WakeKey>) {
        self.lock().extend(keys);
    }
}
