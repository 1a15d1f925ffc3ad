//! Faults on demand: for tests, and for those who want to see what their deployment does when a node dies.

use kecs_domain::Timestamp;
use kecs_domain::arn::TaskKey;
use kecs_domain::task::TaskFailure;

use crate::engine::Engine;
use crate::ids;
use crate::node::Node;
use crate::options::{BadOptions, NodeSpec};
use crate::task::State;

/// A fault that can't be brought about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No node has that name.
    #[error("there is no node '{0}'")]
    UnknownNode(String),
    /// A node has that name already, and answers.
    #[error("there is a node '{0}' already")]
    NodeExists(String),
    /// Such a node can't be.
    #[error(transparent)]
    BadNode(#[from] BadOptions),
    /// The task isn't here.
    #[error("there is no task {0}")]
    UnknownTask(String),
    /// The task has no such container.
    #[error("the task has no container '{0}'")]
    UnknownContainer(String),
    /// The container doesn't run.
    #[error("the container '{0}' does not run")]
    NotRunning(String),
}

impl Engine {
    /// The node stops answering, and every task on it is lost.
    ///
    /// # Errors
    /// [`FaultError::UnknownNode`]
    pub fn lose_node(&mut self, now: Timestamp, name: &str) -> Result<(), FaultError> {
        self.run_until(now);
        let node = self.node(name)?;
        node.connected = false;
        let id = node.id;
        let reason = self.terminated(id);
        let on_it = self.tasks.iter().filter(|(_, task)| task.placed && task.instance == Some(id));
        let on_it: Vec<_> = on_it.map(|(number, _)| *number).collect();
        for number in on_it {
            self.change(number, |task, now, _| task.lose(now, reason.clone()));
        }
        Ok(())
    }

    /// Adds a node, or brings a lost one back with new properties.
    ///
    /// # Errors
    /// [`FaultError::NodeExists`], [`FaultError::BadNode`]
    pub fn add_node(&mut self, now: Timestamp, spec: NodeSpec) -> Result<(), FaultError> {
        spec.check()?;
        self.run_until(now);
        match self.nodes.iter_mut().find(|node| node.spec.name == spec.name) {
            Some(node) if node.connected => return Err(FaultError::NodeExists(spec.name)),
            // Its tasks were lost with it and hold nothing any more.
            Some(node) => *node = Node::new(spec),
            None => self.nodes.push(Node::new(spec)),
        }
        self.retry_waiting();
        Ok(())
    }

    /// The node is DRAINING: what runs on it goes on, new tasks don't come.
    ///
    /// # Errors
    /// [`FaultError::UnknownNode`]
    pub fn drain(&mut self, now: Timestamp, name: &str) -> Result<(), FaultError> {
        self.run_until(now);
        self.node(name)?.draining = true;
        Ok(())
    }

    /// The node is ACTIVE again after [`Engine::drain`].
    ///
    /// # Errors
    /// [`FaultError::UnknownNode`]
    pub fn activate(&mut self, now: Timestamp, name: &str) -> Result<(), FaultError> {
        self.run_until(now);
        self.node(name)?.draining = false;
        self.retry_waiting();
        Ok(())
    }

    /// Somebody else deletes the task: it stops in an orderly way, but nobody asked for that.
    ///
    /// # Errors
    /// [`FaultError::UnknownTask`]
    pub fn delete_task(&mut self, now: Timestamp, key: &TaskKey) -> Result<(), FaultError> {
        let reason = "The task was deleted at its orchestrator.".to_owned();
        self.end(now, key, TaskFailure::Lost { reason })
    }

    /// The task's Spot capacity is taken back: its containers get SIGTERM.
    ///
    /// # Errors
    /// [`FaultError::UnknownTask`]
    pub fn interrupt_spot(&mut self, now: Timestamp, key: &TaskKey) -> Result<(), FaultError> {
        self.end(now, key, TaskFailure::SpotInterruption)
    }

    /// A container that runs ends at once with `exit_code`. Its restart policy holds.
    ///
    /// # Errors
    /// [`FaultError::UnknownTask`], [`FaultError::UnknownContainer`], [`FaultError::NotRunning`]
    pub fn crash_container(
        &mut self,
        now: Timestamp,
        key: &TaskKey,
        container: &str,
        exit_code: i32,
    ) -> Result<(), FaultError> {
        let number = self.task(now, key)?;
        let task = &self.tasks[&number];
        let index =
            task.script.index(container).ok_or_else(|| FaultError::UnknownContainer(container.to_owned()))?;
        if task.containers[index].state != State::Running {
            return Err(FaultError::NotRunning(container.to_owned()));
        }
        self.change(number, |task, now, _| task.exit(index, now, exit_code, None));
        Ok(())
    }

    fn end(&mut self, now: Timestamp, key: &TaskKey, failure: TaskFailure) -> Result<(), FaultError> {
        let number = self.task(now, key)?;
        self.change(number, |task, now, options| task.end_because(now, failure, options));
        Ok(())
    }

    fn task(&mut self, now: Timestamp, key: &TaskKey) -> Result<u64, FaultError> {
        self.find(now, key).ok_or_else(|| FaultError::UnknownTask(key.arn()))
    }

    fn node(&mut self, name: &str) -> Result<&mut Node, FaultError> {
        let id = ids::node(name);
        self.nodes
            .iter_mut()
            .find(|node| node.id == id)
            .ok_or_else(|| FaultError::UnknownNode(name.to_owned()))
    }
}
