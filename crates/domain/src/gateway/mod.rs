//! Gateways: shared ways into the services of the clusters that they are associated with.
//!
//! What a gateway has of its own is its settings and its associations. Its routes are a matter of the services
//! (`service::Service::route`), and what it manages outside ECS follows from both ([`resources`]).

mod configure;
pub mod resources;
mod view;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use configure::{change, check_role, fill_in};

use crate::Timestamp;
use crate::arn::{GatewayKey, GatewayRouteKey};
use crate::generated as model;
use crate::model::{
    AccessType, GatewayElbScheme, GatewayStatus, HostSharedAlbConfiguration, PropagateGatewayTags,
};
use crate::name::ClusterName;

/// The most gateways that a cluster can be associated with. (API model, AssociateGatewayWithCluster)
pub const MOST_PER_CLUSTER: usize = 5;

/// Where an association is in its life. One that has ended isn't kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Association {
    /// Deployments of the cluster's services are connected.
    Active,
    /// They no longer are; there still are routes.
    Disassociating,
}

impl Association {
    /// As the API says it.
    pub const fn status(self) -> model::GatewayClusterAssociationStatus {
        match self {
            Self::Active => model::GatewayClusterAssociationStatus::Active,
            Self::Disassociating => model::GatewayClusterAssociationStatus::Disassociating,
        }
    }
}

/// A gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gateway {
    /// Which one.
    pub key: GatewayKey,
    /// ACTIVE, UPDATE_IN_PROGRESS or UPDATE_COMPLETE. There is nothing outside that an update could fail at.
    pub status: GatewayStatus,
    /// `infrastructureRoleArn`
    pub infrastructure_role: String,
    /// `deletionProtection`
    pub deletion_protection: bool,
    /// Its settings, with ECS's defaults.
    pub configuration: Box<HostSharedAlbConfiguration>,
    /// `propagateTags`
    pub propagate_tags: PropagateGatewayTags,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<model::Tag>,
    /// The token of the request that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last updated.
    pub updated_at: Timestamp,
    /// The clusters that it is associated with. They are in here, so that a change of any of them is a change of the
    /// gateway: nobody can delete it while somebody associates it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clusters: BTreeMap<ClusterName, Association>,
}

impl Gateway {
    /// From where it is reached: that follows from its scheme.
    pub fn access(&self) -> AccessType {
        match self.configuration.scheme {
            Some(GatewayElbScheme::Internal) => AccessType::Private,
            _ => AccessType::Public,
        }
    }

    /// Whether something of it has yet to be carried out.
    pub fn is_restless(&self) -> bool {
        self.status == GatewayStatus::UpdateInProgress
            || self.clusters.values().any(|association| *association == Association::Disassociating)
    }

    /// Whether a service of `cluster` with this connector gets traffic from it.
    pub fn takes(&self, cluster: &ClusterName, connector: &model::GatewayConnector) -> bool {
        let filter = connector.filters.as_ref().and_then(|filters| filters.access_types.as_ref());
        let passes = filter.is_none_or(|types| types.is_empty() || types.contains(&self.access()));
        passes && self.clusters.get(cluster) == Some(&Association::Active)
    }
}

/// That a service is, or has been, connected to a gateway: what lists of routes go by. Whether there is a route, and
/// in which state, the service knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayRoute {
    /// Which gateway and which service.
    pub key: GatewayRouteKey,
}
