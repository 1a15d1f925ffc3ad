//! Capacity providers: Fargate's two, which every account has, and those that an account makes of its own.
//!
//! A provider of one's own stands for a group of nodes ([`group`]). Which task goes to which provider is decided by
//! [`crate::capacity`], what a cluster and a strategy may name by [`crate::cluster::strategy`].

mod configure;
pub mod group;
mod managed;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::arn::{Arn, capacity_provider_arn};
use crate::error::EcsError;
use crate::generated as model;
use crate::model::{CapacityProviderUpdateStatus, LaunchType, ManagedDraining, ManagedScalingStatus};
use crate::name::{ClusterName, is_legal};
use crate::scope::Scope;

pub use view::{AttachmentIds, predefined};

/// The capacity providers that every account has.
pub const FARGATE_PROVIDERS: [&str; 2] = ["FARGATE", "FARGATE_SPOT"];

/// What the name of a provider of one's own can't begin with, in any case. (API reference, CreateCapacityProvider)
const RESERVED_PREFIXES: [&str; 3] = ["aws", "ecs", "fargate"];

/// Whether `name` is one of the providers that every account has.
pub fn is_predefined(name: &str) -> bool {
    FARGATE_PROVIDERS.contains(&name)
}

/// A capacity provider that an account made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapacityProvider {
    /// Whose.
    pub scope: Scope,
    /// Its name, unique in the scope while it is ACTIVE.
    pub name: String,
    /// ACTIVE, or INACTIVE: deleted, still describable, and its name free again.
    pub active: bool,
    /// The cluster that it belongs to: of Managed Instances always, else never.
    pub cluster: Option<ClusterName>,
    /// Where its capacity comes from.
    pub capacity: Capacity,
    /// What became of the last change.
    pub update: Option<CapacityProviderUpdateStatus>,
    /// Why that failed.
    pub update_reason: Option<String>,
    /// Its tags.
    pub tags: Vec<model::Tag>,
    /// The clusters that it has been associated with. Those that it isn't associated with any more may still be in
    /// here: the cluster's own list is what counts, this one says where to look.
    pub clusters: BTreeSet<ClusterName>,
}

/// Where capacity comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Capacity {
    /// An Auto Scaling group.
    AutoScalingGroup(model::AutoScalingGroupProvider),
    /// Instances that ECS manages.
    ManagedInstances(Box<model::ManagedInstancesProvider>),
}

impl CapacityProvider {
    /// `capacity-provider/NAME`
    pub fn arn(&self) -> String {
        capacity_provider_arn(&self.scope, &self.name)
    }

    /// The launch type of the tasks that run on it.
    pub fn launch_type(&self) -> LaunchType {
        match self.capacity {
            Capacity::AutoScalingGroup(_) => LaunchType::Ec2,
            Capacity::ManagedInstances(_) => LaunchType::ManagedInstances,
        }
    }

    /// Whether `cluster` may be given it.
    pub fn is_for(&self, cluster: &ClusterName) -> bool {
        self.active && self.cluster.as_ref().is_none_or(|only| only == cluster)
    }

    /// Whether ECS scales its group.
    pub fn scales(&self) -> bool {
        let Capacity::AutoScalingGroup(group) = &self.capacity else { return false };
        let scaling = group.managed_scaling.as_ref();
        scaling.is_some_and(|scaling| scaling.status == Some(ManagedScalingStatus::Enabled))
    }

    /// Whether a task for which it has no room waits for new capacity: where ECS sees to that itself. (AWS
    /// documentation, cluster auto scaling)
    pub fn lets_tasks_wait(&self) -> bool {
        self.scales() || matches!(self.capacity, Capacity::ManagedInstances(_))
    }

    /// Whether ECS drains instances that its group takes away.
    pub fn drains(&self) -> bool {
        let Capacity::AutoScalingGroup(group) = &self.capacity else { return false };
        group.managed_draining == Some(ManagedDraining::Enabled)
    }

    /// The provider after an attempt to delete it that failed for `reason`.
    #[must_use]
    pub fn kept(&self, reason: String) -> Self {
        Self {
            update: Some(CapacityProviderUpdateStatus::DeleteFailed),
            update_reason: Some(reason),
            ..self.clone()
        }
    }

    /// The provider after it was deleted.
    #[must_use]
    pub fn deleted(&self) -> Self {
        Self {
            active: false,
            update: Some(CapacityProviderUpdateStatus::DeleteComplete),
            update_reason: None,
            clusters: BTreeSet::new(),
            ..self.clone()
        }
    }
}

