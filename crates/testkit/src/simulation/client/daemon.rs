//! Calls about daemons and daemon task definitions.

use kecs_domain::daemon::{Daemon, DaemonTaskDefinition};
use kecs_domain::model;
use serde_json::{Value, json};

use super::call::Request;
use super::capacity::PROVIDERS;
use super::{Client, build};
use crate::simulation::ledger::Ledger;

/// Families of daemon task definitions.
const FAMILIES: [&str; 2] = ["logs", "mesh"];
/// Daemons of a cluster.
const NAMES: [&str; 2] = ["logs", "mesh"];

impl Client {
    pub(super) fn register_daemon(&mut self, _ledger: &Ledger) -> Option<Request> {
        let mut container = json!({
            "name": "main", "image": "sim/steady", "memory": *self.random.pick(&[32, 64]),
            "cpu": *self.random.pick(&[0, 64]),
        });
        if self.random.percent(40) {
            container["healthCheck"] = super::definition::check();
        }
        let family = *self.random.pick(&FAMILIES);
        Some(build::<model::RegisterDaemonTaskDefinitionRequest>(
            json!({"family": family, "containerDefinitions": [container]}),
        ))
    }

    /// What is called first where daemons matter.
    pub(super) fn first_daemon_definitions(&mut self) -> Vec<Request> {
        (0..3).filter_map(|_| self.register_daemon(&Ledger::default())).collect()
    }

    fn daemon_definition(&mut self, ledger: &Ledger) -> Option<String> {
        let sloppy = self.random.percent(5);
        let usable = ledger.resources.values().filter_map(|it| it.get::<DaemonTaskDefinition>());
        let usable: Vec<_> = usable.filter(|it| sloppy || it.is_active()).map(|it| it.key.clone()).collect();
        let key = (!usable.is_empty()).then(|| self.random.pick(&usable).clone())?;
        Some(format!("{}:{}", key.family, key.revision))
    }

    pub(super) fn delete_daemon_definition(&mut self, ledger: &Ledger) -> Option<Request> {
        let named = self.daemon_definition(ledger)?;
        Some(build::<model::DeleteDaemonTaskDefinitionRequest>(json!({"daemonTaskDefinition": named})))
    }

    fn daemon_settings(&mut self, ledger: &Ledger) -> Option<Value> {
        let mut settings = json!({
            "daemonTaskDefinitionArn": self.daemon_definition(ledger)?,
            "capacityProviderArns": [*self.random.pick(&PROVIDERS)],
            "critical": self.random.percent(50),
        });
        if self.random.percent(60) {
            settings["deploymentConfiguration"] = json!({
                "drainPercent": *self.random.pick(&[0.0, 25.0, 50.0, 100.0]),
                "bakeTimeInMinutes": *self.random.pick(&[0, 0, 1]),
            });
        }
        Some(settings)
    }

    pub(super) fn create_daemon(&mut self, ledger: &Ledger) -> Option<Request> {
        let mut request = self.daemon_settings(ledger)?;
        request["daemonName"] = json!(*self.random.pick(&NAMES));
        request["clusterArn"] = json!(self.cluster(ledger));
        if self.random.percent(50) {
            request["clientToken"] = json!(self.name("daemon"));
        }
        Some(build::<model::CreateDaemonRequest>(request))
    }

    fn daemon(&mut self, ledger: &Ledger) -> Option<String> {
        let arns: Vec<_> = ledger.daemons().map(|daemon: &Daemon| daemon.key.arn()).collect();
        (!arns.is_empty()).then(|| self.random.pick(&arns).clone())
    }

    pub(super) fn update_daemon(&mut self, ledger: &Ledger) -> Option<Request> {
        let arn = self.daemon(ledger)?;
        let mut request = self.daemon_settings(ledger)?;
        request["daemonArn"] = json!(arn);
        Some(build::<model::UpdateDaemonRequest>(request))
    }

    pub(super) fn delete_daemon(&mut self, ledger: &Ledger) -> Option<Request> {
        Some(build::<model::DeleteDaemonRequest>(json!({"daemonArn": self.daemon(ledger)?})))
    }

    pub(super) fn describe_daemon(&mut self, ledger: &Ledger) -> Option<Request> {
        Some(build::<model::DescribeDaemonRequest>(json!({"daemonArn": self.daemon(ledger)?})))
    }
}
