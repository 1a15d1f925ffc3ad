//! What a history gets to: counted by what is committed, so that a simulation that never gets anywhere is noticed.

use kecs_domain::service::{DeploymentStatus, ServiceStatus};
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
                if three {
                    self.reach("three deployments at once");
                }
            }
            Entity::ServiceDeployment(record) => self.reach(format!("a record is {}", record.status())),
            Entity::Cluster(cluster) => self.reach(format!("a cluster is {:?}", cluster.status)),
            Entity::TaskDefinition(definition) => {
                self.reach(format!("a definition is {:?}", definition.state))
            }
            Entity::Resource(resource) => self.reach(format!("a {} is kept", resource.key.kind)),
            Entity::Family(_) | Entity::ServiceRevision(_) | Entity::Token(_) => {}
        }
    }
}
