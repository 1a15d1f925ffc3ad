//! Calls that only read.

use kecs_domain::model;
use serde_json::json;

use super::call::Request;
use super::{CLUSTERS, Client, build, service};
use crate::simulation::ledger::Ledger;

impl Client {
    pub(super) fn read(&mut self, ledger: &Ledger) -> Option<Request> {
        let cluster = self.cluster(ledger);
        match self.random.below(6) {
            0 => Some(build::<model::DescribeClustersRequest>(
                json!({"clusters": CLUSTERS, "include": ["STATISTICS"]}),
            )),
            1 => Some(build::<model::ListTasksRequest>(json!({"cluster": cluster, "maxResults": 5}))),
            2 => {
                let tasks: Vec<_> =
                    ledger.tasks.keys().filter(|key| key.cluster.name.as_str() == cluster).collect();
                let tasks: Vec<_> = tasks.iter().rev().take(4).map(|key| key.arn()).collect();
                (!tasks.is_empty()).then(|| {
                    build::<model::DescribeTasksRequest>(json!({"cluster": cluster, "tasks": tasks}))
                })
            }
            3 => Some(build::<model::ListServicesRequest>(json!({"cluster": cluster, "maxResults": 2}))),
            4 => Some(build::<model::DescribeServicesRequest>(
                json!({"cluster": cluster, "services": service::NAMES}),
            )),
            _ => {
                let services: Vec<_> = ledger.services.keys().collect();
                let key = (!services.is_empty()).then(|| (*self.random.pick(&services)).clone())?;
                Some(build::<model::ListServiceDeploymentsRequest>(
                    json!({"cluster": key.cluster.name.as_str(), "service": key.arn()}),
                ))
            }
        }
    }
}
