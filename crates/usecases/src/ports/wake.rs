//! Hints to the driver of the reconcilers: something about this key may have to be done.

use std::fmt;

use kecs_domain::arn::{GatewayKey, ServiceKey, TaskKey};
use kecs_domain::daemon::DaemonKey;

/// What a reconciler works on. It is a reconciler's only input.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WakeKey {
    /// A task: launch it, stop it, or forget it.
    Task(TaskKey),
    /// A service: start and stop tasks.
    Service(ServiceKey),
    /// A gateway: carry out an update, and let go of clusters.
    Gateway(GatewayKey),
    /// A daemon: start and stop tasks.
    Daemon(DaemonKey),
}

impl fmt::Debug for WakeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(key) => write!(f, "task {}/{}", key.cluster.name, key.id),
            Self::Service(key) => write!(f, "service {}/{}", key.cluster.name, key.name),
            Self::Gateway(key) => write!(f, "gateway {}", key.name),
            Self::Daemon(key) => write!(f, "daemon {}/{}", key.cluster.name, key.name),
        }
    }
}

/// Takes hints. A hint may be lost or doubled: reconcilers are also called by a slow timer.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait Wake: Send + Sync {
    /// Asks for a call of the reconciler of each of `keys`, soon. MUST NOT block and MUST NOT fail: a hint that
    /// can't be kept may be dropped.
    fn wake(&self, keys: Vec<WakeKey>);
}
