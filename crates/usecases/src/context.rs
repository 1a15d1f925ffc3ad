//! What every use case has: the ports, who asks, and the two kinds of failure.

use std::future::Future;
use std::sync::Arc;

use kecs_domain::validate::{Validate, Violation};
use kecs_domain::{EcsError, ErrorCode, Scope};

use crate::exec::ExecSessions;
use crate::ports::{
    Clock, ClusterStore, IdGenerator, LogArchive, Logs, NoLogs, NoShell, Orchestrator, PortError,
    PortErrorKind, ResourceStore, ServiceStore, Shell, Store, TaskDefinitionStore, TaskStore, TokenStore,
    UnitOfWork, Wake,
};

/// Everything that the use cases need from outside. Cheap to clone.
#[derive(Clone)]
pub struct Ports {
    /// Reads clusters.
    pub clusters: Arc<dyn ClusterStore>,
    /// Reads task definitions.
    pub task_definitions: Arc<dyn TaskDefinitionStore>,
    /// Reads tasks.
    pub tasks: Arc<dyn TaskStore>,
    /// Reads services.
    pub services: Arc<dyn ServiceStore>,
    /// Reads idempotency tokens.
    pub tokens: Arc<dyn TokenStore>,
    /// Reads everything else that is kept.
    pub resources: Arc<dyn ResourceStore>,
    /// Saves all of these.
    pub unit_of_work: Arc<dyn UnitOfWork>,
    /// Runs tasks.
    pub orchestrator: Arc<dyn Orchestrator>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes identifiers.
    pub ids: Arc<dyn IdGenerator>,
    /// Takes hints for the reconcilers.
    pub wake: Arc<dyn Wake>,
    /// Runs commands in containers.
    pub shell: Arc<dyn Shell>,
    /// Reads what containers write.
    pub logs: Arc<dyn Logs>,
    /// Keeps what containers wrote that have ended.
    pub log_archive: Arc<dyn LogArchive>,
    /// The sessions of ECS Exec that were promised and aren't open yet.
    pub exec_sessions: Arc<ExecSessions>,
}

impl Ports {
    /// The ports with one store for everything, without a shell and without logs.
    pub fn new<S: Store + 'static>(
        store: Arc<S>,
        orchestrator: Arc<dyn Orchestrator>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
        wake: Arc<dyn Wake>,
    ) -> Self {
        Self {
            clusters: store.clone(),
            task_definitions: store.clone(),
            tasks: store.clone(),
            services: store.clone(),
            tokens: store.clone(),
            resources: store.clone(),
            unit_of_work: store,
            orchestrator,
            clock,
            ids,
            wake,
            shell: Arc::new(NoShell),
            logs: Arc::new(NoLogs),
            log_archive: Arc::new(NoLogs),
            exec_sessions: Arc::default(),
        }
    }

    /// These ports with a shell.
    #[must_use]
    pub fn with_shell(self, shell: Arc<dyn Shell>) -> Self {
        Self { shell, ..self }
    }

    /// These ports with logs, and a place to keep those of tasks that have ended.
    #[must_use]
    pub fn with_logs(self, logs: Arc<dyn Logs>, log_archive: Arc<dyn LogArchive>) -> Self {
        Self { logs, log_archive, ..self }
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The account and region that the request is for.
    pub scope: Scope,
    /// The caller's ARN, for `createdBy` and `registeredBy`.
    pub caller_arn: String,
}

impl Context {
    /// The root user of `scope`'s account.
    pub fn root(scope: Scope) -> Self {
        let caller_arn = format!("arn:{}:iam::{}:root", scope.partition(), scope.account());
        Self { scope, caller_arn }
    }
}

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The caller is told this.
    #[error(transparent)]
    Ecs(#[from] EcsError),
    /// Something behind a port failed: the caller is told a ServerException, the log the cause.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl Error {
    /// The error for the caller. What is internal stays out of it.
    pub fn external(&self) -> EcsError {
        match self {
            Self::Ecs(error) => error.clone(),
            Self::Port(_) => EcsError::server(),
        }
    }
}

/// The result of a use case.
pub type Result<T> = std::result::Result<T, Error>;

/// How often a use case loads again after somebody else changed what it read. Every lost race means that another
/// caller made progress, so this many in a row are only seen under absurd contention.
const ATTEMPTS: usize = 64;

/// Runs `attempt` until it doesn't meet a conflict. Each attempt must load what it decides on anew.
pub(crate) async fn retry_conflicts<T, F, Fut>(mut attempt: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    let mut last = PortError::conflict("no attempt was made");
    for _ in 0..ATTEMPTS {
        match attempt().await {
            Err(Error::Port(error)) if error.kind == PortErrorKind::Conflict => last = error,
            other => return other,
        }
    }
    Err(last.into())
}

/// Checks a request against the constraints of the API model, but for its tags: they are checked by
/// [`kecs_domain::tag`], which has ECS's words for the same.
pub(crate) fn check_model(request: &impl Validate) -> Result<()> {
    let of_tags = |violation: &&Violation| violation.path == "tags" || violation.path.starts_with("tags[");
    match request.violations().iter().find(|violation| !of_tags(violation)) {
        None => Ok(()),
        Some(violation) => Err(EcsError::new(ErrorCode::InvalidParameter, violation.to_string()).into()),
    }
}
