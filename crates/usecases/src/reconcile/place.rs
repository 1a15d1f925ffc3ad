//! Tasks that wait for capacity: each gets its place when its capacity provider has one.
//!
//! Only providers whose capacity ECS itself sees to let tasks wait. Whoever brings new nodes, a cluster autoscaler or
//! a person, needs no word from here: a node is looked at when it's there.

use std::time::Duration;

use kecs_domain::arn::TaskKey;
use kecs_domain::placement::{Demand, demand_of, place};
use kecs_domain::task::Task;
use kecs_domain::task_definition::TaskDefinition;

use super::Reconciler;
use crate::capacity_provider;
use crate::context::{Result, retry_conflicts};
use crate::ports::{Changes, Versioned};
use crate::task::make::{candidates, expressions_of};

/// When to look for a place again, after none was found.
pub(super) const PLACE_AGAIN_AFTER: Duration = Duration::from_secs(5);

impl Reconciler<'_> {
    /// Looks for a place for a task that waits for capacity. Returns the task, if it waits no more: then it has its
    /// place, or it should end.
    pub(super) async fn give_place(
        &self,
        key: &TaskKey,
        definition: &TaskDefinition,
    ) -> Result<Option<Versioned<Task>>> {
        let waits = retry_conflicts(|| async {
            let Some(task) = self.load_task(key).await?.filter(|task| task.waits_for_capacity()) else {
                return Ok(false);
            };
            let Some(placed) = self.placed(&task, definition).await? else { return Ok(true) };
            let mut changes = Changes::new();
            changes.update(placed, task.version);
            self.ports.unit_of_work.commit(changes).await?;
            Ok(false)
        })
        .await?;
        if waits { Ok(None) } else { self.load_task(key).await }
    }

    /// The task in its place; None if there is none.
    async fn placed(&self, task: &Task, definition: &TaskDefinition) -> Result<Option<Task>> {
        let (ports, cluster) = (self.ports, &task.key.cluster);
        let name = task.doc.capacity_provider_name.as_deref().unwrap_or_default();
        let provider = capacity_provider::find(ports, &cluster.scope, name).await?;
        let mut demand = Demand {
            only: None,
            group: task.doc.group.clone().unwrap_or_default(),
            requires: definition.doc.requires_attributes.clone().unwrap_or_default(),
            amounts: demand_of(&definition.doc, task.doc.overrides.as_deref()),
            constraints: task.launch.placement_constraints.clone(),
            definition_expressions: expressions_of(definition),
            strategies: task.launch.placement_strategy.clone(),
        };
        let mut candidates = candidates(ports, cluster, task.service.as_ref(), &demand).await?;
        let instances = candidates.iter().map(|one| (one.id, one.attributes.as_slice()));
        demand.only = provider.map(|(provider, _)| provider.instances(instances));
        #[allow(clippy::cast_possible_truncation, reason = "any 64 of the bits will do")]
        let found = place(&mut candidates, &demand, ports.ids.bits() as u64);
        let found = found.ok().map(|index| &candidates[index]);
        let now = ports.clock.now();
        Ok(found.map(|instance| Task {
            by_agent: instance.by_agent,
            ..task.placed_on(instance.id, &instance.availability_zone, now)
        }))
    }
}
