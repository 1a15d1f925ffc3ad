//! What is known of all Pods: from watch events to observations, each Pod looked at once.
//!
//! A re-list replaces everything at once, so that a Pod which went away while nobody watched is known to be gone.

use std::collections::{BTreeSet, HashMap};

use k8s_openapi::api::core::v1::{Event, Pod};
use kecs_domain::arn::TaskKey;
use kecs_domain::model::HealthStatus;
use kecs_domain::task::{ContainerState, TaskFailure, TaskObservation};
use kecs_usecases::ports::Observation;

use super::check::Failures;
use super::fact::keep;
use super::load::Load;
use super::observe_pod;
use super::pod::node_of;
use crate::gate::{Gates, Opening};
use crate::identity::ContainerNames;

/// A change of the Pods, as a watch tells it.
#[derive(Clone, Debug)]
pub enum PodEvent {
    /// A new list begins.
    Relist,
    /// A Pod of the new list.
    Listed(Box<Pod>),
    /// The new list is complete.
    Complete,
    /// A Pod was made or changed.
    Changed(Box<Pod>),
    /// A Pod is gone.
    Gone(Box<Pod>),
}

/// Where a task's Pod is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodLocation {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

struct Known {
    location: PodLocation,
    /// The Pod as last seen: what is told beside it may change what it means.
    pod: Box<Pod>,
    /// The node that it is on, while it holds something there.
    node: Option<String>,
    load: Load,
    seen: TaskObservation,
    /// Containers whose gates were found to be opened.
    opened: BTreeSet<String>,
}

/// What is known beside the Pods.
pub trait Surroundings {
    /// The availability zone of a node.
    fn zone(&self, node: &str) -> Option<String>;
    /// Whether we asked for the end of this task.
    fn is_stopping(&self, task: &TaskKey) -> bool;
}

/// All tasks that Kubernetes has.
#[derive(Default)]
pub struct Index {
    tasks: HashMap<TaskKey, Known>,
    listing: Option<HashMap<TaskKey, Known>>,
    failures: Failures,
    by_uid: HashMap<String, TaskKey>,
    openings: Vec<Opening>,
}

impl Index {
    /// Takes in a change, and returns what is new for the use cases, in its order.
    pub fn apply(&mut self, event: PodEvent, around: &dyn Surroundings) -> Vec<Observation> {
        if matches!(event, PodEvent::Complete) {
            return self.relisted();
        }
        self.apply_one(event, around).map(Observation::Changed).into_iter().collect()
    }

    /// The new list takes the place of everything.
    fn relisted(&mut self) -> Vec<Observation> {
        self.tasks = self.listing.take().unwrap_or_default();
        let uid = |(key, known): (&TaskKey, &Known)| Some((known.pod.metadata.uid.clone()?, key.clone()));
        self.by_uid = self.tasks.iter().filter_map(uid).collect();
        self.failures.retain(|uid| self.by_uid.contains_key(uid));
        let mut all: Vec<_> = self.tasks.values().map(|known| known.seen.clone()).collect();
        all.sort_by(|left, right| left.key.cmp(&right.key));
        let keys = all.iter().map(|seen| seen.key.clone()).collect();
        let states = (!all.is_empty()).then_some(Observation::Changed(all));
        std::iter::once(Observation::Snapshot(keys)).chain(states).collect()
    }

    fn apply_one(&mut self, event: PodEvent, around: &dyn Surroundings) -> Option<Vec<TaskObservation>> {
        match event {
            PodEvent::Complete => None,
            PodEvent::Relist => {
                self.listing = Some(HashMap::new());
                None
            }
            PodEvent::Listed(pod) => {
                let (key, known) = self.read(pod, around)?;
                self.listing.get_or_insert_default().insert(key, known);
                None
            }
            PodEvent::Changed(pod) => {
                let (key, known) = self.read(pod, around)?;
                let before = self.tasks.get(&key);
                let news = before.is_none_or(|before| before.seen != known.seen).then(|| known.seen.clone());
                if let Some(uid) = known.pod.metadata.uid.clone() {
                    self.by_uid.insert(uid, key.clone());
                }
                self.tasks.insert(key, known);
                news.map(|seen| vec![seen])
            }
            PodEvent::Gone(pod) => {
                let (key, Known { mut seen, pod, .. }) = self.read(pod, around)?;
                if let Some(uid) = &pod.metadata.uid {
                    self.failures.forget(uid);
                    self.by_uid.remove(uid);
                }
                let told = self.tasks.remove(&key).is_some_and(|before| before.seen.released);
                if told {
                    return None;
                }
                if seen.failure.is_none() && !around.is_stopping(&key) {
                    seen.failure =
                        Some(TaskFailure::Lost { reason: "The task's Pod was deleted".to_owned() });
                }
                for container in &mut seen.containers {
                    container.state = ContainerState::Stopped;
                }
                seen.released = true;
                Some(vec![seen])
            }
        }
    }

