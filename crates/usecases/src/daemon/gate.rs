//! A critical daemon's task comes before all others: until it runs, its instance takes no other task.

use std::collections::BTreeSet;

use kecs_domain::arn::ClusterKey;
use kecs_domain::daemon::{Daemon, DaemonState};
use kecs_domain::name::HexId;
use kecs_domain::resource::ResourceKind;

use crate::daemon_task_definition::all_kept;
use crate::ports::Instance;
use crate::{Ports, Result};

/// Whether daemons run on an instance at all: they are Linux programs.
pub(crate) fn fits(instance: &Instance) -> bool {
    let mut attributes = instance.attributes.iter();
    let system = attributes.find(|attribute| attribute.name == "ecs.os-type");
    system
        .and_then(|system| system.value.as_deref())
        .is_none_or(|system| system.eq_ignore_ascii_case("linux"))
}

/// Those of a cluster's instances that take no other task yet, because a critical daemon has no task there.
pub(crate) async fn held_instances(
    ports: &Ports,
    cluster: &ClusterKey,
    instances: &[Instance],
) -> Result<BTreeSet<HexId>> {
    let mut held = BTreeSet::new();
    let parent = Some(cluster.name.to_string());
    for kept in all_kept(ports, &cluster.scope, ResourceKind::Daemon, parent).await? {
        let Some(daemon) = kept.get::<Daemon>() else { continue };
        if daemon.state != DaemonState::Active || !daemon.settings.critical {
            continue;
        }
        let lacking = instances.iter().filter(|instance| fits(instance));
        held.extend(
            lacking.map(|instance| instance.id).filter(|id| daemon.serving.binary_search(id).is_err()),
        );
    }
    Ok(held)
}
