//! The stream to the client: cut into messages, numbered, a bounded number of them under way, and each sent again
//! until it is acknowledged. Pure: it is told the time.

use std::collections::VecDeque;
use std::time::Duration;

use kecs_domain::Timestamp;

use super::frame::{Frame, MessageType, PayloadType};
use crate::edge::RequestId;

/// How many messages may be under way.
const WINDOW: usize = 128;
/// The longest piece of a stream in a message: as much as Amazon's own agent puts into one.
const PIECE: usize = 1024;
/// How much may wait to be put into messages before nothing more is taken.
const BUFFER: usize = 16 * 1024;
/// How many messages are sent again at a time.
const AGAIN_AT_A_TIME: usize = 16;
/// How long an acknowledgement is waited for at first, and at least.
const FIRST_TIMEOUT: Duration = Duration::from_millis(200);
/// The longest wait that round trips alone lead to.
const LONGEST_ROUND: Duration = Duration::from_secs(1);
/// The longest wait of all.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(5);
/// A client that lets a message be without an acknowledgement for so long is gone.
const PATIENCE: Duration = Duration::from_secs(300);

/// The stream.
#[derive(Debug)]
pub(super) struct Outgoing {
    next: i64,
    /// Bytes of the terminal that are in no message yet.
    bytes: VecDeque<u8>,
    /// In the order of their numbers.
    under_way: VecDeque<Sent>,
    round_trip: Duration,
    variation: Duration,
}

#[derive(Debug)]
struct Sent {
    sequence: i64,
    bytes: Vec<u8>,
    first: Timestamp,
    due: Timestamp,
    repeats: u32,
}

impl Outgoing {
    pub(super) fn new() -> Self {
        Self {
            next: 0,
            bytes: VecDeque::new(),
            under_way: VecDeque::new(),
            round_trip: Duration::from_millis(100),
            variation: Duration::ZERO,
        }
    }

    /// Whether it takes more bytes.
    pub(super) fn has_room(&self) -> bool {
        self.bytes.len() < BUFFER
    }

    /// Takes bytes of the terminal.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// Whether everything is acknowledged.
    pub(super) fn is_done(&self) -> bool {
        self.bytes.is_empty() && self.under_way.is_empty()
    }

    /// Forgets what isn't sent yet.
    pub(super) fn discard(&mut self) {
        self.bytes.clear();
    }

    /// A message that isn't of the terminal. There are two of them, so they don't count against the window.
    pub(super) fn message(&mut self, now: Timestamp, kind: PayloadType, payload: Vec<u8>) -> Vec<u8> {
        let sequence = self.next;
        self.next += 1;
        let frame = Frame {
            kind: MessageType::Output,
            created: millis(now),
            sequence,
            flags: u64::from(sequence == 0),
            id: RequestId::next().bits(),
            payload_type: kind,
            payload,
        };
        let bytes = frame.encode();
        let due = now.saturating_add(self.timeout(0));
        self.under_way.push_back(Sent { sequence, bytes: bytes.clone(), first: now, due, repeats: 0 });
        bytes
    }

    /// The next message of the terminal, if there are bytes for one and the window is open.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<Vec<u8>> {
        if self.bytes.is_empty() || self.under_way.len() >= WINDOW {
            return None;
        }
        let length = self.piece();
        let piece = self.bytes.drain(..length).collect();
        Some(self.message(now, PayloadType::OUTPUT, piece))
    }

    /// The length of the next piece. A character is not torn apart where more than one piece is there, as some clients
    /// decode each by itself.
    fn piece(&self) -> usize {
        if self.bytes.len() <= PIECE {
            return self.bytes.len();
        }
        let continues = |at: usize| self.bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
        (PIECE - 3..=PIECE).rev().find(|at| !continues(*at)).unwrap_or(PIECE)
    }

    /// Notes that a message has come.
    pub(super) fn acknowledged(&mut self, now: Timestamp, sequence: i64) {
        let Ok(place) = self.under_way.binary_search_by_key(&sequence, |sent| sent.sequence) else { return };
        let Some(sent) = self.under_way.remove(place) else { return };
        if sent.repeats > 0 {
            // Which of the copies this is for isn't known.
            return;
        }
        let took = now.duration_since(sent.first);
        self.variation = self.variation * 3 / 4 + self.round_trip.abs_diff(took) / 4;
        self.round_trip = self.round_trip * 7 / 8 + took / 8;
    }

    /// How long to wait for an acknowledgement of a message that was sent again so often: twice as long each time.
    fn timeout(&self, repeats: u32) -> Duration {
        let round = self.round_trip + self.variation * 4;
        round.clamp(FIRST_TIMEOUT, LONGEST_ROUND).saturating_mul(1 << repeats.min(8)).min(LONGEST_TIMEOUT)
    }

    /// What must be sent again now.
    pub(super) fn again(&mut self, now: Timestamp) -> Vec<Vec<u8>> {
        let mut again = Vec::new();
        for place in 0..self.under_way.len() {
            if again.len() == AGAIN_AT_A_TIME {
                break;
            }
            let Some(repeats) =
                self.under_way.get(place).filter(|sent| sent.due <= now).map(|sent| sent.repeats + 1)
            else {
                continue;
            };
            let due = now.saturating_add(self.timeout(repeats));
            if let Some(sent) = self.under_way.get_mut(place) {
                (sent.repeats, sent.due) = (repeats, due);
                again.push(sent.bytes.clone());
            }
        }
        again
    }

    /// When [`Outgoing::again`] has something.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.under_way.iter().map(|sent| sent.due).min()
    }

    /// Whether the client is to be given up.
    pub(super) fn is_lost(&self, now: Timestamp) -> bool {
        self.under_way.front().is_some_and(|sent| now.duration_since(sent.first) >= PATIENCE)
    }
}