    /// The nodes have changed: tasks whose zone was not known when they were seen are told again.
    pub fn nodes_changed(&mut self, around: &dyn Surroundings) -> Vec<Observation> {
        let mut news = Vec::new();
        for known in self
            .tasks
            .values_mut()
            .filter(|known| known.seen.availability_zone.is_none() && !known.seen.released)
        {
            if let Some(zone) = known.node.as_deref().and_then(|node| around.zone(node)) {
                known.seen.availability_zone = Some(zone);
                news.push(known.seen.clone());
            }
        }
        (!news.is_empty()).then_some(Observation::Changed(news)).into_iter().collect()
    }

    /// A health check has failed, again. Events come without order and may come late: they only ever add.
    pub fn check_failed(&mut self, event: &Event, around: &dyn Surroundings) -> Vec<Observation> {
        let Some(uid) = self.failures.note(event) else { return Vec::new() };
        let task = self.by_uid.get(&uid).and_then(|key| self.tasks.get(key));
        let Some(pod) = task.map(|known| known.pod.clone()) else { return Vec::new() };
        self.apply(PodEvent::Changed(pod), around)
    }

    /// The gates that are to be opened since the last call.
    pub fn take_openings(&mut self) -> Vec<Opening> {
        std::mem::take(&mut self.openings)
    }

    /// Where the Pod of a task is, if it has one.
    pub fn location(&self, task: &TaskKey) -> Option<&PodLocation> {
        self.tasks.get(task).map(|known| &known.location)
    }

    /// What tasks take of a node.
    pub fn loads<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a Load> {
        let on_it = self.tasks.values().filter(move |known| known.node.as_deref() == Some(node));
        on_it.filter(|known| !known.seen.released).map(|known| &known.load)
    }

    /// All host ports that tasks take or wait for, on any node.
    pub fn ports(&self) -> impl Iterator<Item = u16> + '_ {
        let holding = self.tasks.values().filter(|known| !known.seen.released);
        holding.flat_map(|known| known.load.ports.iter().copied())
    }

    fn read(&mut self, pod: Box<Pod>, around: &dyn Surroundings) -> Option<(TaskKey, Known)> {
        let key = crate::identity::task_of(&pod.metadata)?;
        let before = self.tasks.get(&key);
        // Ready before and not now: the check has failed as often as it may.
        let was_checked = |name: &str| {
            before.is_some_and(|known| {
                known.seen.containers.iter().any(|container| {
                    container.name == name
                        && matches!(container.health, Some(HealthStatus::Healthy | HealthStatus::Unhealthy))
                })
            })
        };
        let names = ContainerNames::of(&pod.metadata);
        let failed = |name: &str| was_checked(names.get(name)) || self.failures.is_unhealthy(&pod, name);
        let mut seen = observe_pod(&pod, &failed, around.is_stopping(&key))?;
        let node = node_of(&pod).map(str::to_owned);
        seen.availability_zone = node.as_deref().and_then(|node| around.zone(node));
        if let Some(before) = before {
            seen = keep(&before.seen, seen);
        }
        let mut opened = before.map(|before| before.opened.clone()).unwrap_or_default();
        if pod.metadata.deletion_timestamp.is_none() && seen.failure.is_none() && !around.is_stopping(&key) {
            match Gates::of(&pod).to_open(&seen.containers) {
                None => {
                    let reason = "Task failed to start".to_owned();
                    seen.failure = Some(TaskFailure::FailedToStart { reason });
                }
                Some(open) => {
                    for container in open {
                        if opened.insert(container.to_owned()) {
                            self.openings.extend(Opening::new(&pod, container));
                        }
                    }
                }
            }
        }
        let location =
            PodLocation { namespace: pod.metadata.namespace.clone()?, name: pod.metadata.name.clone()? };
        Some((key, Known { location, node, load: Load::of(&pod), seen, pod, opened }))
    }
}
