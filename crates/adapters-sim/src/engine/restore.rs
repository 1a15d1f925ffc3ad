//! Taking up the tasks of the process before.

use kecs_domain::Timestamp;
use kecs_domain::task::{DesiredStatus, TaskStatus};
use kecs_usecases::ports::Launch;

use super::Engine;
use crate::script::Script;
use crate::task::{Address, SimTask, address_of, had_place, instance_of, stopping_since};

impl Engine {
    /// Takes up `tasks` where their documents say they were, and does what has become due in the meantime. Tasks
    /// that are here already and those that are STOPPED are left alone. What comes of it is told by
    /// [`Engine::snapshot`]; only later changes are told as such.
    pub fn restore(&mut self, now: Timestamp, tasks: &[Launch]) {
        self.run_until(now);
        let first = self.next;
        for launch in tasks {
            if launch.task.status != TaskStatus::Stopped && self.number(&launch.task.key).is_none() {
                self.restore_task(launch);
            }
        }
        self.run_until(now);
        self.dirty.retain(|number| *number < first);
        self.tasks.range_mut(first..).for_each(|(_, task)| task.dirty = false);
    }

    fn restore_task(&mut self, launch: &Launch) {
        let (now, task) = (self.now, &*launch.task);
        let script = match self.known_script(launch) {
            Some(script) => script,
            None => self.add_script(launch, Script::compile_leniently(&launch.definition.doc)),
        };
        let mut restored = SimTask::new(launch, script, now.saturating_add(self.options.placement_delay));
        if had_place(task) {
            restored.take_up(task, now, &self.options);
            self.claim(&mut restored, launch);
        }
        if task.desired == DesiredStatus::Stopped {
            restored.begin_stop(stopping_since(task, now), &self.options);
        }
        let number = self.insert(restored);
        // What has become due by now is done at its own time; one that holds nothing is released at once.
        self.settle(number, stopping_since(task, now).min(now));
    }

    /// Takes what the task had: its address and its part of its instance.
    fn claim(&mut self, restored: &mut SimTask, launch: &Launch) {
        let (now, task) = (self.now, &*launch.task);
        if restored.has_interface() {
            let had = address_of(task);
            restored.address = match had {
                Some((ip, connected_at)) => Some(Address { ip, pooled: self.pool.claim(ip), connected_at }),
                None => self.pool.take(task.key.id).map(|ip| Address { ip, pooled: true, connected_at: now }),
            };
            restored.keep(task);
        }
        if restored.fargate {
            return;
        }
        restored.instance = instance_of(task);
        let node = self.nodes.iter_mut().find(|node| Some(node.id) == restored.instance && node.connected);
        match node {
            Some(node) => {
                restored.zone = Some(node.zone(task.key.cluster.scope.region()).into());
                if restored.host_ports.is_empty() {
                    // It had not told its ports yet.
                    restored.host_ports = node.ports_for(&restored.script.ports).unwrap_or_default();
                }
                node.claim(restored.demand, &restored.script.ports, &restored.host_ports);
            }
            None => {
                let reason = restored.instance.map_or_else(
                    || "The instance of the task is not known.".to_owned(),
                    |instance| self.terminated(instance),
                );
                restored.lose(now, reason);
            }
        }
    }
}
