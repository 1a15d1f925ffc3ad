//! ARNs: how ECS names things, and how clients name them back to us.
//!
//! Keys are typed; an ARN is their text. Resource identifiers come in as a name, a short ARN or a long one, and
//! `*_ref` functions read all of these forms.

mod gateway;
mod keys;

pub use gateway::{GatewayKey, GatewayRouteKey, gateway_ref};
pub(crate) use keys::ecs_arn;
pub use keys::{
    ClusterKey, ServiceDeploymentKey, ServiceKey, ServiceRevisionKey, TaskDefinitionKey, TaskKey,
    capacity_provider_arn,
};

use crate::error::EcsError;
use crate::name::{ClusterName, FamilyName, HexId, ServiceName};
use crate::scope::Scope;

/// An ARN taken apart: `arn:PARTITION:SERVICE:REGION:ACCOUNT:TYPE/REST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: &'a str,
    /// `ecs` for ours.
    pub service: &'a str,
    /// The region.
    pub region: &'a str,
    /// The account's number.
    pub account: &'a str,
    /// What comes before the first slash of the last part, such as `cluster`.
    pub kind: &'a str,
    /// What comes after that slash.
    pub rest: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes an ARN apart; `None` if the text isn't one.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let (partition, service) = (parts.next()?, parts.next()?);
        let (region, account) = (parts.next()?, parts.next()?);
        let (kind, rest) = parts.next()?.split_once('/')?;
        Some(Self { partition, service, region, account, kind, rest })
    }

    /// Refuses an ARN of another account or region than `scope`, as ECS does: no scope sees another's things.
    ///
    /// # Errors
    /// `InvalidParameterException` that names both.
    pub fn within(&self, scope: &Scope) -> Result<(), EcsError> {
        if self.account != scope.account() {
            return Err(EcsError::invalid_parameter(format!(
                "Identifier is for {}. Your accountId is {}",
                self.account,
                scope.account()
            )));
        }
        if self.region != scope.region() {
            return Err(EcsError::invalid_parameter(format!(
                "Identifier is for {}. Your region is {}",
                self.region,
                scope.region()
            )));
        }
        Ok(())
    }

    fn expect_kind(&self, kind: &str) -> Result<(), EcsError> {
        if self.service == "ecs" && self.kind == kind {
            Ok(())
        } else {
            Err(EcsError::invalid_parameter(format!("Unsupported resource type: {}", self.kind)))
        }
    }
}

/// Reads a cluster as clients name it: a name, an ARN, or nothing for `default`.
///
/// # Errors
/// `InvalidParameterException` for an illegal name, `ClusterNotFoundException` for another scope's ARN.
pub fn cluster_ref(scope: &Scope, text: Option<&str>) -> Result<ClusterKey, EcsError> {
    let text = text.filter(|text| !text.is_empty()).unwrap_or("default");
    let name = match Arn::parse(text) {
        None => text,
        Some(arn) => {
            arn.expect_kind("cluster")?;
            if arn.account != scope.account() || arn.region != scope.region() {
                return Err(EcsError::cluster_not_found());
            }
            arn.rest
        }
    };
    let name = ClusterName::parse(name).ok_or_else(|| {
        EcsError::invalid_parameter(format!("Cluster must match ^[a-zA-Z0-9\\-_]{{1,255}}$, but was {name}"))
    })?;
    Ok(ClusterKey::new(scope.clone(), name))
}

/// The last part of `CLUSTER/NAME` or `NAME`, after a check that a named cluster is `cluster`.
fn within_cluster<'a>(cluster: &ClusterKey, rest: &'a str) -> Result<&'a str, EcsError> {
    match rest.split_once('/') {
        Some((named, _)) if named != cluster.name.as_str() => Err(EcsError::invalid_parameter(format!(
            "Invalid identifier: Identifier is for cluster {named}. Your cluster is {}",
            cluster.name
        ))),
        Some((_, last)) => Ok(last),
        None => Ok(rest),
    }
}