/// `NAME` of this scope's `arn:...:capacity-provider/NAME`, and of `NAME`. Another scope's ARN stays as it is: no
/// provider is called so.
pub fn name_of<'a>(scope: &Scope, text: &'a str) -> &'a str {
    match Arn::parse(text) {
        Some(arn) if arn.service == "ecs" && arn.kind == "capacity-provider" && arn.within(scope).is_ok() => {
            arn.rest
        }
        _ => text,
    }
}

/// Checks the name of a new provider.
///
/// # Errors
/// `ClientException`, in ECS's words.
pub fn check_name(name: &str) -> Result<(), EcsError> {
    let reserved =
        |prefix: &&str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if is_legal(name) && !RESERVED_PREFIXES.iter().any(reserved) {
        return Ok(());
    }
    Err(EcsError::client(
        "The specified capacity provider name is invalid. Up to 255 characters are allowed, including letters (upper and lowercase), numbers, underscores, and hyphens. The name cannot be prefixed with \"aws\", \"ecs\", or \"fargate\". Specify a valid name and try again.",
    ))
}

/// `ClientException` for a provider that there isn't.
pub fn does_not_exist() -> EcsError {
    EcsError::client(
        "The specified capacity provider does not exist. Specify a valid name or ARN and try again.",
    )
}

/// Providers by name: an account's own ones, as far as somebody asked for them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Providers(BTreeMap<String, CapacityProvider>);

impl Providers {
    /// The provider of one's own with this name, ACTIVE or not.
    pub fn get(&self, name: &str) -> Option<&CapacityProvider> {
        self.0.get(name)
    }

    /// Whether `cluster` may be given the provider `name`.
    pub fn is_for(&self, name: &str, cluster: &ClusterName) -> bool {
        is_predefined(name) || self.get(name).is_some_and(|own| own.is_for(cluster))
    }

    /// The launch type of the tasks of the provider `name`; None if it isn't known.
    pub fn launch_type(&self, name: &str) -> Option<LaunchType> {
        if is_predefined(name) {
            return Some(LaunchType::Fargate);
        }
        self.get(name).map(CapacityProvider::launch_type)
    }
}

impl FromIterator<CapacityProvider> for Providers {
    fn from_iter<T: IntoIterator<Item = CapacityProvider>>(providers: T) -> Self {
        Self(providers.into_iter().map(|provider| (provider.name.clone(), provider)).collect())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn scope() -> Scope {
        Scope::new("123456789012", "eu-central-1")
    }

    /// An ACTIVE provider of the Auto Scaling group `asg-NAME`.
    pub(crate) fn group_provider(name: &str) -> CapacityProvider {
        let request = serde_json::from_value(serde_json::json!({
            "name": name, "autoScalingGroupProvider": {"autoScalingGroupArn": format!("asg-{name}")}
        }));
        CapacityProvider::create(&scope(), &request.unwrap(), None).unwrap()
    }

    #[test]
    fn names_have_legal_characters_and_no_reserved_prefix() {
        for good in ["mine", "my_own-1", "a", "myfargate", "fargat"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", "a b", "a.b", "FARGATE", "fargate_x", "Ecs-1", "AWSome", &"a".repeat(256)] {
            let message = check_name(bad).unwrap_err().message;
            assert!(message.starts_with("The specified capacity provider name is invalid."), "{bad}");
        }
    }

    #[test]
    fn a_provider_is_named_by_name_and_by_its_own_scopes_arn() {
        let arn = "arn:aws:ecs:eu-central-1:123456789012:capacity-provider/mine";
        assert_eq!(group_provider("mine").arn(), arn);
        assert_eq!(name_of(&scope(), arn), "mine");
        assert_eq!(name_of(&scope(), "mine"), "mine");
        let foreign = "arn:aws:ecs:eu-central-1:999999999999:capacity-provider/mine";
        assert_eq!(name_of(&scope(), foreign), foreign);
    }

    #[test]
    fn the_launch_type_follows_from_the_provider() {
        let known: Providers = [group_provider("mine")].into_iter().collect();
        assert_eq!(known.launch_type("FARGATE_SPOT"), Some(LaunchType::Fargate));
        assert_eq!(known.launch_type("mine"), Some(LaunchType::Ec2));
        assert_eq!(known.launch_type("other"), None);
    }

    #[test]
    fn a_deleted_provider_is_for_no_cluster() {
        let main = ClusterName::parse("main").unwrap();
        let mine = group_provider("mine");
        assert!(mine.is_for(&main));
        assert!(!mine.deleted().is_for(&main));
        assert!(mine.kept("in use".to_owned()).is_for(&main));
        let bound = CapacityProvider { cluster: ClusterName::parse("other"), ..mine };
        assert!(!bound.is_for(&main));
    }
}