/// A time as a message has it. Our times are after 1970.
pub(super) fn millis(now: Timestamp) -> u64 {
    u64::try_from(now.as_millis()).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn sequence(bytes: &[u8]) -> i64 {
        Frame::decode(bytes).unwrap().sequence
    }

    #[test]
    fn a_stream_is_cut_into_pieces_that_together_are_the_stream() {
        let mut outgoing = Outgoing::new();
        let text = "äöü€𝄞x".repeat(1000);
        outgoing.push(text.as_bytes());
        let mut joined = String::new();
        while let Some(bytes) = outgoing.next(at(1)) {
            let frame = Frame::decode(&bytes).unwrap();
            assert!(frame.payload.len() <= PIECE);
            // Each piece is text by itself.
            joined.push_str(std::str::from_utf8(&frame.payload).unwrap());
            outgoing.acknowledged(at(2), frame.sequence);
        }
        assert_eq!(joined, text);
        assert!(outgoing.is_done());
    }

    #[test]
    fn bytes_that_are_no_text_are_cut_too() {
        let mut outgoing = Outgoing::new();
        outgoing.push(&[0x80; 3000]);
        let lengths: Vec<_> = std::iter::from_fn(|| outgoing.next(at(1)))
            .map(|bytes| Frame::decode(&bytes).unwrap().payload.len())
            .collect();
        assert_eq!(lengths, [1024, 1024, 952]);
    }

    #[test]
    fn the_window_closes_and_opens() {
        let mut outgoing = Outgoing::new();
        outgoing.push(&vec![b'x'; PIECE * (WINDOW + 1)]);
        assert!(!outgoing.has_room());
        let sent = std::iter::from_fn(|| outgoing.next(at(1))).count();
        assert_eq!(sent, WINDOW);
        outgoing.acknowledged(at(2), 5);
        assert_eq!(outgoing.next(at(2)).map(|bytes| sequence(&bytes)), Some(128));
        assert!(outgoing.next(at(2)).is_none());
    }

    #[test]
    fn what_is_not_acknowledged_is_sent_again_after_longer_and_longer_pauses() {
        let mut outgoing = Outgoing::new();
        outgoing.push(b"x");
        let first = outgoing.next(at(0)).unwrap();
        let mut times = Vec::new();
        for now in 0..20_000 {
            for bytes in outgoing.again(at(now)) {
                assert_eq!(bytes, first);
                times.push(now);
            }
        }
        assert_eq!(times, [200, 600, 1400, 3000, 6200, 11200, 16200]);
        assert!(!outgoing.is_lost(at(299_999)));
        assert!(outgoing.is_lost(at(300_000)));
        outgoing.acknowledged(at(20_000), 0);
        assert!(outgoing.is_done() && outgoing.again(at(90_000)).is_empty() && outgoing.deadline().is_none());
    }

    #[test]
    fn only_what_is_missing_is_sent_again() {
        let mut outgoing = Outgoing::new();
        outgoing.push(&[b'x'; PIECE * 5]);
        while outgoing.next(at(0)).is_some() {}
        for sequence in [0, 2, 3, 3, 99, -1] {
            outgoing.acknowledged(at(10), sequence);
        }
        let again: Vec<_> = outgoing.again(at(200)).iter().map(|bytes| sequence(bytes)).collect();
        assert_eq!(again, [1, 4]);
    }

    #[test]
    fn slow_round_trips_make_it_wait_longer() {
        let mut outgoing = Outgoing::new();
        for n in 0..50 {
            outgoing.push(b"x");
            let now = n * 1000;
            let bytes = outgoing.next(at(now)).unwrap();
            outgoing.acknowledged(at(now + 700), sequence(&bytes));
        }
        let timeout = outgoing.timeout(0);
        assert!(timeout > Duration::from_millis(650) && timeout <= LONGEST_ROUND, "{timeout:?}");
    }
}
