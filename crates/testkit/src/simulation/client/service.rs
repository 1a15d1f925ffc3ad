//! Calls about services.

use kecs_domain::arn::ServiceKey;
use kecs_domain::model;
use kecs_domain::service::ServiceStatus;
use serde_json::{Value, json};

use super::call::Request;
use super::definition::{self, Kind};
use super::express::is_express;
use super::task_set::SETS;
use super::{Client, PLAIN, build};
use crate::simulation::ledger::Ledger;

/// The services of a cluster. The last one has the DAEMON strategy.
pub(super) const NAMES: [&str; 4] = ["web", "api", "job", DAEMON];
/// A service that has one task on each instance.
pub(crate) const DAEMON: &str = "daemon";

impl Client {
    fn configuration(&mut self, daemon: bool) -> Value {
        let least = *self.random.pick(&[0, 33, 50, 50, 100, 100]);
        let most = if daemon { 100 } else { *self.random.pick(&[100, 133, 150, 200, 200, 300]) };
        let mut configuration = json!({"minimumHealthyPercent": least, "maximumPercent": most});
        if self.random.percent(50) {
            let rollback = self.random.percent(60);
            let threshold = match self.random.below(3) {
                0 => json!({"type": "COUNT", "value": self.random.between(1, 5)}),
                1 => json!({"type": "UNBOUNDED_PERCENT", "value": self.random.between(10, 100)}),
                _ => json!({"type": "BOUNDED_PERCENT", "value": 50}),
            };
            configuration["deploymentCircuitBreaker"] = json!({
                "enable": self.random.percent(85), "rollback": rollback,
                "resetOnHealthyTask": self.random.percent(60), "thresholdConfiguration": threshold,
            });
        }
        configuration
    }

    pub(super) fn create_service(&mut self, ledger: &Ledger) -> Option<Request> {
        let definition = self.definition(ledger)?;
        let sets = u64::from(self.topics.sets) * 2;
        let name =
            self.random.weighted(&[(4, NAMES[0]), (3, NAMES[1]), (2, NAMES[2]), (1, DAEMON), (sets, SETS)]);
        if name == SETS {
            return Some(build::<model::CreateServiceRequest>(json!({
                "cluster": self.cluster(ledger), "serviceName": name, "desiredCount": self.count(),
                "deploymentController": {"type": "EXTERNAL"},
            })));
        }
        let daemon = name == DAEMON;
        let mut request = json!({
            "cluster": self.cluster(ledger), "serviceName": name, "taskDefinition": self.named(&definition),
        });
        self.place(&mut request, &definition);
        if daemon {
            request["schedulingStrategy"] = json!("DAEMON");
            request["launchType"] = json!("EC2");
            request["capacityProviderStrategy"].take();
        } else {
            request["desiredCount"] = json!(self.count());
            if request["launchType"].is_null() && self.random.percent(20) {
                request["placementConstraints"] = json!([{"type": "distinctInstance"}]);
            }
        }
        if self.random.percent(80) {
            request["deploymentConfiguration"] = self.configuration(daemon);
        }
        if self.random.percent(25) {
            request["healthCheckGracePeriodSeconds"] = json!(self.random.between(0, 60));
        }
        if self.random.percent(30) {
            request["propagateTags"] = json!("SERVICE");
            request["enableECSManagedTags"] = json!(true);
        }
        if self.random.percent(40) {
            request["clientToken"] = json!(self.name("service"));
        }
        let request = build::<model::CreateServiceRequest>(request);
        self.remember(&request);
        Some(request)
    }

    fn count(&mut self) -> i64 {
        let (least, most) = self.random.weighted(&[(1, (0, 0)), (4, (1, 3)), (3, (2, 6)), (2, (0, 12))]);
        self.random.between(least, most)
    }

    /// A service that was created once, mostly one that is there.
    fn some_service(&mut self, ledger: &Ledger) -> Option<ServiceKey> {
        let sloppy = self.random.percent(5);
        let services = ledger.services.values().filter(|it| !is_express(it));
        let services = services.filter(|it| sloppy || it.status == ServiceStatus::Active);
        let keys: Vec<_> = services.map(|service| service.key.clone()).collect();
        (!keys.is_empty()).then(|| self.random.pick(&keys).clone())
    }

