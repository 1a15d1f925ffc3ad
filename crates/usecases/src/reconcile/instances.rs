//! What a cluster's instances are to a service: where its tasks may go, and which they have to leave.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kecs_domain::arn::{ClusterKey, ServiceKey};
use kecs_domain::container_instance::InstanceState;
use kecs_domain::model::SchedulingStrategy;
use kecs_domain::name::HexId;
use kecs_domain::placement::Demand;
use kecs_domain::service::Service;
use kecs_domain::task::Task;

use super::Reconciler;
use super::definitions::Definitions;
use crate::container_instance::{self, Member, tasks_on};
use crate::context::Result;
use crate::daemon::held_instances;
use crate::task::make::{candidate, expressions_of};

/// When to look again at an instance that is drained, which keeps a daemon as long as it has other tasks.
pub(super) const DRAINED_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Default)]
pub(super) struct ServiceInstances {
    /// For the DAEMON strategy: those that should have a task.
    pub(super) fitting: Vec<HexId>,
    /// For the REPLICA strategy those that tasks have to leave; for the DAEMON strategy those that keep their task.
    pub(super) draining: Vec<HexId>,
    /// Whether one keeps its task, and is to be looked at again.
    pub(super) keeps: bool,
}

impl Reconciler<'_> {
    pub(super) async fn instances(
        &self,
        service: &Service,
        tasks: &[Arc<Task>],
        definitions: &Definitions,
    ) -> Result<ServiceInstances> {
        let cluster = &service.key.cluster;
        let drains = |member: &&Member| member.state == InstanceState::Draining;
        if service.scheduling_strategy() == SchedulingStrategy::Daemon {
            let members = container_instance::open(self.ports, cluster).await?;
            let fitting = self.fitting(service, &members, definitions).await?;
            let mut draining = Vec::new();
            for member in members.iter().filter(drains) {
                let has_task = tasks.iter().any(|task| task.instance == Some(member.id()));
                if has_task && self.has_replicas(cluster, member.id()).await? {
                    draining.push(member.id());
                }
            }
            return Ok(ServiceInstances { fitting, keeps: !draining.is_empty(), draining });
        }
        if tasks.iter().all(|task| task.instance.is_none()) {
            return Ok(ServiceInstances::default());
        }
        let members = container_instance::members(self.ports, cluster).await?;
        let draining = members.iter().filter(|member| member.state != InstanceState::Active);
        Ok(ServiceInstances { draining: draining.map(Member::id).collect(), ..ServiceInstances::default() })
    }

    /// Whether any task is left on an instance that has no place of its own there: one that is no daemon's and of no
    /// service with the DAEMON strategy.
    async fn has_replicas(&self, cluster: &ClusterKey, instance: HexId) -> Result<bool> {
        let mut known: BTreeMap<ServiceKey, bool> = BTreeMap::new();
        for task in tasks_on(self.ports, cluster, instance).await? {
            if task.daemon.is_some() {
                continue;
            }
            let Some(membership) = &task.service else { return Ok(true) };
            let key = ServiceKey { cluster: cluster.clone(), name: membership.name.clone() };
            if !known.contains_key(&key) {
                let found = self.ports.services.services(std::slice::from_ref(&key)).await?.pop().flatten();
                let daemon = |found: &Service| found.scheduling_strategy() == SchedulingStrategy::Daemon;
                known.insert(key.clone(), found.is_some_and(|found| daemon(&found)));
            }
            if known.get(&key) == Some(&false) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// For the DAEMON strategy: the instances that a task of the service may run on. Resources don't count here:
    /// what a daemon's own old task holds would speak against its new one.
    async fn fitting(
        &self,
        service: &Service,
        members: &[Member],
        definitions: &Definitions,
    ) -> Result<Vec<HexId>> {
        let definition = service.primary().and_then(|primary| definitions.get(&primary.definition));
        let demand = Demand {
            constraints: service.spec.placement_constraints.clone().unwrap_or_default(),
            definition_expressions: definition.as_deref().map(expressions_of).unwrap_or_default(),
            requires: definition
                .and_then(|definition| definition.doc.requires_attributes.clone())
                .unwrap_or_default(),
            ..Demand::default()
        };
        let held = held_instances(self.ports, &service.key.cluster, members).await?;
        let candidates = members.iter().map(|member| candidate(member, 0));
        Ok(candidates
            .filter(|candidate| !held.contains(&candidate.id))
            .filter(|candidate| candidate.check(&demand).is_ok())
            .map(|candidate| candidate.id)
            .collect())
    }
}
