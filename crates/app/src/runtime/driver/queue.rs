//! The queue of the keys that a reconciler should look at.
//!
//! A key is in it at most once, and is worked on by one worker at a time: a hint that comes while it is worked on makes
//! it be looked at once more. A key may also be put off until a time; a hint brings it forward, and whatever the
//! reconciler says last about a key replaces what it said before. Nothing here knows what a reconciler does.

use std::collections::btree_map::BTreeMap;
use std::collections::hash_map::{Entry, HashMap};
use std::collections::vec_deque::VecDeque;

use kecs_usecases::ports::{Wake, WakeKey};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Duration, Instant, sleep_until};

/// The queue.
#[derive(Debug, Default)]
pub struct WakeQueue {
    inner: Mutex<Inner>,
    /// A key is ready. A worker that takes one while there are more passes it on.
    ready: Notify,
    /// The earliest put-off key has changed.
    put_off: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    ready: VecDeque<WakeKey>,
    keys: HashMap<WakeKey, State>,
    /// By time, and by a running number so that two keys may have one time.
    put_off: BTreeMap<(Instant, u64), WakeKey>,
    last: u64,
    running: usize,
    closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    Running,
    /// Running, and woken since.
    RunningAgain,
    PutOff(Instant, u64),
}

/// How many keys are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueSize {
    /// Waiting for a worker.
    pub ready: usize,
    /// Being worked on.
    pub running: usize,
    /// Put off until a time.
    pub put_off: usize,
}

impl WakeQueue {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits for a key, which the caller then works on and gives back to [`WakeQueue::done`]. None when the queue is
    /// closed.
    pub async fn next(&self) -> Option<WakeKey> {
        loop {
            // Made before the look into the queue, so that what comes in between isn't missed.
            let ready = self.ready.notified();
            {
                let mut inner = self.inner.lock();
                if inner.closed {
                    return None;
                }
                if let Some(key) = inner.ready.pop_front() {
                    inner.keys.insert(key.clone(), State::Running);
                    inner.running += 1;
                    if !inner.ready.is_empty() {
                        self.ready.notify_one();
                    }
                    return Some(key);
                }
            }
            ready.await;
        }
    }

    /// A key has been worked on. It is looked at again at once if it was woken meanwhile, else after `again`, if that
    /// is given.
    pub fn done(&self, key: WakeKey, again: Option<Duration>) {
        let mut inner = self.inner.lock();
        inner.running = inner.running.saturating_sub(1);
        match (inner.keys.get(&key), again) {
            (Some(State::RunningAgain), _) => {
                inner.keys.insert(key.clone(), State::Ready);
                inner.ready.push_back(key);
                self.ready.notify_one();
            }
            (_, Some(delay)) => self.put_off(&mut inner, key, delay),
            (_, None) => {
                inner.keys.remove(&key);
            }
        }
    }

    /// A key could not be worked on. It is looked at again after `delay`, also if it was woken meanwhile: it was
    /// woken by its own attempts, as likely as not.
    pub fn failed(&self, key: WakeKey, delay: Duration) {
        let mut inner = self.inner.lock();
        inner.running = inner.running.saturating_sub(1);
        self.put_off(&mut inner, key, delay);
    }

    fn put_off(&self, inner: &mut Inner, key: WakeKey, delay: Duration) {
        // Beyond the end of time is never, which a year from now is as well: the slow timer comes first.
        let at = Instant::now() + delay.min(Duration::from_secs(365 * 24 * 3600));
        inner.last += 1;
        let slot = (at, inner.last);
        inner.keys.insert(key.clone(), State::PutOff(slot.0, slot.1));
        inner.put_off.insert(slot, key);
        if inner.put_off.first_key_value().is_some_and(|(first, _)| *first == slot) {
            self.put_off.notify_one();
        }
    }

    /// Makes put-off keys ready when their time comes, until the queue is closed. Must be polled beside the workers.
    pub async fn keep_time(&self) {
        loop {
            let changed = self.put_off.notified();
            let next = {
                let mut inner = self.inner.lock();
                if inner.closed {
                    return;
                }
                let now = Instant::now();
                while let Some(first) = inner.put_off.first_entry()
                    && first.key().0 <= now
                {
                    let key = first.remove();
                    inner.keys.insert(key.clone(), State::Ready);
                    inner.ready.push_back(key);
                    self.ready.notify_one();
                }
                inner.put_off.first_key_value().map(|((at, _), _)| *at)
            };
            match next {
                Some(at) => tokio::select! {
                    () = sleep_until(at) => {}
                    () = changed => {}
                },
                None => changed.await,
            }
        }
    }

    /// Lets nobody take a key any more. What is being worked on goes on.
    pub fn close(&self) {
        self.inner.lock().closed = true;
        self.ready.notify_waiters();
        self.put_off.notify_one();
    }

    /// How many keys are in which state.
    pub fn size(&self) -> QueueSize {
        let inner = self.inner.lock();
        QueueSize { ready: inner.ready.len(), running: inner.running, put_off: inner.put_off.len() }
    }
}

impl Wake for WakeQueue {
    fn wake(&self, keys: Vec<WakeKey>) {
        let mut inner = self.inner.lock();
        let Inner { ready, keys: states, put_off, .. } = &mut *inner;
        let before = ready.len();
        for key in keys {
            match states.entry(key) {
                Entry::Vacant(entry) => {
                    ready.push_back(entry.key().clone());
                    entry.insert(State::Ready);
                }
                Entry::Occupied(mut entry) => match *entry.get() {
                    State::Ready | State::RunningAgain => {}
                    State::Running => {
                        entry.insert(State::RunningAgain);
                    }
                    State::PutOff(at, number) => {
                        put_off.remove(&(at, number));
                        ready.push_back(entry.key().clone());
                        entry.insert(State::Ready);
                    }
                },
            }
        }
        if ready.len() > before {
            self.ready.notify_one();
        }
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