    pub(super) fn update_service(&mut self, ledger: &Ledger) -> Option<Request> {
        let key = self.some_service(ledger)?;
        let daemon = key.name.as_str() == DAEMON;
        let mut request = json!({"cluster": key.cluster.name.as_str(), "service": key.name.as_str()});
        if !daemon && self.random.percent(45) {
            request["desiredCount"] = json!(self.count());
        }
        if key.name.as_str() == SETS {
            return Some(build::<model::UpdateServiceRequest>(request));
        }
        if self.random.percent(45) {
            let current =
                ledger.services.get(&key).and_then(|service| service.primary()).map(|one| &one.definition);
            let awsvpc = current
                .and_then(|key| ledger.definitions.get(key))
                .is_some_and(|it| definition::is_awsvpc(it));
            let next = self.definition(ledger)?;
            request["taskDefinition"] = json!(self.named(&next));
            if self.topics.capacity && !daemon && self.random.percent(25) {
                request["capacityProviderStrategy"] = self.strategy(&next);
                request["forceNewDeployment"] = json!(true);
            }
            if definition::is_awsvpc(&next) && !awsvpc {
                request["networkConfiguration"] = json!({"awsvpcConfiguration": {"subnets": ["subnet-a"]}});
            }
        }
        if self.random.percent(20) {
            request["forceNewDeployment"] = json!(true);
        }
        if self.random.percent(25) {
            request["deploymentConfiguration"] = self.configuration(daemon);
        }
        if self.random.percent(10) {
            request["healthCheckGracePeriodSeconds"] = json!(self.random.between(0, 60));
        }
        Some(build::<model::UpdateServiceRequest>(request))
    }

    pub(super) fn delete_service(&mut self, ledger: &Ledger) -> Option<Request> {
        let key = self.some_service(ledger)?;
        let force = self.random.percent(70);
        Some(build::<model::DeleteServiceRequest>(
            json!({"cluster": key.cluster.name.as_str(), "service": key.name.as_str(), "force": force}),
        ))
    }

    /// Stops a deployment, mostly one that is under way.
    pub(super) fn stop_deployment(&mut self, ledger: &Ledger) -> Option<Request> {
        let sloppy = self.random.percent(10);
        let current = ledger.services.values().filter_map(|service| service.current_record());
        let all = ledger.records.keys().filter(|_| sloppy).cloned();
        let keys: Vec<_> = current.chain(all).collect();
        if keys.is_empty() {
            return None;
        }
        let arn = self.random.pick(&keys).arn();
        let how = if self.random.percent(70) { "ROLLBACK" } else { "ABORT" };
        Some(build::<model::StopServiceDeploymentRequest>(
            json!({"serviceDeploymentArn": arn, "stopType": how}),
        ))
    }

    /// What is called at the end, so that the services can come to rest: those whose tasks can't stay up get a
    /// definition whose tasks can, with room to move.
    pub(crate) fn calm(&mut self, ledger: &Ledger) -> Vec<Request> {
        let mut calls = self.calm_instances(ledger);
        calls.extend(self.calm_sets(ledger));
        for service in ledger.services.values().filter(|service| service.status == ServiceStatus::Active) {
            let definition = service.primary().and_then(|one| ledger.definitions.get(&one.definition));
            let Some(definition) = definition else { continue };
            let restless = service.deployments.iter().any(|one| {
                let definition = ledger.definitions.get(&one.definition);
                definition.is_some_and(|it| matches!(Kind::of(it), Kind::Restless | Kind::Shaky))
            });
            let unstartable = Kind::of(definition) == Kind::Unstartable;
            let worth_it = restless || (unstartable && self.random.percent(50));
            if !worth_it {
                continue;
            }
            let awsvpc = definition::is_awsvpc(definition);
            let mut fitting = ledger.definitions.values().filter(|it| {
                it.key.family.as_str() == PLAIN
                    && definition::is_awsvpc(it) == awsvpc
                    && !definition::has_fixed_port(it)
            });
            let Some(plain) = fitting.next_back() else { continue };
            calls.push(build::<model::UpdateServiceRequest>(json!({
                "cluster": service.key.cluster.name.as_str(), "service": service.key.name.as_str(),
                "taskDefinition": plain.key.arn(), "forceNewDeployment": true,
                "deploymentConfiguration": {"minimumHealthyPercent": 0, "maximumPercent": if service.key.name.as_str() == DAEMON { 100 } else { 200 }},
            })));
        }
        calls
    }
}
