//! What fails, how often, and how long to wait before the next attempt.

use std::collections::HashMap;
use std::time::Duration;

use kecs_usecases::Error;
use kecs_usecases::ports::{PortErrorKind, WakeKey};
use parking_lot::Mutex;

/// The wait after the first failure. It doubles with each further one.
const FIRST: Duration = Duration::from_millis(100);
/// The longest wait, which is also how often the slow timer comes.
const LONGEST: Duration = Duration::from_secs(30);

/// The wait before the next attempt, after so many failures (at least one).
pub(super) fn back_off(failures: u32) -> Duration {
    FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST)
}

/// Whether trying again soon may help. The slow timer tries everything again in any case.
pub(super) fn is_worth_a_retry(error: &Error) -> bool {
    match error {
        Error::Port(error) => matches!(error.kind, PortErrorKind::Transient | PortErrorKind::Conflict),
        Error::Ecs(_) => false,
    }
}

/// The keys whose last attempt failed.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<WakeKey, u32>>);

impl Failures {
    /// One more for a key: how many in a row it has now.
    pub(super) fn add(&self, key: &WakeKey) -> u32 {
        let mut failures = self.0.lock();
        let count = failures.entry(key.clone()).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// The key's attempt has succeeded: how many had failed before.
    pub(super) fn clear(&self, key: &WakeKey) -> u32 {
        let mut failures = self.0.lock();
        // Nearly always empty, and this is asked after each success.
        if failures.is_empty() { 0 } else { failures.remove(key).unwrap_or(0) }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_half_a_minute() {
        let millis: Vec<_> = (0..12).map(|failures| back_off(failures).as_millis()).collect();
        assert_eq!(millis, [100, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
        assert_eq!(back_off(u32::MAX), LONGEST);
    }
}
