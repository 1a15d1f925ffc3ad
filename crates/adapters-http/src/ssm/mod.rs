//! The Session Manager protocol, which Amazon's plugin and its like speak for `aws ecs execute-command`: a terminal
//! over a WebSocket, in numbered messages that both sides acknowledge.
//!
//! [`frame`] and [`words`] are the messages, [`channel`] is the state machine; neither does I/O. [`session`] lets a
//! socket and a command talk through them.

mod channel;
mod frame;
mod incoming;
mod outgoing;
mod session;
mod words;

pub(crate) use session::serve;
