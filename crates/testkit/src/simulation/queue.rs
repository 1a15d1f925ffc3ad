//! The keys that wait for their reconciler, as the server's driver keeps them: each once, one call at a time, put off
//! after a failure for a time that grows. The order is the dice's.

use std::collections::BTreeMap;
use std::time::Duration;

use kecs_usecases::ports::WakeKey;

use super::random::Random;

/// The wait after the first failure; it doubles with each further one.
const FIRST: i64 = 100;
/// The longest wait.
const LONGEST: i64 = 30_000;

/// The wait after so many failures in a row, in milliseconds.
pub(crate) fn back_off(failures: u32) -> i64 {
    FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    Running,
    /// Running, and woken since.
    RunningAgain,
    /// Ready at this time.
    PutOff(i64),
}

/// See the module.
#[derive(Default)]
pub(crate) struct Queue {
    keys: BTreeMap<WakeKey, State>,
    failures: BTreeMap<WakeKey, u32>,
}

impl Queue {
    /// A hint.
    pub(crate) fn wake(&mut self, key: WakeKey) {
        let next = match self.keys.get(&key) {
            Some(State::Running | State::RunningAgain) => State::RunningAgain,
            Some(State::Ready | State::PutOff(_)) | None => State::Ready,
        };
        self.keys.insert(key, next);
    }

    /// Makes ready what was put off until `now`.
    pub(crate) fn due(&mut self, now: i64) {
        for state in self.keys.values_mut() {
            if matches!(*state, State::PutOff(at) if at <= now) {
                *state = State::Ready;
            }
        }
    }

    /// When something that was put off is ready next.
    pub(crate) fn next(&self) -> Option<i64> {
        let put_off = self.keys.values().filter_map(|state| match state {
            State::PutOff(at) => Some(*at),
            _ => None,
        });
        put_off.min()
    }

    /// Takes one of the keys that are ready.
    pub(crate) fn take(&mut self, random: &mut Random) -> Option<WakeKey> {
        let ready: Vec<_> = self.keys.iter().filter(|(_, state)| **state == State::Ready).collect();
        if ready.is_empty() {
            return None;
        }
        let key = (*random.pick(&ready).0).clone();
        self.keys.insert(key.clone(), State::Running);
        Some(key)
    }

    /// Whether a key is ready.
    pub(crate) fn has_ready(&self) -> bool {
        self.keys.values().any(|state| *state == State::Ready)
    }

    /// A call is over; the next one is due `again` from `now`, unless there was a hint meanwhile.
    pub(crate) fn done(&mut self, key: WakeKey, again: Option<Duration>, now: i64) {
        self.failures.remove(&key);
        match (self.keys.get(&key), again) {
            (Some(State::RunningAgain), _) => {
                self.keys.insert(key, State::Ready);
            }
            (_, Some(wait)) => {
                let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                self.keys.insert(key, State::PutOff(now.saturating_add(wait)));
            }
            (_, None) => {
                self.keys.remove(&key);
            }
        }
    }

    /// A call has failed and is made again later.
    pub(crate) fn failed(&mut self, key: WakeKey, now: i64) {
        let failures = self.failures.entry(key.clone()).or_default();
        *failures += 1;
        self.keys.insert(key, State::PutOff(now + back_off(*failures)));
    }
}
