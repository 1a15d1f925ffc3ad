//! The states of a task, and which may follow which.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `lastStatus`, in the order of a task's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TaskStatus {
    /// Made; its place and its network are being prepared.
    Provisioning,
    /// Placed; images are being pulled.
    Pending,
    /// Containers are made; the last steps before RUNNING.
    Activating,
    /// Every container that should run does.
    Running,
    /// On its way out: being taken out of load balancers and service discovery.
    Deactivating,
    /// Containers are told to stop.
    Stopping,
    /// Containers have stopped; its network is being released.
    Deprovisioning,
    /// The end.
    Stopped,
}

impl TaskStatus {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Provisioning,
        Self::Pending,
        Self::Activating,
        Self::Running,
        Self::Deactivating,
        Self::Stopping,
        Self::Deprovisioning,
        Self::Stopped,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Activating => "ACTIVATING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopping => "STOPPING",
            Self::Deprovisioning => "DEPROVISIONING",
            Self::Stopped => "STOPPED",
        }
    }

    /// Whether the task is still on its way to RUNNING.
    pub fn is_pending(self) -> bool {
        self < Self::Running
    }

    /// Whether `next` may directly follow. A task goes forwards only; one that never ran skips what only a
    /// running task has to do.
    pub const fn may_become(self, next: Self) -> bool {
        use TaskStatus::{
            Activating, Deactivating, Deprovisioning, Pending, Provisioning, Running, Stopped, Stopping,
        };
        matches!(
            (self, next),
            (Provisioning, Pending | Deprovisioning)
                | (Pending, Activating | Stopping | Deprovisioning)
                | (Activating, Running | Stopping | Deprovisioning)
                | (Running, Deactivating)
                | (Deactivating, Stopping)
                | (Stopping, Deprovisioning)
                | (Deprovisioning, Stopped)
        )
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `desiredStatus`: where the task should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DesiredStatus {
    /// It should run.
    Running,
    /// It should end.
    Stopped,
}

impl DesiredStatus {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Stopped => "STOPPED",
        }
    }
}
