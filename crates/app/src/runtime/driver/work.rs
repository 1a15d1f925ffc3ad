//! What the driver drives, as a trait, so that the driver can be tested without ECS behind it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use kecs_usecases::ports::{Observation, PortError, WakeKey};
use kecs_usecases::{Ecs, Error};

/// The work of the reconcilers.
#[async_trait]
pub trait Work: Send + Sync + 'static {
    /// Looks at a key and does what has to be done. The answer is when to look again though nobody wakes it.
    async fn reconcile(&self, key: &WakeKey) -> Result<Option<Duration>, Error>;

    /// Stores what was observed.
    async fn observed(&self, batch: &[Observation]) -> Result<(), Error>;

    /// Wakes everything that isn't at rest.
    async fn resync(&self) -> Result<(), Error>;

    /// Removes some of what is old enough. The answer is whether there may be more.
    async fn sweep(&self) -> Result<bool, Error>;
}

/// The same, with a panic as an error: it is a defect in one place, with one thing. Everything else has to go on.
pub(super) async fn caught<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let panic = PortError::permanent("a panic, which is a defect of kecs");
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| Err(panic.into()))
}

#[async_trait]
impl Work for Ecs {
    async fn reconcile(&self, key: &WakeKey) -> Result<Option<Duration>, Error> {
        self.reconciler().reconcile(key).await.map(|next| next.after)
    }

    async fn observed(&self, batch: &[Observation]) -> Result<(), Error> {
        self.reconciler().observed(batch).await
    }

    async fn resync(&self) -> Result<(), Error> {
        self.reconciler().resync().await
    }

    async fn sweep(&self) -> Result<bool, Error> {
        self.reconciler().sweep().await
    }
}
