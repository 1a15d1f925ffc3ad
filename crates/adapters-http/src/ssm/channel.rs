//! One session from its handshake to its end: which messages go out, and what those that come in mean. Pure: it is
//! told the time and the messages, and asked what is to be done.

use std::collections::VecDeque;
use std::time::Duration;

use kecs_domain::Timestamp;

use super::frame::{Frame, MessageType, PayloadType};
use super::incoming::{Incoming, Taken};
use super::outgoing::{Outgoing, millis};
use super::words;
use crate::edge::RequestId;

/// How long a client may take for the handshake.
const HANDSHAKE: Duration = Duration::from_secs(15);
/// ECS ends a session in which nothing happens for so long. (AWS documentation, ECS Exec)
const IDLE: Duration = Duration::from_secs(20 * 60);
/// How long the last output may wait for its acknowledgements.
const CLOSING: Duration = Duration::from_secs(30);
/// The flag with which a client ends its session.
const TERMINATE: [u8; 4] = [0, 0, 0, 2];

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Send this message.
    Send(Vec<u8>),
    /// Start the command.
    Begin,
    /// The user typed this.
    Input(Vec<u8>),
    /// The user's terminal has this many columns and rows.
    Resize(u16, u16),
    /// End the command: the user went, or did nothing for too long. The channel closes by itself.
    Terminate,
    /// It is over.
    End,
}

/// A session's channel.
#[derive(Debug)]
pub(super) struct Channel {
    session: String,
    phase: Phase,
    opened: Timestamp,
    active: Timestamp,
    incoming: Incoming,
    outgoing: Outgoing,
    events: VecDeque<Event>,
    /// Whether input can be worked on.
    room: bool,
    /// Whether the client asked for a pause.
    paused: bool,
}

#[derive(Debug, PartialEq)]
enum Phase {
    Handshake,
    Running,
    Closing { until: Timestamp, output: String, exit_code: Option<i32> },
    Over,
}

impl Channel {
    /// A channel whose token was good.
    pub(super) fn new(session: impl Into<String>, now: Timestamp) -> Self {
        let mut outgoing = Outgoing::new();
        let request = outgoing.message(now, PayloadType::HANDSHAKE_REQUEST, words::handshake_request());
        Self {
            session: session.into(),
            phase: Phase::Handshake,
            opened: now,
            active: now,
            incoming: Incoming::default(),
            outgoing,
            events: VecDeque::from([Event::Send(request)]),
            room: true,
            paused: false,
        }
    }

    /// A message has come. One that can't be read is as good as lost: it comes again if it matters.
    pub(super) fn receive(&mut self, now: Timestamp, bytes: &[u8]) {
        let frame = match Frame::decode(bytes) {
            Ok(frame) => frame,
            Err(cause) => return tracing::debug!(session = self.session, %cause, "a message was dropped"),
        };
        match frame.kind {
            MessageType::Input => {
                let acknowledgement = words::acknowledgement(&frame);
                if let Taken::Acknowledge(next) = self.incoming.take(frame, self.room) {
                    self.send(now, MessageType::Acknowledge, acknowledgement);
                    for frame in next {
                        self.input(now, frame);
                    }
                }
            }
            MessageType::Acknowledge => {
                if let Ok(content) = serde_json::from_slice::<words::Acknowledged>(&frame.payload) {
                    self.outgoing.acknowledged(now, content.sequence);
                }
            }
            MessageType::ChannelClosed => self.terminate(now, String::new()),
            MessageType::StartPublication => self.paused = false,
            MessageType::PausePublication => self.paused = true,
            // It goes the other way.
            MessageType::Output => {}
        }
    }

    fn input(&mut self, now: Timestamp, frame: Frame) {
        match (&self.phase, frame.payload_type) {
            (Phase::Closing { .. } | Phase::Over, _) => {}
            (Phase::Handshake, PayloadType::HANDSHAKE_RESPONSE) => self.greeted(now, &frame.payload),
            (_, PayloadType::OUTPUT) => {
                self.active = now;
                self.events.push_back(Event::Input(frame.payload));
            }
            (_, PayloadType::SIZE) => {
                if let Ok(size) = serde_json::from_slice::<words::Size>(&frame.payload) {
                    let side = |length: u32| u16::try_from(length).unwrap_or(u16::MAX);
                    self.events.push_back(Event::Resize(side(size.cols), side(size.rows)));
                }
            }
            (_, PayloadType::FLAG) if frame.payload == TERMINATE => self.terminate(now, String::new()),
            // Of ports, of encryption, of parameters: nothing that was asked for.
            _ => {}
        }
    }

