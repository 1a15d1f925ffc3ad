//! The task definitions that one call of a reconciler needs, each loaded once.

use std::collections::HashMap;
use std::sync::Arc;

use kecs_domain::arn::TaskDefinitionKey;
use kecs_domain::task_definition::TaskDefinition;

use crate::context::{Ports, Result};

/// Task definitions by key.
#[derive(Default)]
pub(super) struct Definitions {
    loaded: HashMap<TaskDefinitionKey, Option<Arc<TaskDefinition>>>,
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

    /// What was loaded before.
    pub(super) fn get(&self, key: &TaskDefinitionKey) -> Option<Arc<TaskDefinition>> {
        self.loaded.get(key).cloned().flatten()
    }
}
