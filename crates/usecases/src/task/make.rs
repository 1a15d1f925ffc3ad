//! Makes tasks: for RunTask and for services. Placed where instances are placed on, tagged, with fresh ids.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kecs_domain::Doc;
use kecs_domain::arn::{ClusterKey, TaskKey};
use kecs_domain::capacity::distribute;
use kecs_domain::capacity_provider::CapacityProvider;
use kecs_domain::model::{
    self, LaunchType, NetworkConfiguration, PlacementConstraint, PlacementStrategy, TaskOverride,
    TaskVolumeConfiguration,
};
use kecs_domain::name::{HexId, TaskId};
use kecs_domain::placement::{Amounts, Candidate, Demand, Misfit, demand_of, place};
use kecs_domain::task::{
    DesiredStatus, LaunchSettings, NewTask, ServiceMembership, Task, effective_overrides, zone_of_subnet,
};
use kecs_domain::task_definition::TaskDefinition;

use super::Where;
use crate::container_instance::{self, Member};
use crate::context::{Ports, Result};
use crate::daemon;
use crate::ports::{InstanceStatus, TaskQuery};
use kecs_domain::pagination::PageRequest;

/// What tasks are made of.
pub(crate) struct Recipe<'a> {
    pub(crate) cluster: &'a ClusterKey,
    pub(crate) definition: &'a Arc<TaskDefinition>,
    pub(crate) place: &'a Where,
    pub(crate) overrides: Doc<TaskOverride>,
    pub(crate) group: String,
    pub(crate) started_by: Option<String>,
    pub(crate) enable_execute_command: bool,
    pub(crate) platform_version: Option<String>,
    pub(crate) service: Option<ServiceMembership>,
    pub(crate) tags: Vec<model::Tag>,
    pub(crate) launch: Arc<LaunchSettings>,
    /// Placed already, by the DAEMON strategy.
    pub(crate) instance: Option<HexId>,
    /// How many tasks of the same group each provider has.
    pub(crate) per_provider: &'a (dyn Fn(&str) -> usize + Sync),
}

/// The tasks that could be made, and why others could not.
pub(crate) struct Made {
    pub(crate) tasks: Vec<Task>,
    /// The instances that the first unplaced task didn't fit on. Empty with `unplaced` if there are none at all.
    pub(crate) misfits: Vec<(HexId, Misfit)>,
    /// How many could not be placed.
    pub(crate) unplaced: usize,
    /// Whether there was no instance at all that came into question for one that could not be placed.
    pub(crate) no_instances: bool,
}

/// The launch settings of a request.
pub(crate) fn launch_settings(
    network: Option<NetworkConfiguration>,
    constraints: Option<Vec<PlacementConstraint>>,
    strategy: Option<Vec<PlacementStrategy>>,
    volumes: Option<Vec<TaskVolumeConfiguration>>,
) -> Arc<LaunchSettings> {
    Arc::new(LaunchSettings {
        network,
        placement_constraints: constraints.unwrap_or_default(),
        placement_strategy: strategy.unwrap_or_default(),
        volumes: volumes.unwrap_or_default(),
    })
}

impl Recipe<'_> {
    /// Makes a task on the recipe's instance, which stands in `zone`.
    pub(crate) async fn make_at(self, ports: &Ports, zone: Option<String>) -> Result<Made> {
        self.make_in(ports, 1, zone).await
    }

    /// Makes up to `count` tasks. Nothing is stored or launched yet.
    pub(crate) async fn make(self, ports: &Ports, count: usize) -> Result<Made> {
        let zone = self.fargate_zone();
        self.make_in(ports, count, zone).await
    }

    async fn make_in(self, ports: &Ports, count: usize, zone: Option<String>) -> Result<Made> {
        let mut made = Made { tasks: Vec::new(), misfits: Vec::new(), unplaced: 0, no_instances: false };
        let launch_type = self.place.launch_type();
        let providers = match self.place {
            Where::LaunchType(_) => vec![None; count],
            Where::Strategy(strategy) => {
                distribute(&strategy.items, self.per_provider, count).into_iter().map(Some).collect()
            }
        };
        let placed =
            matches!(launch_type, LaunchType::Ec2 | LaunchType::External | LaunchType::ManagedInstances);
        let (mut candidates, mut demand) = if placed && self.instance.is_none() {
            let demand = self.demand();
            (candidates(ports, self.cluster, self.service.as_ref(), &demand).await?, demand)
        } else {
            (Vec::new(), Demand::default())
        };
        let groups = self.groups(&candidates);
        // Once, and all tasks share it.
        let overrides = effective_overrides(&self.definition.doc, self.overrides.clone());
        let now = ports.clock.now();
        for provider in providers {
            let (instance, zone, by_agent) = if placed && self.instance.is_none() {
                demand.only = provider.as_ref().and_then(|name| groups.get(name).cloned());
                #[allow(clippy::cast_possible_truncation, reason = "any 64 of the bits will do")]
                match place(&mut candidates, &demand, ports.ids.bits() as u64) {
                    Ok(index) => {
                        let chosen = &candidates[index];
                        (Some(chosen.id), Some(chosen.availability_zone.clone()), chosen.by_agent)
                    }
                    // It is made all the same, and gets its place when there is one.
                    Err(_) if self.waits(provider.as_deref()) => (None, None, false),
                    Err(misfits) => {
                        made.unplaced += 1;
                        // Every instance that comes into question says what speaks against it.
                        made.no_instances |= misfits.is_empty();
                        if made.misfits.is_empty() {
                            made.misfits = misfits;
                        }
                        continue;
                    }
                }
            } else {
                (self.instance, zone.clone(), false)
            };
            let new = NewTask {
                key: TaskKey { cluster: self.cluster.clone(), id: ports.ids.hex() },
                definition: self.definition,
                launch_type: Some(launch_type),
                capacity_provider: provider,
                overrides: overrides.clone(),
                group: self.group.clone(),
                started_by: self.started_by.clone(),
                enable_execute_command: self.enable_execute_command,
                platform_version: self.platform_version.clone(),
                service: self.service.clone(),
                daemon: None,
                instance,
                availability_zone: zone,
                tags: self.tags.clone(),
                launch: Arc::clone(&self.launch),
                created_at: now,
            };
            let task = new.create(&mut || ports.ids.uuid());
            made.tasks.push(Task { by_agent, ..task });
        }
        Ok(made)
    }

    /// Whether a task waits for capacity of the provider that a strategy picked for it.
    fn waits(&self, provider: Option<&str>) -> bool {
        let Where::Strategy(strategy) = self.place else { return false };
        let provider = provider.and_then(|name| strategy.own.get(name));
        provider.is_some_and(CapacityProvider::lets_tasks_wait)
    }

    /// What one of the tasks asks of its instance.
    pub(crate) fn demand(&self) -> Demand {
        Demand {
            only: None,
            group: self.group.clone(),
            requires: self.definition.doc.requires_attributes.clone().unwrap_or_default(),
            amounts: demand_of(&self.definition.doc, Some(&self.overrides)),
            constraints: self.launch.placement_constraints.clone(),
            definition_expressions: expressions_of(self.definition),
            strategies: self.launch.placement_strategy.clone(),
        }
    }

    /// The instances of each provider of the strategy that is a group of instances.
    fn groups(&self, candidates: &[Candidate]) -> BTreeMap<String, BTreeSet<HexId>> {
        let Where::Strategy(strategy) = self.place else { return BTreeMap::new() };
        let instances = candidates.iter().map(|candidate| (candidate.id, candidate.attributes.as_slice()));
        let own = strategy.items.iter().filter_map(|item| strategy.own.get(&item.capacity_provider));
        own.map(|provider| (provider.name.clone(), provider.instances(instances.clone()))).collect()
    }

    fn fargate_zone(&self) -> Option<String> {
        let vpc = self.launch.network.as_ref()?.awsvpc_configuration.as_ref()?;
        Some(zone_of_subnet(self.cluster.scope.region(), vpc.subnets.first()?))
    }
}