    fn greeted(&mut self, now: Timestamp, response: &[u8]) {
        let refusal = match serde_json::from_slice::<words::HandshakeResponse>(response) {
            Ok(response) => response.refusal(),
            Err(cause) => Some(cause.to_string()),
        };
        if let Some(why) = refusal {
            return self.close(now, format!("The client can't open an interactive session: {why}"), None);
        }
        let took = now.duration_since(self.opened);
        let payload = words::handshake_complete(i64::try_from(took.as_millis()).unwrap_or(i64::MAX));
        let complete = self.outgoing.message(now, PayloadType::HANDSHAKE_COMPLETE, payload);
        self.phase = Phase::Running;
        self.events.extend([Event::Send(complete), Event::Begin]);
    }

    fn send(&mut self, now: Timestamp, kind: MessageType, payload: Vec<u8>) {
        let frame = Frame {
            kind,
            created: millis(now),
            sequence: 0,
            flags: 3,
            id: RequestId::next().bits(),
            payload_type: PayloadType::NONE,
            payload,
        };
        self.events.push_back(Event::Send(frame.encode()));
    }

    /// Says whether input can be worked on; the client is told of a change.
    pub(super) fn set_room(&mut self, now: Timestamp, room: bool) {
        if std::mem::replace(&mut self.room, room) != room {
            let kind = if room { MessageType::StartPublication } else { MessageType::PausePublication };
            self.send(now, kind, Vec::new());
        }
    }

    /// Whether the command's output is wanted now.
    pub(super) fn wants_output(&self) -> bool {
        self.phase == Phase::Running && self.outgoing.has_room()
    }

    /// The command has written this.
    pub(super) fn output(&mut self, now: Timestamp, bytes: &[u8]) {
        self.active = now;
        self.outgoing.push(bytes);
    }

    /// Ends the session as soon as all output has arrived. `output` is shown to the user, if there is any.
    pub(super) fn close(&mut self, now: Timestamp, output: String, exit_code: Option<i32>) {
        if matches!(self.phase, Phase::Handshake | Phase::Running) {
            let until = now.saturating_add(CLOSING);
            self.phase = Phase::Closing { until, output, exit_code };
        }
    }

    /// Ends the session at once.
    pub(super) fn terminate(&mut self, now: Timestamp, output: String) {
        if matches!(self.phase, Phase::Handshake | Phase::Running) {
            self.outgoing.discard();
            self.phase = Phase::Closing { until: now, output, exit_code: None };
            self.events.push_back(Event::Terminate);
        }
    }

    /// What is to be done next. None until something comes, or the deadline passes.
    pub(super) fn poll(&mut self, now: Timestamp) -> Option<Event> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        match &self.phase {
            Phase::Over => return None,
            Phase::Handshake if now >= self.opened.saturating_add(HANDSHAKE) => {
                let why = "Handshake timeout. Ensure that you have the latest version of the session manager plugin.";
                self.terminate(now, why.to_owned());
            }
            Phase::Running if now >= self.active.saturating_add(IDLE) => {
                self.terminate(now, "The session was idle for 20 minutes.".to_owned());
            }
            Phase::Handshake | Phase::Running if self.outgoing.is_lost(now) => {
                self.terminate(now, "The session's output was not received.".to_owned());
            }
            Phase::Closing { until, output, exit_code } if self.outgoing.is_done() || now >= *until => {
                let id = RequestId::next().bits();
                let payload = words::channel_closed(&self.session, id, now, output, *exit_code);
                self.send(now, MessageType::ChannelClosed, payload);
                self.phase = Phase::Over;
                self.events.push_back(Event::End);
            }
            _ => {}
        }
        if self.events.is_empty() && self.phase != Phase::Over && !self.paused {
            self.events.extend(self.outgoing.again(now).into_iter().map(Event::Send));
            while let Some(bytes) = self.outgoing.next(now) {
                self.events.push_back(Event::Send(bytes));
            }
        }
        self.events.pop_front()
    }

    /// When [`Channel::poll`] may have something though nothing has come.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let end = match &self.phase {
            Phase::Handshake => self.opened.saturating_add(HANDSHAKE),
            Phase::Running => self.active.saturating_add(IDLE),
            Phase::Closing { until, .. } => *until,
            Phase::Over => return None,
        };
        Some(self.outgoing.deadline().filter(|_| !self.paused).map_or(end, |due| due.min(end)))
    }
}

#[cfg(test)]
mod tests;
