//! Calls about the task sets of a service with an EXTERNAL deployment controller.

use std::sync::Arc;

use kecs_domain::model;
use kecs_domain::service::{Service, ServiceStatus, TaskSet};
use serde_json::{Value, json};

use super::call::Request;
use super::definition::{self, Kind};
use super::{Client, build};
use crate::simulation::ledger::Ledger;

/// The service whose deployments somebody else controls.
pub(crate) const SETS: &str = "sets";

impl Client {
    fn with_sets(&mut self, ledger: &Ledger) -> Option<Arc<Service>> {
        let sets = |it: &&Arc<Service>| it.key.name.as_str() == SETS && it.status == ServiceStatus::Active;
        let services: Vec<_> = ledger.services.values().filter(sets).cloned().collect();
        (!services.is_empty()).then(|| self.random.pick(&services).clone())
    }

    fn scale(&mut self) -> Value {
        json!({"value": *self.random.pick(&[0.0, 10.0, 33.0, 50.0, 100.0]), "unit": "PERCENT"})
    }

    pub(super) fn create_set(&mut self, ledger: &Ledger) -> Option<Request> {
        let service = self.with_sets(ledger)?;
        let definition = self.definition(ledger)?;
        let mut request = json!({
            "cluster": service.key.cluster.name.as_str(), "service": SETS, "scale": self.scale(),
            "taskDefinition": self.named(&definition),
        });
        self.place(&mut request, &definition);
        if request["launchType"].is_null() && request["capacityProviderStrategy"].is_null() {
            request["launchType"] = json!("EC2");
        }
        if self.random.percent(40) {
            request["clientToken"] = json!(self.name("set"));
        }
        Some(build::<model::CreateTaskSetRequest>(request))
    }

    /// A task set, as requests name it.
    fn set(&mut self, ledger: &Ledger) -> Option<Value> {
        let service = self.with_sets(ledger)?;
        let ids: Vec<_> = service.task_sets.iter().map(|set| set.id).collect();
        if ids.is_empty() {
            return None;
        }
        let id = *self.random.pick(&ids);
        Some(named(&service, id))
    }

    pub(super) fn scale_set(&mut self, ledger: &Ledger) -> Option<Request> {
        let mut request = self.set(ledger)?;
        request["scale"] = self.scale();
        Some(build::<model::UpdateTaskSetRequest>(request))
    }

    pub(super) fn delete_set(&mut self, ledger: &Ledger) -> Option<Request> {
        let mut request = self.set(ledger)?;
        request["force"] = json!(self.random.percent(70));
        Some(build::<model::DeleteTaskSetRequest>(request))
    }

    pub(super) fn promote_set(&mut self, ledger: &Ledger) -> Option<Request> {
        let mut request = self.set(ledger)?;
        request["primaryTaskSet"] = request["taskSet"].take();
        Some(build::<model::UpdateServicePrimaryTaskSetRequest>(request))
    }

    /// What is called at the end: sets whose tasks can't stay up have none.
    pub(super) fn calm_sets(&mut self, ledger: &Ledger) -> Vec<Request> {
        let active = ledger.services.values().filter(|service| service.status == ServiceStatus::Active);
        let sets = active.flat_map(|service| service.task_sets.iter().map(move |set| (service, set)));
        let restless = |set: &TaskSet| {
            let definition = ledger.definitions.get(&set.definition);
            definition.is_none_or(|it| Kind::of(it) != Kind::Steady || definition::has_fixed_port(it))
        };
        let quiet = |(service, set): (&Arc<Service>, &TaskSet)| {
            let mut request = named(service, set.id);
            request["scale"] = json!({"value": 0.0, "unit": "PERCENT"});
            build::<model::UpdateTaskSetRequest>(request)
        };
        sets.filter(|(_, set)| restless(set)).map(quiet).collect()
    }
}

fn named(service: &Service, id: kecs_domain::name::DeploymentId) -> Value {
    json!({"cluster": service.key.cluster.name.as_str(), "service": SETS, "taskSet": service.key.task_set_arn(id)})
}
