//! Where a daemon's tasks belong; and that a critical daemon's task comes before all others: until it runs, its
//! instance takes no other task.

use std::collections::{BTreeMap, BTreeSet};

use kecs_domain::arn::ClusterKey;
use kecs_domain::capacity_provider::group::Group;
use kecs_domain::capacity_provider::{CapacityProvider, name_of};
use kecs_domain::daemon::{Daemon, DaemonState};
use kecs_domain::name::HexId;
use kecs_domain::resource::ResourceKind;

use crate::capacity_provider;
use crate::container_instance::Member;
use crate::daemon_task_definition::all_kept;
use crate::{Ports, Result};

/// Whether daemons run on an instance at all: they are Linux programs, and the orchestrator's own nodes run them.
fn fits(member: &Member) -> bool {
    let mut attributes = member.instance.attributes.iter();
    let system = attributes.find(|attribute| attribute.name == "ecs.os-type");
    let system = system.and_then(|system| system.value.as_deref());
    !member.by_agent() && system.is_none_or(|system| system.eq_ignore_ascii_case("linux"))
}

/// The instances of a daemon's capacity providers, each with the ARN of the provider; of two that have an instance,
/// of the first. A provider that isn't there has the nodes that are labelled with its name.
pub(crate) async fn instances_of(
    ports: &Ports,
    daemon: &Daemon,
    members: &[Member],
) -> Result<BTreeMap<HexId, String>> {
    let (scope, providers) = (&daemon.key.cluster.scope, &daemon.settings.capacity_providers);
    let loaded = capacity_provider::load(ports, scope, providers.iter().map(String::as_str)).await?;
    let fitting = members.iter().filter(|member| fits(member));
    let fitting = fitting.map(|member| (member.id(), member.instance.attributes.as_slice()));
    let mut instances = BTreeMap::new();
    for arn in providers {
        let name = name_of(scope, arn);
        let unknown = Group { provider: name, scaling_group: None };
        let group = loaded.known.get(name).map_or(unknown, CapacityProvider::group);
        for id in group.instances(fitting.clone()) {
            instances.entry(id).or_insert_with(|| arn.clone());
        }
    }
    Ok(instances)
}

/// Those of a cluster's instances that take no other task yet, because a critical daemon has no task there.
pub(crate) async fn held_instances(
    ports: &Ports,
    cluster: &ClusterKey,
    members: &[Member],
) -> Result<BTreeSet<HexId>> {
    let mut held = BTreeSet::new();
    let parent = Some(cluster.name.to_string());
    for kept in all_kept(ports, &cluster.scope, ResourceKind::Daemon, parent).await? {
        let Some(daemon) = kept.get::<Daemon>() else { continue };
        if daemon.state != DaemonState::Active || !daemon.settings.critical {
            continue;
        }
        let lacking = instances_of(ports, daemon, members).await?.into_keys();
        held.extend(lacking.filter(|id| daemon.serving.binary_search(id).is_err()));
    }
    Ok(held)
}
