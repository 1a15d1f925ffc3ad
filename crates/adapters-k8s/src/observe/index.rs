//! What is known of all Pods: from watch events to observations, each Pod looked at once.
//!
//! A re-list replaces everything at once, so that a Pod which went away while nobody watched is known to be gone.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::Pod;
use kecs_domain::arn::TaskKey;
use kecs_domain::model::HealthStatus;
use kecs_domain::task::{TaskFailure, TaskObservation};
use kecs_usecases::ports::Observation;

use super::observe_pod;

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
    seen: TaskObservation,
}

/// All tasks that Kubernetes has.
#[derive(Default)]
pub struct Index {
    tasks: HashMap<TaskKey, Known>,
    listing: Option<HashMap<TaskKey, Known>>,
}

impl Index {
    /// Takes in a change, and returns what is new for the use cases.
    pub fn apply(&mut self, event: PodEvent) -> Option<Observation> {
        match event {
            PodEvent::Relist => {
                self.listing = Some(HashMap::new());
                None
            }
            PodEvent::Listed(pod) => {
                let (key, known) = self.read(&pod)?;
                self.listing.get_or_insert_default().insert(key, known);
                None
            }
            PodEvent::Complete => {
                self.tasks = self.listing.take().unwrap_or_default();
                let mut all: Vec<_> = self.tasks.values().map(|known| known.seen.clone()).collect();
                all.sort_by(|left, right| left.key.cmp(&right.key));
                Some(Observation::Snapshot(all))
            }
            PodEvent::Changed(pod) => {
                let (key, known) = self.read(&pod)?;
                let before = self.tasks.get(&key);
                let news = before.is_none_or(|before| before.seen != known.seen).then(|| known.seen.clone());
                self.tasks.insert(key, known);
                news.map(|seen| Observation::Changed(vec![seen]))
            }
            PodEvent::Gone(pod) => {
                let (key, known) = self.read(&pod)?;
                self.tasks.remove(&key);
                let failure = known.seen.failure.clone().or_else(|| {
                    Some(TaskFailure::Lost { reason: "The task's Pod was deleted".to_owned() })
                });
                Some(Observation::Changed(vec![TaskObservation { released: true, failure, ..known.seen }]))
            }
        }
    }

    /// Where the Pod of a task is, if it has one.
    pub fn location(&self, task: &TaskKey) -> Option<&PodLocation> {
        self.tasks.get(task).map(|known| &known.location)
    }

    fn read(&self, pod: &Pod) -> Option<(TaskKey, Known)> {
        let before = crate::identity::task_of(&pod.metadata).and_then(|key| self.tasks.get(&key));
        let healthy = |name: &str| {
            before.is_some_and(|known| {
                known.seen.containers.iter().any(|container| {
                    container.name == name
                        && matches!(container.health, Some(HealthStatus::Healthy | HealthStatus::Unhealthy))
                })
            })
        };
        let seen = observe_pod(pod, &healthy)?;
        let location = PodLocation {
            namespace: pod.metadata.namespace.clone()?,
            name: pod.metadata.name.clone()?,
        };
        Some((seen.key.clone(), Known { location, seen }))
    }
}
