//! The identities of daemons and of what belongs to them, their ARNs, and where they are kept.

use serde::{Deserialize, Serialize};

use super::{Daemon, DaemonDeployment, DaemonFamily, DaemonRevision, DaemonTaskDefinition};
use crate::arn::{
    Arn, BadTaskDefinitionRef, ClusterKey, TaskDefinitionKey, TaskDefinitionRef, definition_ref, ecs_arn,
};
use crate::error::EcsError;
use crate::name::{ClusterName, DaemonName, DeploymentId, FamilyName};
use crate::resource::ResourceKey;
use crate::scope::Scope;

/// A daemon's identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DaemonKey {
    /// The cluster it runs in.
    pub cluster: ClusterKey,
    /// Its name.
    pub name: DaemonName,
}

/// The identity of a daemon revision: `daemon-revision/CLUSTER/NAME/NUMBER`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DaemonRevisionKey {
    /// The daemon whose revision it is.
    pub daemon: DaemonKey,
    /// Its number.
    pub id: DeploymentId,
}

/// The identity of a daemon deployment: `daemon-deployment/CLUSTER/NAME/ID`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DaemonDeploymentKey {
    /// The daemon that is deployed.
    pub daemon: DaemonKey,
    /// 21 characters of `[A-Za-z0-9_-]`.
    pub id: String,
}

impl DaemonKey {
    /// `daemon/CLUSTER/NAME`
    pub fn arn(&self) -> String {
        self.child_arn("daemon", "")
    }

    /// Where it is kept.
    pub fn resource(&self) -> ResourceKey {
        ResourceKey::of::<Daemon>(&self.cluster.scope, self.cluster.name.as_str(), self.name.as_str())
    }

    /// The daemon that is kept there.
    pub fn of_resource(key: &ResourceKey) -> Option<Self> {
        let cluster = ClusterKey::new(key.scope.clone(), ClusterName::parse(&key.parent)?);
        Some(Self { cluster, name: DaemonName::parse(&key.id)? })
    }

    /// What its revisions and deployments belong to.
    pub fn parent(&self) -> String {
        format!("{}/{}", self.cluster.name, self.name)
    }

    /// What its tasks carry in `startedBy`. Stores find them by it.
    pub fn started_by(&self) -> String {
        format!("ecs-daemon/{}", self.name)
    }

    /// What its tasks carry in `group`.
    pub fn group(&self) -> String {
        format!("daemon:{}", self.name)
    }

    fn child_arn(&self, kind: &str, rest: &str) -> String {
        ecs_arn(&self.cluster.scope, format_args!("{kind}/{}/{}{rest}", self.cluster.name, self.name))
    }
}

impl DaemonRevisionKey {
    /// `daemon-revision/CLUSTER/NAME/NUMBER`
    pub fn arn(&self) -> String {
        self.daemon.child_arn("daemon-revision", &format!("/{:019}", self.id.number()))
    }

    /// Where it is kept.
    pub fn resource(&self) -> ResourceKey {
        let scope = &self.daemon.cluster.scope;
        ResourceKey::of::<DaemonRevision>(scope, self.daemon.parent(), format!("{:019}", self.id.number()))
    }
}

impl DaemonDeploymentKey {
    /// `daemon-deployment/CLUSTER/NAME/ID`
    pub fn arn(&self) -> String {
        self.daemon.child_arn("daemon-deployment", &format!("/{}", self.id))
    }

    /// Where it is kept.
    pub fn resource(&self) -> ResourceKey {
        let scope = &self.daemon.cluster.scope;
        ResourceKey::of::<DaemonDeployment>(scope, self.daemon.parent(), self.id.as_str())
    }
}

/// `daemon-task-definition/FAMILY:REVISION`
pub fn daemon_task_definition_arn(key: &TaskDefinitionKey) -> String {
    ecs_arn(&key.scope, format_args!("daemon-task-definition/{}:{}", key.family, key.revision))
}

/// Where a daemon task definition is kept. The zeros make texts sort like numbers.
pub fn definition_key(key: &TaskDefinitionKey) -> ResourceKey {
    ResourceKey::of::<DaemonTaskDefinition>(&key.scope, key.family.as_str(), format!("{:010}", key.revision))
}

/// Where it is kept what is remembered of a family of daemon task definitions.
pub fn family_key(scope: &Scope, family: &FamilyName) -> ResourceKey {
    ResourceKey::of::<DaemonFamily>(scope, "", family.as_str())
}

/// Reads a daemon task definition as clients name it: `family`, `family:revision`, or either behind an ARN.
///
/// # Errors
/// [`BadTaskDefinitionRef`]; each operation has its own words for that.
pub fn daemon_task_definition_ref(
    scope: &Scope,
    text: &str,
) -> Result<TaskDefinitionRef, BadTaskDefinitionRef> {
    definition_ref(scope, "daemon-task-definition", text)
}

/// Reads the ARN of a daemon.
///
/// # Errors
/// `InvalidParameterException` for what is none, and for one of another account or region.
pub fn daemon_ref(scope: &Scope, text: &str) -> Result<DaemonKey, EcsError> {
    let invalid = || EcsError::invalid_parameter("The Daemon ARN provided is invalid.");
    let arn = Arn::parse(text).filter(|arn| arn.service == "ecs" && arn.kind == "daemon");
    let arn = arn.ok_or_else(invalid)?;
    arn.within(scope)?;
    let (cluster, name) = arn.rest.split_once('/').ok_or_else(invalid)?;
    let cluster = ClusterName::parse(cluster).ok_or_else(invalid)?;
    let name = DaemonName::parse(name).ok_or_else(invalid)?;
    Ok(DaemonKey { cluster: ClusterKey::new(scope.clone(), cluster), name })
}

/// Splits the `CLUSTER/DAEMON/ID` behind the ARN of a daemon deployment or a daemon revision.
pub fn daemon_child_ref<'a>(scope: &Scope, kind: &str, text: &'a str) -> Option<(DaemonKey, &'a str)> {
    let arn = Arn::parse(text).filter(|arn| arn.service == "ecs" && arn.kind == kind)?;
    arn.within(scope).ok()?;
    let mut parts = arn.rest.splitn(3, '/');
    let cluster = ClusterKey::new(scope.clone(), ClusterName::parse(parts.next()?)?);
    let name = DaemonName::parse(parts.next()?)?;
    let id = parts.next().filter(|id| !id.is_empty() && !id.contains('/'))?;
    Some((DaemonKey { cluster, name }, id))
}
