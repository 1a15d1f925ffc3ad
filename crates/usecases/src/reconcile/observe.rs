//! What the orchestrator tells: from observations to the tasks' next states, many in one commit.

use std::collections::{BTreeSet, HashMap, HashSet};

use kecs_domain::arn::{ServiceKey, TaskKey};
use kecs_domain::daemon::DaemonKey;
use kecs_domain::pagination::PageRequest;
use kecs_domain::task::{DesiredStatus, Task, TaskFailure, TaskObservation, TaskStatus};

use super::Reconciler;
use super::definitions::Definitions;
use crate::context::{Result, retry_conflicts};
use crate::ports::{Changes, Observation, StopOrder, Versioned, WakeKey};

/// How many observations go into one commit: enough to share its cost, few enough to keep readers waiting for none.
const PER_COMMIT: usize = 1_000;

/// How many stored tasks are compared with a snapshot at a time.
const PER_PAGE: usize = 1_000;

impl Reconciler<'_> {
    /// Takes in what the orchestrator has told since the last call, in its order.
    ///
    /// # Errors
    /// A failure behind a port. Call again with the same observations: they are whole states, so seeing one twice
    /// does no harm.
    pub async fn observed(&self, observations: &[Observation]) -> Result<()> {
        // Of several observations of a task only the last counts.
        let mut latest: HashMap<&TaskKey, &TaskObservation> = HashMap::new();
        let mut instances = false;
        for observation in observations {
            match observation {
                Observation::Changed(tasks) => {
                    latest.extend(tasks.iter().map(|seen| (&seen.key, seen)));
                }
                Observation::Snapshot(keys) => {
                    let keys: HashSet<_> = keys.iter().collect();
                    latest.retain(|key, _| keys.contains(key));
                    self.find_lost(&keys).await?;
                }
                Observation::Instances => instances = true,
            }
        }
        // Sorted, so that the same observations always make the same commits.
        let mut seen: Vec<_> = latest.into_values().collect();
        seen.sort_by(|left, right| left.key.cmp(&right.key));
        for some in seen.chunks(PER_COMMIT) {
            self.take_in(some).await?;
        }
        if instances {
            // Tasks may have to move, and those that wait may have a place now. There is no telling whose.
            self.resync().await?;
        }
        Ok(())
    }

    /// Tasks that the orchestrator had and has no more, though nobody let go of them.
    async fn find_lost(&self, snapshot: &HashSet<&TaskKey>) -> Result<()> {
        let mut after = None;
        loop {
            let page = self.ports.tasks.unfinished_tasks(PageRequest { after, limit: PER_PAGE }).await?;
            let missing: Vec<_> = page
                .items
                .iter()
                .filter(|task| !snapshot.contains(&task.key) && !task.by_agent)
                .map(|task| task.value.clone())
                .collect();
            let (lost, waiting): (Vec<_>, Vec<_>) = missing.into_iter().partition(|task| task.accepted);
            let gone: Vec<_> = lost
                .iter()
                .map(|task| TaskObservation {
                    failure: Some(TaskFailure::Lost {
                        reason: "The task is no longer known to its orchestrator".to_owned(),
                    }),
                    released: true,
                    ..TaskObservation::accepted(task.key.clone())
                })
                .collect();
            self.take_in(&gone.iter().collect::<Vec<_>>()).await?;
            // Those that it never had are launched, or called off.
            self.ports.wake.wake(waiting.iter().map(|task| WakeKey::Task(task.key.clone())).collect());
            if !page.more {
                return Ok(());
            }
            after = page.items.last().map(|task| task.key.clone());
        }
    }

    async fn take_in(&self, seen: &[&TaskObservation]) -> Result<()> {
        if seen.is_empty() {
            return Ok(());
        }
        let keys: Vec<TaskKey> = seen.iter().map(|one| one.key.clone()).collect();
        let mut definitions = Definitions::default();
        for task in self.ports.tasks.tasks(&keys).await?.into_iter().flatten() {
            definitions.load_of(self.ports, &task).await?;
        }
        let tasks = retry_conflicts(|| self.try_take_in(&keys, seen, &definitions)).await?;
        let mut wake = BTreeSet::new();
        let mut held_back = Vec::new();
        for (one, task) in seen.iter().zip(tasks) {
            let Some((task, changed)) = task else {
                self.dispose(one).await?;
                continue;
            };
            let stopping = task.desired == DesiredStatus::Stopped;
            if (changed && stopping) || task.status == TaskStatus::Stopped {
                wake.insert(WakeKey::Task(task.key.clone()));
            }
            if let Some(TaskFailure::Unplaceable { reason }) = one.failure.as_ref().filter(|_| !stopping) {
                held_back.push((task.clone(), reason.clone()));
            }
            if let Some(membership) = task.daemon.as_ref().filter(|_| changed) {
                let name = membership.name.clone();
                wake.insert(WakeKey::Daemon(DaemonKey { cluster: task.key.cluster.clone(), name }));
            }
            let Some(membership) = task.service.as_ref().filter(|_| changed) else { continue };
            let name = membership.name.clone();
            wake.insert(WakeKey::Service(ServiceKey { cluster: task.key.cluster.clone(), name }));
        }
        self.ports.wake.wake(wake.into_iter().collect());
        self.held_back(held_back, &definitions).await
    }

    /// The tasks as they are afterwards, each with whether it was changed. None for a task that isn't stored.
    async fn try_take_in(
        &self,
        keys: &[TaskKey],
        seen: &[&TaskObservation],
        definitions: &Definitions,
    ) -> Result<Vec<Option<(std::sync::Arc<Task>, bool)>>> {
        let stored = self.ports.tasks.tasks(keys).await?;
        // Read after the tasks: what happens to them next happens after what is stored of them.
        let now = self.ports.clock.now();
        let mut changes = Changes::new();
        let mut tasks = Vec::with_capacity(keys.len());
        for (one, stored) in seen.iter().zip(stored) {
            let Some(Versioned { value, version }) = stored else {
                tasks.push(None);
                continue;
            };
            let definition = definitions.of(&value);
            // Without its definition only the end of a task can be understood.
            let empty = kecs_domain::model::TaskDefinition::default();
            let doc = definition.as_ref().map_or(&empty, |found| &*found.doc);
            match value.observe(one, doc, now) {
                None => tasks.push(Some((value, false))),
                Some(next) => {
                    let next = std::sync::Arc::new(next);
                    changes.puts.push((
                        crate::ports::Entity::Task(std::sync::Arc::clone(&next)),
                        crate::ports::Expect::Version(version),
                    ));
                    tasks.push(Some((next, true)));
                }
            }
        }
        if !changes.is_empty() {
            self.ports.unit_of_work.commit(changes).await?;
        }
        Ok(tasks)
    }

    /// A task that runs though nobody knows it any more: its record was removed, or never stored here.
    async fn dispose(&self, seen: &TaskObservation) -> Result<()> {
        let orchestrator = &self.ports.orchestrator;
        if seen.released {
            return Ok(orchestrator.forget(&seen.key).await?);
        }
        tracing::warn!(task = %seen.key.arn(), "ending a task that is not in the store");
        Ok(orchestrator.stop(StopOrder { task: seen.key.clone(), definition: None }).await?)
    }
}
