//! The task definitions that one call of a reconciler needs, each loaded once.

use std::collections::HashMap;
use std::sync::Arc;

use kecs_domain::arn::TaskDefinitionKey;
use kecs_domain::daemon::DaemonTaskDefinition;
use kecs_domain::task::Task;
use kecs_domain::task_definition::TaskDefinition;

use crate::context::{Ports, Result};
use crate::daemon_task_definition::find;

/// Task definitions by key, and what tasks of daemons are made of by the key of the daemon task definition.
#[derive(Default)]
pub(super) struct Definitions {
    loaded: HashMap<TaskDefinitionKey, Option<Arc<TaskDefinition>>>,
    of_daemons: HashMap<TaskDefinitionKey, Option<(Arc<TaskDefinition>, bool)>>,
}

impl Definitions {
    /// Loads `key` unless it is there already.
    pub(super) async fn load(
        &mut self,
        ports: &Ports,
        key: &TaskDefinitionKey,
    ) -> Result<Option<Arc<TaskDefinition>>> {
        if let Some(known) = self.loaded.get(key) {
            return Ok(known.clone());
        }
        let found = ports.task_definitions.task_definition(key).await?.map(|found| found.value);
        self.loaded.insert(key.clone(), found.clone());
        Ok(found)
    }

    /// Loads what a task is made of, unless it is there already.
    pub(super) async fn load_of(
        &mut self,
        ports: &Ports,
        task: &Task,
    ) -> Result<Option<Arc<TaskDefinition>>> {
        if task.daemon.is_none() {
            return self.load(ports, &task.definition).await;
        }
        if !self.of_daemons.contains_key(&task.definition) {
            let found = find(ports, &task.definition).await?;
            let found = found.map(|(found, _): (DaemonTaskDefinition, _)| {
                (Arc::new(found.working_copy()), found.has_health_check())
            });
            self.of_daemons.insert(task.definition.clone(), found);
        }
        Ok(self.of(task))
    }

    /// What was loaded before.
    pub(super) fn get(&self, key: &TaskDefinitionKey) -> Option<Arc<TaskDefinition>> {
        self.loaded.get(key).cloned().flatten()
    }

    /// What was loaded before for a task.
    pub(super) fn of(&self, task: &Task) -> Option<Arc<TaskDefinition>> {
        match task.daemon {
            None => self.get(&task.definition),
            Some(_) => {
                self.of_daemons.get(&task.definition)?.as_ref().map(|(definition, _)| Arc::clone(definition))
            }
        }
    }

    /// Whether a daemon's task has a health check that matters.
    pub(super) fn is_checked(&self, task: &Task) -> bool {
        let found = self.of_daemons.get(&task.definition).and_then(Option::as_ref);
        found.is_some_and(|(_, checked)| *checked)
    }
}

/// What a task is made of, if that is still known.
pub(super) async fn definition_of(ports: &Ports, task: &Task) -> Result<Option<Arc<TaskDefinition>>> {
    Definitions::default().load_of(ports, task).await
}
