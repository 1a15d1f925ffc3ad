//! What waits to be observed: the latest state of each task that has changed, so that a slow observer holds up nobody
//! and costs at most one observation per task.

use std::collections::HashMap;
use std::task::Waker;

use kecs_domain::arn::TaskKey;
use kecs_domain::task::TaskObservation;

/// The observer's side of the simulation. There is one observer at a time.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Which observer is the present one. None before the first, and after the end.
    observer: Option<u64>,
    observers: u64,
    /// Whether the observer must see everything anew.
    snapshot: bool,
    changed: Vec<Option<TaskObservation>>,
    index: HashMap<TaskKey, usize>,
    waker: Option<Waker>,
}

/// What an observer gets.
#[derive(Debug, PartialEq)]
pub(crate) enum Delivery {
    /// A snapshot is due: the caller makes it.
    Snapshot,
    /// These have changed.
    Changed(Vec<TaskObservation>),
    /// Nothing yet.
    Nothing,
    /// Another observer has come, or the simulation is given up.
    End,
}

impl Outbox {
    /// Makes room for a new observer; the one before is done.
    pub(crate) fn subscribe(&mut self) -> u64 {
        self.observers += 1;
        self.observer = Some(self.observers);
        self.snapshot = true;
        self.clear();
        self.wake();
        self.observers
    }

    /// Ends the observer's stream for good.
    pub(crate) fn close(&mut self) {
        self.observer = None;
        self.clear();
        self.wake();
    }

    /// Adds what has changed. Nothing is kept for nobody: whoever comes later gets a snapshot.
    pub(crate) fn push(&mut self, changed: Vec<TaskObservation>) {
        if self.observer.is_none() || self.snapshot || changed.is_empty() {
            return;
        }
        for seen in changed {
            match self.index.get(&seen.key) {
                Some(slot) => self.changed[*slot] = Some(seen),
                None => {
                    self.index.insert(seen.key.clone(), self.changed.len());
                    self.changed.push(Some(seen));
                }
            }
        }
        self.wake();
    }

    /// Drops what waits to be told of a task that is forgotten.
    pub(crate) fn forget(&mut self, key: &TaskKey) {
        if let Some(slot) = self.index.remove(key) {
            self.changed[slot] = None;
        }
    }

    /// Whether `observer` is still the present one.
    pub(crate) fn is_for(&self, observer: u64) -> bool {
        self.observer == Some(observer)
    }

    /// What there is for `observer`, who is woken by `waker` when there is something later.
    pub(crate) fn take(&mut self, observer: u64, waker: &Waker) -> Delivery {
        if self.observer != Some(observer) {
            return Delivery::End;
        }
        if std::mem::take(&mut self.snapshot) {
            return Delivery::Snapshot;
        }
        self.index.clear();
        let changed: Vec<_> = self.changed.drain(..).flatten().collect();
        if changed.is_empty() {
            self.waker = Some(waker.clone());
            return Delivery::Nothing;
        }
        Delivery::Changed(changed)
    }

    fn clear(&mut self) {
        self.changed.clear();
        self.index.clear();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use kecs_domain::Scope;
    use kecs_domain::arn::ClusterKey;
    use kecs_domain::name::{ClusterName, TaskId};

    use super::*;

    fn seen(id: u128, placed: bool) -> TaskObservation {
        let cluster = ClusterKey::new(Scope::new("1", "r"), ClusterName::parse("c").unwrap());
        TaskObservation {
            placed,
            ..TaskObservation::accepted(TaskKey { cluster, id: TaskId::from_bits(id) })
        }
    }

    fn take(outbox: &mut Outbox, observer: u64) -> Delivery {
        outbox.take(observer, Waker::noop())
    }

    #[test]
    fn an_observer_gets_a_snapshot_first_and_then_the_latest_of_each_change() {
        let mut outbox = Outbox::default();
        outbox.push(vec![seen(1, false)]);
        let observer = outbox.subscribe();
        outbox.push(vec![seen(1, false)]);
        assert_eq!(take(&mut outbox, observer), Delivery::Snapshot);
        assert_eq!(take(&mut outbox, observer), Delivery::Nothing);
        outbox.push(vec![seen(1, false), seen(2, false)]);
        outbox.push(vec![seen(1, true)]);
        assert_eq!(take(&mut outbox, observer), Delivery::Changed(vec![seen(1, true), seen(2, false)]));
        assert_eq!(take(&mut outbox, observer), Delivery::Nothing);
    }

    #[test]
    fn a_forgotten_task_is_not_told_any_more() {
        let mut outbox = Outbox::default();
        let observer = outbox.subscribe();
        take(&mut outbox, observer);
        outbox.push(vec![seen(1, true), seen(2, true)]);
        outbox.forget(&seen(1, true).key);
        assert_eq!(take(&mut outbox, observer), Delivery::Changed(vec![seen(2, true)]));
    }

    #[test]
    fn the_next_observer_ends_the_one_before() {
        let mut outbox = Outbox::default();
        let first = outbox.subscribe();
        let second = outbox.subscribe();
        assert_eq!(take(&mut outbox, first), Delivery::End);
        assert_eq!(take(&mut outbox, second), Delivery::Snapshot);
        outbox.close();
        assert_eq!(take(&mut outbox, second), Delivery::End);
    }
}
