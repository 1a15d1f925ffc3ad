//! Faults of what tasks run on.

use std::sync::Arc;

use kecs_domain::task::{Task, TaskStatus};

use super::fault::Fault;
use super::setup::instances;
use super::world::World;

impl World {
    /// Breaks some tasks and nodes, as often as the history has it.
    pub(crate) fn break_tasks(&mut self) {
        for fault in [Fault::TaskCrash, Fault::TaskDeleted, Fault::Spot] {
            if self.shared.lock().happens(fault) {
                self.break_one(fault);
            }
        }
        if self.shared.lock().happens(Fault::NodeLoss) {
            self.break_node();
        }
    }

    fn break_one(&mut self, fault: Fault) {
        let tasks: Vec<Arc<Task>> = {
            let shared = self.shared.lock();
            let alive = shared.ledger.tasks.values().filter(|task| task.status <= TaskStatus::Running);
            alive.cloned().collect()
        };
        if tasks.is_empty() {
            return;
        }
        let task = Arc::clone(self.random.pick(&tasks));
        let orchestrator = &self.process.orchestrator;
        // The orchestrator may be behind or ahead of what is stored: a task that isn't there can't be broken.
        let broken = match fault {
            Fault::TaskDeleted => orchestrator.delete_task(&task.key),
            Fault::Spot => orchestrator.interrupt_spot(&task.key),
            _ => {
                let containers = task.doc.containers.as_deref().unwrap_or_default();
                let container = containers.first().and_then(|it| it.name.as_deref()).unwrap_or("main");
                orchestrator.crash_container(&task.key, container, 139)
            }
        };
        self.log(format_args!("  {fault:?} of {}: {broken:?}", task.key.id));
        if broken.is_ok() {
            self.shared.lock().ledger.reach(format!("{fault:?}"));
        }
    }

    fn break_node(&mut self) {
        let node = self.random.pick(&self.options.nodes).clone();
        let orchestrator = &self.process.orchestrator;
        let id = instances(orchestrator, &self.options).into_iter().find(|(name, _)| *name == node.name);
        let (what, broken) = match self.random.below(5) {
            0 => ("lost", orchestrator.lose_node(&node.name)),
            1 => ("drained", orchestrator.drain(&node.name)),
            2 => ("activated", orchestrator.activate(&node.name)),
            _ => ("added", orchestrator.add_node(node.clone())),
        };
        self.log(format_args!("  {} is {what}: {broken:?}", node.name));
        if broken.is_ok() {
            let mut shared = self.shared.lock();
            shared.ledger.reach(format!("a node is {what}"));
            if what == "lost" {
                shared.ledger.lost.extend(id.map(|(_, id)| id));
            }
        }
    }
}
