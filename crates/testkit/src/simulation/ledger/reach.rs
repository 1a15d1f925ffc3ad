//! What a history gets to: counted by what is committed, so that a simulation that never gets anywhere is noticed.

use kecs_domain::arn::ServiceKey;
use kecs_domain::daemon::{Daemon, DaemonTaskDefinition, Rollout};
use kecs_domain::model::DaemonTaskDefinitionStatus;
use kecs_domain::resource::Resource;
use kecs_domain::service::{DeploymentStatus, Service, ServiceStatus};
use kecs_domain::task::{DesiredStatus, Task};
use kecs_usecases::ports::Entity;

use super::Ledger;

/// Events of services, by words that only they have.
const EVENTS: [(&str, &str); 8] = [
    ("has started", "a service starts tasks"),
    ("running tasks", "a service stops running tasks"),
    ("pending tasks", "a service stops pending tasks"),
    ("steady state", "a service is steady"),
    ("deployment failed", "a circuit breaker opens"),
    ("rolling back", "a deployment is rolled back"),
    ("unable to consistently", "a service is throttled"),
    ("unable to stop or start", "a deployment is stuck"),
];

impl Ledger {
    pub(super) fn reach_with(&mut self, entity: &Entity) {
        match entity {
            Entity::Task(task) => {
                let before = self.tasks.get(&task.key);
                let waited = before.is_some_and(|before| before.waits_for_capacity());
                let new = before.is_none();
                let drained = before.is_some_and(|before| before.desired == DesiredStatus::Running)
                    && task.doc.stopped_reason.as_deref() == Some("The container instance is draining");
                if task.waits_for_capacity() {
                    self.reach("a task waits for capacity");
                } else if waited && task.instance.is_some() {
                    self.reach("a task finds a place after it has waited");
                }
                if new && self.is_of_source(task) {
                    self.reach("a task of the replaced revision is replaced");
                }
                if drained {
                    self.reach("a daemon's task goes from an instance that is drained");
                }
                let before = self.tasks.get(&task.key);
                let moved = before.map(|before| before.status) != Some(task.status);
                let ends = before.is_some_and(|before| before.doc.stop_code.is_none());
                if moved {
                    self.reach(format!("a task is {}", task.status));
                }
                if let Some(code) = task.doc.stop_code.filter(|_| ends) {
                    self.reach(format!("a task ends with {code}"));
                }
            }
            Entity::Service(service) => {
                let before = self.services.get(&service.key);
                let again = before.is_some_and(|it| it.status == ServiceStatus::Inactive);
                let newest =
                    before.and_then(|before| before.events.front()).and_then(|event| event.id.clone());
                let new = service.events.iter().take_while(|event| event.id != newest);
                let texts: Vec<_> = new.filter_map(|event| event.message.clone()).collect();
                let changed = before.map(|before| before.status) != Some(service.status);
                let three = service.deployments.len() > 2
                    && service.deployments[0].status == DeploymentStatus::Primary;
                for text in texts {
                    for (words, what) in EVENTS {
                        if text.contains(words) {
                            self.reach(what);
                        }
                    }
                }
                if changed {
                    self.reach(format!("a service is {}", service.status.as_str()));
                }
                if again && changed {
                    self.reach("a service is created again");
                }
                let stable = |service: &Service| service.task_sets.iter().filter(|set| set.stable).count();
                let before = self.services.get(&service.key);
                if stable(service) > before.map_or(0, |before| stable(before)) {
                    self.reach("a task set is stable");
                }
                if three {
                    self.reach("three deployments at once");
                }
            }
            Entity::ServiceDeployment(record) => self.reach(format!("a record is {}", record.status())),
            Entity::Cluster(cluster) => self.reach(format!("a cluster is {:?}", cluster.status)),
            Entity::TaskDefinition(definition) => {
                self.reach(format!("a definition is {:?}", definition.state))
            }
            Entity::Resource(resource) => self.reach_with_resource(resource),
            Entity::Family(_) | Entity::ServiceRevision(_) | Entity::Token(_) => {}
        }
    }

    /// Whether a new task is one of a revision that another one is to replace.
    fn is_of_source(&self, task: &Task) -> bool {
        let Some(membership) = &task.service else { return false };
        let key = ServiceKey { cluster: task.key.cluster.clone(), name: membership.name.clone() };
        let of = |service: &Service| {
            service.deployments.iter().find(|one| one.id == membership.deployment).cloned()
        };
        let deployment = self.services.get(&key).and_then(|service| of(service));
        deployment.is_some_and(|one| one.status == DeploymentStatus::Active)
    }

    fn reach_with_resource(&mut self, resource: &Resource) {
        self.reach(format!("a {} is kept", resource.key.kind));
        let definition = resource.get::<DaemonTaskDefinition>();
        if definition.is_some_and(|it| it.doc.status == Some(DaemonTaskDefinitionStatus::Deleted)) {
            self.reach("a daemon task definition is DELETED");
        }
        if resource.get::<Daemon>().is_some_and(|daemon| daemon.rollout == Rollout::Done) {
            self.reach("a daemon is rolled out");
        }
    }
}
