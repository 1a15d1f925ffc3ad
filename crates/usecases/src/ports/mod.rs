//! The ports: what the use cases need from outside, in ECS's words.
//!
//! A duty that an implementation has is a sentence with MUST; each such sentence is a case of a contract suite in
//! the crate `kecs-testkit`.

pub mod clock;
pub mod error;
pub mod logs;
pub mod orchestrator;
pub mod shell;
pub mod store;
pub mod wake;

pub use clock::{Clock, IdGenerator};
pub use error::{PortError, PortErrorKind};
pub use logs::{KeptLog, LogArchive, LogLine, LogLines, LogQuery, Logs, NoLogs};
pub use orchestrator::{Instance, InstanceStatus, Launch, Observation, Orchestrator, Resources, StopOrder};
pub use shell::{Exec, Input, NoShell, Output, Process, Shell, TerminalSize};
pub use store::{
    Changes, ClusterStore, Entity, EntityKey, Expect, FamilyKey, FamilyQuery, ResourceQuery, ResourceStore,
    ServiceDeploymentQuery, ServiceQuery, ServiceStore, Store, TaskDefinitionQuery, TaskDefinitionStore,
    TaskQuery, TaskStore, TokenStore, UnitOfWork, Version, Versioned,
};
pub use wake::{Wake, WakeKey};

#[cfg(any(test, feature = "mocks"))]
pub use {
    clock::{MockClock, MockIdGenerator},
    logs::{MockLogArchive, MockLogs},
    orchestrator::MockOrchestrator,
    shell::MockShell,
    store::{
        MockClusterStore, MockResourceStore, MockServiceStore, MockTaskDefinitionStore, MockTaskStore,
        MockTokenStore, MockUnitOfWork,
    },
    wake::MockWake,
};
