//! The stream from the client, put in order: what comes early waits, what comes twice is only acknowledged again.

use std::collections::BTreeMap;

use super::frame::Frame;

/// How many messages may wait for one before them.
const MOST_EARLY: usize = 1024;
/// How many bytes these may have.
const MOST_BYTES: usize = 1 << 20;

/// The stream.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    expected: i64,
    early: BTreeMap<i64, Frame>,
    bytes: usize,
}

/// What becomes of a message.
#[derive(Debug, PartialEq)]
pub(super) enum Taken {
    /// It is to be acknowledged, and these are next, in order.
    Acknowledge(Vec<Frame>),
    /// There is no room for it: the client sends it again.
    NoRoom,
}

impl Incoming {
    /// Takes a message; `room` says whether anything can be done with it now.
    pub(super) fn take(&mut self, frame: Frame, room: bool) -> Taken {
        if frame.sequence < self.expected || self.early.contains_key(&frame.sequence) {
            // The acknowledgement was lost.
            return Taken::Acknowledge(Vec::new());
        }
        if frame.sequence > self.expected {
            let more = self.bytes + frame.payload.len();
            if self.early.len() >= MOST_EARLY || more > MOST_BYTES {
                return Taken::NoRoom;
            }
            self.bytes = more;
            self.early.insert(frame.sequence, frame);
            return Taken::Acknowledge(Vec::new());
        }
        if !room {
            return Taken::NoRoom;
        }
        self.expected += 1;
        let mut next = vec![frame];
        while let Some(frame) = self.early.remove(&self.expected) {
            self.bytes -= frame.payload.len();
            self.expected += 1;
            next.push(frame);
        }
        Taken::Acknowledge(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssm::frame::{MessageType, PayloadType};

    fn frame(sequence: i64) -> Frame {
        Frame {
            kind: MessageType::Input,
            created: 1,
            sequence,
            flags: 0,
            id: 1,
            payload_type: PayloadType::OUTPUT,
            payload: vec![0; 1024],
        }
    }

    fn numbers(taken: Taken) -> Option<Vec<i64>> {
        match taken {
            Taken::Acknowledge(frames) => Some(frames.iter().map(|frame| frame.sequence).collect()),
            Taken::NoRoom => None,
        }
    }

    #[test]
    fn messages_come_out_in_order_and_once() {
        let mut incoming = Incoming::default();
        let mut out = Vec::new();
        for sequence in [1, 0, 0, 3, 3, 5, 2, 1, 4, 4] {
            out.extend(numbers(incoming.take(frame(sequence), true)).expect("room"));
        }
        assert_eq!(out, [0, 1, 2, 3, 4, 5]);
        assert_eq!(incoming.bytes, 0);
    }

    #[test]
    fn without_room_the_next_message_is_not_acknowledged() {
        let mut incoming = Incoming::default();
        assert_eq!(numbers(incoming.take(frame(0), false)), None);
        assert_eq!(numbers(incoming.take(frame(1), false)), Some(vec![]));
        assert_eq!(numbers(incoming.take(frame(0), true)), Some(vec![0, 1]));
        assert_eq!(numbers(incoming.take(frame(0), false)), Some(vec![]), "a repeat needs no room");
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut incoming = Incoming::default();
        let taken = (1..5000).filter(|n| numbers(incoming.take(frame(*n), true)).is_some()).count();
        assert_eq!(taken, 1024);
        // The one that all wait for always has room.
        assert_eq!(numbers(incoming.take(frame(0), true)).map(|all| all.len()), Some(1025));
    }
}
