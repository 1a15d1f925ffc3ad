//! Express services: services whose task definition, network and scaling ECS sets up from a container image.
//!
//! An Express service is a service like any other: the same entity, the same deployments, revisions and tasks. What
//! it has beyond that belongs to its revisions ([`Express`]), so that a rollback brings it back too; all else that
//! the API shows of it is read off the revision and its task definition ([`view`]).
//!
//! Deliberately not in here: changing the number of tasks by a metric. `scalingTarget` bounds the desired count, and
//! its metric is kept and read back; there is no source of metrics that could move it.

mod container;
mod scaling;
mod validate;
pub mod view;

use serde::{Deserialize, Serialize};

pub use container::{MAIN, Wanted, family};
pub use scaling::{bound, scaling_target};
pub use validate::{check_definition, check_health_path, check_network, check_role, network};

use crate::generated as model;

/// Where health checks go if nobody says. (API model, `healthCheckPath`)
pub const DEFAULT_HEALTH_PATH: &str = "/ping";

/// What a revision of an Express service has beyond that of another service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Express {
    /// `infrastructureRoleArn`; it never changes.
    pub infrastructure_role: String,
    /// `healthCheckPath`
    pub health_check_path: String,
    /// `scalingTarget`, with its defaults.
    pub scaling: model::ExpressGatewayScalingTarget,
    /// Whether ECS made the task definition; otherwise its user did.
    pub managed: bool,
}
