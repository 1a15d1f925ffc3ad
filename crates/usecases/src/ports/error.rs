//! What can go wrong behind a port, by what the caller can do about it.

use std::borrow::Cow;

/// What a caller can do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortErrorKind {
    /// The thing isn't there.
    NotFound,
    /// Somebody else changed it first: load again and decide anew.
    Conflict,
    /// It may work if tried again.
    Transient,
    /// It won't work, however often it is tried.
    Permanent,
}

/// A failure behind a port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PortError {
    /// What the caller can do about it.
    pub kind: PortErrorKind,
    /// The cause, for the log. Not shown to a client of the API, but for the orchestrator's permanent refusals of a
    /// cluster or a task: those MUST be written for whoever asked for it.
    pub message: Cow<'static, str>,
}

impl PortError {
    /// An error of `kind`.
    pub fn new(kind: PortErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into() }
    }

    /// [`PortErrorKind::NotFound`]
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(PortErrorKind::NotFound, message)
    }

    /// [`PortErrorKind::Conflict`]
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(PortErrorKind::Conflict, message)
    }

    /// [`PortErrorKind::Transient`]
    pub fn transient(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(PortErrorKind::Transient, message)
    }

    /// [`PortErrorKind::Permanent`]
    pub fn permanent(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(PortErrorKind::Permanent, message)
    }

    /// Whether the caller should load again and decide anew.
    pub fn is_conflict(&self) -> bool {
        self.kind == PortErrorKind::Conflict
    }
}