/// Reads a task as clients name it, within `cluster`: the id, a short or a long ARN.
///
/// # Errors
/// `InvalidParameterException`, in ECS's words, for an id of a wrong length or another cluster's, account's or
/// kind's ARN.
pub fn task_ref(cluster: &ClusterKey, text: &str) -> Result<TaskKey, EcsError> {
    let id = match Arn::parse(text) {
        None => text,
        Some(arn) => {
            arn.expect_kind("task")?;
            arn.within(&cluster.scope)?;
            within_cluster(cluster, arn.rest)?
        }
    };
    let id = id.parse().map_err(|refused: crate::error::Refused| EcsError::invalid_parameter(refused.0))?;
    Ok(TaskKey { cluster: cluster.clone(), id })
}

/// Reads a container instance as clients name it, within `cluster`: the id, a short or a long ARN.
///
/// # Errors
/// `InvalidParameterException` for an id of a wrong length or another cluster's, account's or kind's ARN.
pub fn container_instance_ref(cluster: &ClusterKey, text: &str) -> Result<HexId, EcsError> {
    let id = match Arn::parse(text) {
        None => text,
        Some(arn) => {
            arn.expect_kind("container-instance")?;
            arn.within(&cluster.scope)?;
            within_cluster(cluster, arn.rest)?
        }
    };
    id.parse().map_err(|_| EcsError::invalid_parameter("instanceId length should be one of [32,36]"))
}

/// Reads a service as clients name it, within `cluster`: the name, a short or a long ARN.
///
/// # Errors
/// `InvalidParameterException` for another cluster's, account's or kind's ARN; `None` for an illegal name, which
/// no service can have.
pub fn service_ref(cluster: &ClusterKey, text: &str) -> Result<Option<ServiceKey>, EcsError> {
    let name = match Arn::parse(text) {
        None => text,
        Some(arn) => {
            arn.expect_kind("service")?;
            arn.within(&cluster.scope)?;
            within_cluster(cluster, arn.rest)?
        }
    };
    Ok(ServiceName::parse(name).map(|name| ServiceKey { cluster: cluster.clone(), name }))
}

/// What a client said of a task definition: `family`, `family:revision`, or either behind an ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskDefinitionRef {
    /// The family.
    pub family: FamilyName,
    /// The revision; without one the newest ACTIVE one is meant.
    pub revision: Option<i32>,
}

/// Why a reference to a task definition can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadTaskDefinitionRef {
    /// What stands after the colon is no positive number.
    Revision,
    /// The family is no legal name, or the ARN is of something else or of another scope.
    Family,
}

/// Reads a task definition as clients name it.
///
/// # Errors
/// [`BadTaskDefinitionRef`]; each operation has its own words for that.
pub fn task_definition_ref(scope: &Scope, text: &str) -> Result<TaskDefinitionRef, BadTaskDefinitionRef> {
    definition_ref(scope, "task-definition", text)
}

/// Reads what is named like a task definition, whose ARN says `kind`.
pub(crate) fn definition_ref(
    scope: &Scope,
    kind: &str,
    text: &str,
) -> Result<TaskDefinitionRef, BadTaskDefinitionRef> {
    let named = match Arn::parse(text) {
        None => text,
        Some(arn) => {
            let ours = arn.service == "ecs" && arn.kind == kind && arn.within(scope).is_ok();
            if !ours {
                return Err(BadTaskDefinitionRef::Family);
            }
            arn.rest
        }
    };
    let (family, revision) = match named.split_once(':') {
        None => (named, None),
        Some((family, digits)) => {
            let revision = digits.parse().ok().filter(|revision: &i32| *revision > 0);
            (family, Some(revision.ok_or(BadTaskDefinitionRef::Revision)?))
        }
    };
    let family = FamilyName::parse(family).ok_or(BadTaskDefinitionRef::Family)?;
    Ok(TaskDefinitionRef { family, revision })
}

