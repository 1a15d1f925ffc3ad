//! Planted bugs: the simulation must find them, or it finds nothing.

/// A bug on purpose, in a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// UpdateService is acknowledged, but the service itself isn't saved.
    LoseUpdate,
    /// The token of RunTask isn't saved with the tasks.
    ForgetToken,
    /// The scheduler ends every task of a service when it ends one.
    IgnoreMinimum,
    /// The scheduler starts twice as many tasks as planned.
    Overshoot,
    /// Commits go through whatever was expected of what is stored.
    IgnoreVersions,
    /// The orchestrator never lets go of a task.
    NeverForget,
    /// Some observations are lost without a snapshot that makes up for them.
    LoseObservations,
    /// The scheduler of daemons starts each task twice.
    DaemonTwins,
    /// All tasks of a capacity provider strategy go to its first provider.
    IgnoreShares,
    /// An instance is set to DRAINING, and that isn't saved.
    LoseDrain,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::LoseUpdate,
        Self::ForgetToken,
        Self::IgnoreMinimum,
        Self::Overshoot,
        Self::IgnoreVersions,
        Self::NeverForget,
        Self::LoseObservations,
        Self::DaemonTwins,
        Self::IgnoreShares,
        Self::LoseDrain,
    ];
}
