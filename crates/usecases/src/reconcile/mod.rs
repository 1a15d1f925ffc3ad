//! What makes the stored wishes come true.
//!
//! Level-triggered: a reconciler takes a key, loads what is stored, compares it with what should be, and does the
//! next step. Calling it twice, late, or after a crash in the middle comes out the same. It is driven by the caller:
//! [`Reconciler::start`] once, then [`Reconciler::reconcile`] for each woken key, [`Reconciler::observed`] for what
//! the orchestrator tells, and [`Reconciler::resync`] and [`Reconciler::sweep`] now and then.

mod daemon;
mod definitions;
mod deletions;
mod digests;
mod ends;
mod gateway;
mod held_back;
mod instances;
mod observe;
mod place;
mod service;
mod start;
mod sweep;
mod task;

use std::time::Duration;

use crate::context::{Ports, Result};
use crate::ports::WakeKey;

/// When a reconciler wants to be called again, though nothing else happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Next {
    /// After this long. None: only when woken.
    pub after: Option<Duration>,
}

/// Makes the stored wishes come true, over some ports.
#[derive(Clone, Copy)]
pub struct Reconciler<'a> {
    ports: &'a Ports,
}

impl<'a> Reconciler<'a> {
    pub(crate) fn new(ports: &'a Ports) -> Self {
        Self { ports }
    }

    /// Does the next step for `key`. At most one call for a key may be under way at a time; two would only make
    /// each other's commits conflict.
    ///
    /// # Errors
    /// A failure behind a port; try again later, after some time that grows.
    pub async fn reconcile(&self, key: &WakeKey) -> Result<Next> {
        match key {
            WakeKey::Task(key) => self.task(key).await,
            WakeKey::Service(key) => self.service(key).await,
            WakeKey::Gateway(key) => self.gateway(key).await,
            WakeKey::Daemon(key) => self.daemon(key).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_send<T: Send>(value: T) -> T {
        value
    }

    /// An embedder may drive the reconcilers from a runtime with several threads. Compiling this is the test.
    #[allow(dead_code, reason = "only compiled")]
    async fn every_future_can_move_between_threads(reconciler: Reconciler<'_>, key: WakeKey) -> Result<()> {
        is_send(reconciler.start()).await?;
        is_send(reconciler.reconcile(&key)).await?;
        is_send(reconciler.observed(&[])).await?;
        is_send(reconciler.resync()).await?;
        is_send(reconciler.sweep()).await?;
        Ok(())
    }
}
