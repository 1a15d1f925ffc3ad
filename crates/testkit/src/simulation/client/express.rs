//! Calls about Express services.

use kecs_domain::model::{self, ResourceManagementType};
use kecs_domain::service::Service;
use serde_json::{Value, json};

use super::call::Request;
use super::{Client, build};
use crate::simulation::ledger::Ledger;

const NAMES: [&str; 2] = ["shop", "blog"];
const ROLE: &str = "arn:aws:iam::123456789012:role/express";

/// Whether a service is an Express service. Other calls leave those alone.
pub(super) fn is_express(service: &Service) -> bool {
    service.management() == ResourceManagementType::Ecs
}

fn target(least: i64) -> Value {
    json!({"minTaskCount": least, "maxTaskCount": least + 2})
}

impl Client {
    pub(super) fn create_express(&mut self, ledger: &Ledger) -> Option<Request> {
        let name = *self.random.pick(&NAMES);
        let least = self.random.between(1, 3);
        Some(build::<model::CreateExpressGatewayServiceRequest>(json!({
            "cluster": self.cluster(ledger), "serviceName": name, "infrastructureRoleArn": ROLE,
            "executionRoleArn": ROLE, "primaryContainer": {"image": "sim/steady"},
            "scalingTarget": target(least),
        })))
    }

    fn express(&mut self, ledger: &Ledger) -> Option<String> {
        let arns: Vec<_> = ledger
            .services
            .values()
            .filter(|service| is_express(service))
            .map(|service| service.key.arn())
            .collect();
        (!arns.is_empty()).then(|| self.random.pick(&arns).clone())
    }

    pub(super) fn update_express(&mut self, ledger: &Ledger) -> Option<Request> {
        let mut request = json!({"serviceArn": self.express(ledger)?});
        if self.random.percent(50) {
            let command = self.name("run");
            request["primaryContainer"] = json!({"image": "sim/steady", "command": [command]});
        } else {
            request["scalingTarget"] = target(self.random.between(1, 4));
        }
        Some(build::<model::UpdateExpressGatewayServiceRequest>(request))
    }

    pub(super) fn delete_express(&mut self, ledger: &Ledger) -> Option<Request> {
        let arn = self.express(ledger)?;
        Some(build::<model::DeleteExpressGatewayServiceRequest>(json!({"serviceArn": arn})))
    }
}
