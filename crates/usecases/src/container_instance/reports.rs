//! What the three Submit operations share: a report about a task, and what follows from it.

use kecs_domain::EcsError;
use kecs_domain::arn::{ClusterKey, task_ref};
use kecs_domain::model;
use kecs_domain::task::Task;

use super::ContainerInstances;
use super::deregister::concerned;
use crate::context::{Result, retry_conflicts};
use crate::ports::Changes;

/// `acknowledgment`
pub(super) const ACK: &str = "ACK";

impl ContainerInstances<'_> {
    /// Lets `decide` draw the conclusions from a report about a task, and saves them. Only an instance's own agent is
    /// believed: what the orchestrator runs, it observes itself, so a report about that is acknowledged and changes
    /// nothing, as one that comes too late.
    pub(super) async fn report<D>(&self, cluster: &ClusterKey, named: Option<&str>, decide: D) -> Result<()>
    where
        D: Fn(&Task, &model::TaskDefinition) -> std::result::Result<Option<Task>, EcsError>,
    {
        let named = named.filter(|named| !named.is_empty());
        let named = named.ok_or_else(|| EcsError::invalid_parameter("task can not be empty."))?;
        let key = task_ref(cluster, named)?;
        let woken = retry_conflicts(|| async {
            let found = self.ports.tasks.tasks(std::slice::from_ref(&key)).await?.pop().flatten();
            let found =
                found.ok_or_else(|| EcsError::invalid_parameter("The referenced task was not found."))?;
            let definition = self.ports.task_definitions.task_definition(&found.definition).await?;
            let doc = definition.map(|definition| definition.doc.clone()).unwrap_or_default();
            let next = decide(&found, &doc)?;
            let Some(next) = next.filter(|_| found.by_agent) else { return Ok(Vec::new()) };
            let woken = concerned(&next);
            let mut changes = Changes::new();
            changes.update(next, found.version);
            self.ports.unit_of_work.commit(changes).await?;
            Ok(woken)
        })
        .await?;
        self.ports.wake.wake(woken);
        Ok(())
    }
}

/// Checks that a container is one of the task's.
///
/// # Errors
/// `InvalidParameterException` that names it.
pub(super) fn check_container(task: &Task, name: &str) -> std::result::Result<(), EcsError> {
    if task.doc.containers.iter().flatten().any(|container| container.name.as_deref() == Some(name)) {
        return Ok(());
    }
    Err(EcsError::invalid_parameter(format!("Container '{name}' is not a container of the task.")))
}
