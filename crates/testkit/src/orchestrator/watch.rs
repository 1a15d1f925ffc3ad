//! What a harness sees of its orchestrator: the latest observation of each task, checked as it comes.

use std::collections::{BTreeMap, HashSet};

use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use kecs_domain::arn::TaskKey;
use kecs_domain::task::{ContainerObservation, ContainerState, TaskObservation};
use kecs_usecases::ports::{Observation, Orchestrator};

use super::invariants;

/// The latest observation of each task.
#[derive(Clone, Debug, Default)]
pub struct Latest {
    tasks: BTreeMap<TaskKey, TaskObservation>,
    snapshots: usize,
    violations: Vec<String>,
}

impl Latest {
    /// Takes in an observation.
    pub fn apply(&mut self, observation: Observation) {
        match observation {
            Observation::Snapshot(all) => {
                self.snapshots += 1;
                let all: HashSet<_> = all.into_iter().collect();
                self.tasks.retain(|key, _| all.contains(key));
            }
            Observation::Instances => {}
            Observation::Changed(changed) => {
                if self.snapshots == 0 {
                    self.violations.push("a change came before the first snapshot".to_owned());
                }
                for seen in changed {
                    self.take(self.tasks.get(&seen.key).cloned().as_ref(), seen);
                }
            }
        }
    }

    fn take(&mut self, before: Option<&TaskObservation>, seen: TaskObservation) {
        let check =
            before.map_or_else(|| invariants::check(&seen), |before| invariants::check_next(before, &seen));
        if let Err(wrong) = check {
            self.violations.push(format!("task {}: {wrong}", seen.key.id));
        }
        self.tasks.insert(seen.key.clone(), seen);
    }

    /// The task, if it was observed.
    pub fn task(&self, key: &TaskKey) -> Option<&TaskObservation> {
        self.tasks.get(key)
    }

    /// A container of the task, if it was observed.
    pub fn container(&self, key: &TaskKey, name: &str) -> Option<&ContainerObservation> {
        self.task(key)?.containers.iter().find(|it| it.name == name)
    }

    /// Whether the container was seen in this state.
    pub fn is(&self, key: &TaskKey, name: &str, state: ContainerState) -> bool {
        self.container(key, name).is_some_and(|it| it.state == state)
    }

    /// Whether the task was seen released.
    pub fn is_released(&self, key: &TaskKey) -> bool {
        self.task(key).is_some_and(|task| task.released)
    }

    /// How many snapshots came.
    pub fn snapshots(&self) -> usize {
        self.snapshots
    }

    /// What an orchestrator must not say: sentences for people.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }
}

/// A subscription that a harness reads from. It subscribes again when its stream ends, as the driver of the
/// reconcilers does.
pub struct Watch {
    stream: BoxStream<'static, Observation>,
    latest: Latest,
}

impl Watch {
    /// Subscribes.
    pub fn new(orchestrator: &dyn Orchestrator) -> Self {
        Self { stream: orchestrator.observe(), latest: Latest::default() }
    }

    /// What was seen so far.
    pub fn latest(&self) -> &Latest {
        &self.latest
    }

    /// Takes in what is there, without waiting. Whether there was anything.
    pub fn drain(&mut self, orchestrator: &dyn Orchestrator) -> bool {
        let mut any = false;
        loop {
            match self.stream.next().now_or_never() {
                Some(Some(observation)) => {
                    self.latest.apply(observation);
                    any = true;
                }
                Some(None) => self.stream = orchestrator.observe(),
                None => return any,
            }
        }
    }

    /// Waits for the next observation and takes it in.
    pub async fn next(&mut self, orchestrator: &dyn Orchestrator) {
        loop {
            match self.stream.next().await {
                Some(observation) => return self.latest.apply(observation),
                None => self.stream = orchestrator.observe(),
            }
        }
    }
}