/// Splits the `CLUSTER/SERVICE/ID` behind the ARN of a service deployment or a service revision.
pub fn service_child_ref<'a>(scope: &Scope, kind: &str, text: &'a str) -> Option<(ServiceKey, &'a str)> {
    let arn = Arn::parse(text).filter(|arn| arn.service == "ecs" && arn.kind == kind)?;
    arn.within(scope).ok()?;
    let mut parts = arn.rest.splitn(3, '/');
    let cluster = ClusterKey::new(scope.clone(), ClusterName::parse(parts.next()?)?);
    let name = ServiceName::parse(parts.next()?)?;
    Some((ServiceKey { cluster, name }, parts.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::DeploymentId;

    fn scope() -> Scope {
        Scope::new("123456789012", "eu-central-1")
    }

    fn cluster() -> ClusterKey {
        cluster_ref(&scope(), Some("main")).unwrap()
    }

    #[test]
    fn a_cluster_is_named_by_name_by_arn_or_not_at_all() {
        for (given, name) in [
            (None, "default"),
            (Some("main"), "main"),
            (Some("arn:aws:ecs:eu-central-1:123456789012:cluster/main"), "main"),
        ] {
            assert_eq!(cluster_ref(&scope(), given).unwrap().name.as_str(), name);
        }
        let foreign = cluster_ref(&scope(), Some("arn:aws:ecs:eu-central-1:999999999999:cluster/main"));
        assert_eq!(foreign, Err(EcsError::cluster_not_found()));
    }

    #[test]
    fn a_task_is_named_by_id_and_by_both_kinds_of_arn() {
        let id = "0123456789abcdef0123456789abcdef";
        let arn = "arn:aws:ecs:eu-central-1:123456789012:task";
        for text in [id.to_owned(), format!("{arn}/{id}"), format!("{arn}/main/{id}")] {
            let key = task_ref(&cluster(), &text).unwrap();
            assert_eq!(key.arn(), format!("{arn}/main/{id}"));
        }
        for (text, message) in [
            (
                format!("{arn}/other/{id}"),
                "Invalid identifier: Identifier is for cluster other. Your cluster is main",
            ),
            (
                format!("arn:aws:ecs:eu-central-1:999999999999:task/main/{id}"),
                "Identifier is for 999999999999. Your accountId is 123456789012",
            ),
            (
                "arn:aws:ecs:eu-central-1:123456789012:cluster/main".into(),
                "Unsupported resource type: cluster",
            ),
            ("nope".into(), "taskId length should be one of [32,36]"),
        ] {
            assert_eq!(task_ref(&cluster(), &text).unwrap_err().message, message);
        }
    }

    #[test]
    fn a_task_definition_is_named_with_and_without_a_revision() {
        let arn = "arn:aws:ecs:eu-central-1:123456789012:task-definition";
        for (text, revision) in [("web", None), ("web:7", Some(7))] {
            for text in [text.to_owned(), format!("{arn}/{text}")] {
                assert_eq!(task_definition_ref(&scope(), &text).unwrap().revision, revision, "{text}");
            }
        }
        assert_eq!(task_definition_ref(&scope(), "web:bad"), Err(BadTaskDefinitionRef::Revision));
        assert_eq!(task_definition_ref(&scope(), "web:0"), Err(BadTaskDefinitionRef::Revision));
        assert_eq!(task_definition_ref(&scope(), "we b"), Err(BadTaskDefinitionRef::Family));
    }

    #[test]
    fn the_arn_of_a_service_revision_is_read_back() {
        let service = service_ref(&cluster(), "web").unwrap().unwrap();
        let key = ServiceRevisionKey { service: service.clone(), id: DeploymentId::from_random(7) };
        let arn = key.arn();
        let (read, digits) = service_child_ref(&scope(), "service-revision", &arn).unwrap();
        assert_eq!(read, service);
        assert_eq!(DeploymentId::parse_number(digits), Some(key.id));
    }
}
