//! What a value may be, when some writes of it were acknowledged, some are under way, and of some nobody knows.
//!
//! A write that ended before another one began that was acknowledged is over: its value must not be seen any more. All
//! others may have come last.

use std::fmt;

/// A value that is written by several callers.
#[derive(Clone, Debug)]
pub(crate) struct Register<V> {
    writes: Vec<Write<V>>,
}

#[derive(Clone, Debug)]
struct Write<V> {
    call: u64,
    value: V,
    begun: u64,
    ended: Option<u64>,
    acknowledged: bool,
}

impl<V: PartialEq + fmt::Debug> Register<V> {
    /// A register with a value that nobody doubts.
    pub(crate) fn new(value: V) -> Self {
        Self { writes: vec![Write { call: 0, value, begun: 0, ended: Some(0), acknowledged: true }] }
    }

    /// `call` begins to write `value`.
    pub(crate) fn begin(&mut self, call: u64, value: V, at: u64) {
        self.writes.push(Write { call, value, begun: at, ended: None, acknowledged: false });
    }

    /// The write of `call` was made.
    pub(crate) fn acknowledge(&mut self, call: u64, at: u64) {
        let Some(write) = self.writes.iter_mut().find(|write| write.call == call) else { return };
        write.acknowledged = true;
        write.ended.get_or_insert(at);
        let acknowledged = self.writes.iter().filter(|write| write.acknowledged);
        let over = acknowledged.map(|write| write.begun).max().unwrap_or(0);
        self.writes.retain(|write| write.ended.is_none_or(|ended| ended >= over));
    }

    /// The write of `call` was not made, and won't be.
    pub(crate) fn refuse(&mut self, call: u64) {
        self.writes.retain(|write| write.call != call);
    }

    /// Whether the write of `call` was made is not known, but it won't be made later.
    pub(crate) fn give_up(&mut self, call: u64, at: u64) {
        if let Some(write) = self.writes.iter_mut().find(|write| write.call == call) {
            write.ended.get_or_insert(at);
        }
    }

    /// Whether `value` may be seen.
    pub(crate) fn allows(&self, value: &V) -> bool {
        self.writes.iter().any(|write| write.value == *value)
    }
}

/// The values that may be seen.
impl<V: fmt::Debug> fmt::Display for Register<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.writes.iter().map(|write| &write.value)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledged_write_ends_what_was_before_it() {
        let mut register = Register::new('a');
        register.begin(1, 'b', 1);
        assert!(register.allows(&'a') && register.allows(&'b'));
        register.acknowledge(1, 2);
        assert!(!register.allows(&'a') && register.allows(&'b'));
    }

    #[test]
    fn writes_at_the_same_time_may_come_in_any_order() {
        let mut register = Register::new('a');
        register.begin(1, 'b', 1);
        register.begin(2, 'c', 2);
        register.acknowledge(1, 3);
        register.acknowledge(2, 4);
        assert!(register.allows(&'b') && register.allows(&'c') && !register.allows(&'a'));
    }

    #[test]
    fn what_nobody_knows_stays_possible_until_a_later_write_is_acknowledged() {
        let mut register = Register::new('a');
        register.begin(1, 'b', 1);
        register.give_up(1, 2);
        assert!(register.allows(&'a') && register.allows(&'b'));
        register.begin(2, 'c', 3);
        register.acknowledge(2, 4);
        assert!(register.allows(&'c') && !register.allows(&'a') && !register.allows(&'b'));
    }

    #[test]
    fn a_refused_write_never_was() {
        let mut register = Register::new('a');
        register.begin(1, 'b', 1);
        register.refuse(1);
        assert!(register.allows(&'a') && !register.allows(&'b'));
    }
}