/// The cluster's instances, with what of their tasks decides anything.
pub(crate) async fn candidates(
    ports: &Ports,
    cluster: &ClusterKey,
    service: Option<&ServiceMembership>,
    demand: &Demand,
) -> Result<Vec<Candidate>> {
    let members = container_instance::open(ports, cluster).await?;
    let held = daemon::held_instances(ports, cluster, &members).await?;
    let wanted = demand.neighbours();
    let mut candidates = Vec::with_capacity(members.len());
    for member in &members {
        let all = TaskQuery {
            desired: Some(DesiredStatus::Running),
            instance: Some(member.id()),
            ..TaskQuery::of_cluster(cluster)
        };
        let (groups, of_group) = match service {
            // A service's tasks are always spread, and are counted without a look at them.
            Some(membership) if !wanted.named => {
                let own = TaskQuery { service: Some(membership.name.clone()), ..all };
                (Vec::new(), ids(ports, &own).await?.len())
            }
            None if !wanted.named && !wanted.counted => (Vec::new(), 0),
            _ => {
                let groups = groups(ports, &all).await?;
                let of_group = groups.iter().filter(|group| **group == demand.group).count();
                (groups, of_group)
            }
        };
        let mut candidate = Candidate { groups, ..candidate(member, of_group) };
        candidate.available &= !held.contains(&candidate.id);
        candidates.push(candidate);
    }
    Ok(candidates)
}

async fn ids(ports: &Ports, query: &TaskQuery) -> Result<Vec<TaskId>> {
    let page = PageRequest { after: None, limit: usize::MAX - 1 };
    Ok(ports.tasks.list_tasks(query, page).await?.items)
}

/// The groups of some tasks, one for each.
async fn groups(ports: &Ports, query: &TaskQuery) -> Result<Vec<String>> {
    let keys = ids(ports, query).await?.into_iter().map(|id| TaskKey { cluster: query.cluster.clone(), id });
    let tasks = ports.tasks.tasks(&keys.collect::<Vec<_>>()).await?;
    Ok(tasks.iter().flatten().filter_map(|task| task.doc.group.clone()).collect())
}

/// The `memberOf` expressions of a task definition.
pub(crate) fn expressions_of(definition: &TaskDefinition) -> Vec<String> {
    let constraints = definition.doc.placement_constraints.iter().flatten();
    constraints.filter_map(|constraint| constraint.expression.clone()).collect()
}

/// An instance as placement sees it.
pub(crate) fn candidate(member: &Member, of_group: usize) -> Candidate {
    let instance = &member.instance;
    let (have, left) = (&instance.registered, &instance.remaining);
    Candidate {
        id: instance.id,
        host: instance.host.clone(),
        availability_zone: instance.availability_zone.clone(),
        remaining: Amounts {
            cpu: left.cpu,
            memory: left.memory,
            ports: have.ports.iter().chain(&left.ports).copied().collect(),
        },
        attributes: instance.attributes.clone(),
        available: instance.status == InstanceStatus::Active && instance.connected,
        of_group,
        groups: Vec::new(),
        by_agent: member.by_agent(),
    }
}
