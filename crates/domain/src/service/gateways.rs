//! A service behind gateways: which of its deployments are connected, and what that makes of its routes.
//!
//! A route is nothing of its own: it is there while a deployment of the service is connected to the gateway, and its
//! status says what these deployments do.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Service, ServiceStatus};
use crate::arn::{GatewayKey, GatewayRouteKey};
use crate::endpoint;
use crate::model::{
    AccessType, DeploymentRolloutState as Rollout, GatewayConnection, GatewayRouteStatus as Status,
};
use crate::name::GatewayName;

/// A gateway that a revision is connected to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayAccess {
    /// Which one.
    pub gateway: GatewayName,
    /// From where it is reached.
    pub access: AccessType,
}

/// A gateway that the tasks of a deployment get traffic from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Which one.
    pub gateway: GatewayName,
    /// The named port that gets it.
    pub port: String,
    /// Whether the deployment before had it already.
    pub known: bool,
}

impl Service {
    /// The connections of a deployment that is about to be opened.
    pub(super) fn new_connections(&self) -> Vec<Connection> {
        let extras = &self.revision_extras;
        let Some(connector) = extras.gateway_connectors.iter().flatten().next() else { return Vec::new() };
        let connection = |access: &GatewayAccess| Connection {
            gateway: access.gateway.clone(),
            port: connector.port_name.clone(),
            known: self.gateways().contains(&access.gateway),
        };
        extras.gateways.iter().map(connection).collect()
    }

    /// The gateways that any deployment is connected to: those that have a route to the service.
    pub fn gateways(&self) -> BTreeSet<GatewayName> {
        if self.status == ServiceStatus::Inactive {
            return BTreeSet::new();
        }
        let connections = self.deployments.iter().flat_map(|deployment| &deployment.connections);
        connections.map(|connection| connection.gateway.clone()).collect()
    }

    /// The route of a gateway to the service: its status, and the port that it leads to. None if there is none.
    pub fn route(&self, gateway: &GatewayName) -> Option<(Status, &str)> {
        if self.status == ServiceStatus::Inactive {
            return None;
        }
        let mut connected = self.deployments.iter().filter_map(|deployment| {
            let connection = deployment.connections.iter().find(|one| one.gateway == *gateway)?;
            Some((deployment.id, connection))
        });
        let (newest, connection) = connected.next()?;
        let status = match self.primary().filter(|primary| primary.id == newest) {
            // Its end is on the way: the service's, or that of the last deployment with it.
            None => Status::DeleteInProgress,
            Some(_) if self.status == ServiceStatus::Draining => Status::DeleteInProgress,
            Some(primary) => match (primary.rollout, connection.known) {
                (Rollout::Completed, _) => Status::Active,
                (Rollout::InProgress, true) => Status::UpdateInProgress,
                (Rollout::InProgress, false) => Status::CreateInProgress,
                (Rollout::Failed, true) => Status::UpdateFailed,
                (Rollout::Failed, false) => Status::CreateFailed,
            },
        };
        Some((status, &connection.port))
    }

    /// The connections as a revision shows them; their status is put in when they are shown.
    pub(super) fn gateway_connections(&self) -> Option<Vec<GatewayConnection>> {
        let extras = &self.revision_extras;
        let connector = extras.gateway_connectors.iter().flatten().next()?;
        let connection = |access: &GatewayAccess| {
            let gateway = GatewayKey { scope: self.key.cluster.scope.clone(), name: access.gateway.clone() };
            let route = GatewayRouteKey { gateway, service: self.key.clone() };
            GatewayConnection {
                gateway_arn: Some(route.gateway.arn()),
                gateway_route_arn: Some(route.arn()),
                port_name: Some(connector.port_name.clone()),
                service_url: Some(route.url()),
                access_type: Some(access.access),
                status: None,
                resources: None,
            }
        };
        Some(extras.gateways.iter().map(connection).collect()).filter(|list: &Vec<_>| !list.is_empty())
    }
}

impl GatewayRouteKey {
    /// The address of the service behind this gateway; [`endpoint`] says what it would take for something to answer
    /// there.
    pub fn url(&self) -> String {
        let scope = &self.gateway.scope;
        format!("https://{}", endpoint::host(scope, self.service.name.as_str(), &self.arn()))
    }
}
