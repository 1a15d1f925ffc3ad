//! The checks of where tasks go: onto instances that take tasks, after their critical daemons, and to providers by
//! base and weight.

use std::collections::BTreeMap;
use std::sync::Arc;

use kecs_domain::arn::ServiceRevisionKey;
use kecs_domain::capacity::check_shares;
use kecs_domain::capacity_provider::CapacityProvider;
use kecs_domain::capacity_provider::group::{Group, PROVIDER_ATTRIBUTE};
use kecs_domain::container_instance::InstanceState;
use kecs_domain::daemon::{Daemon, DaemonState};
use kecs_domain::model::{Attribute, CapacityProviderStrategyItem};
use kecs_domain::name::{DeploymentId, HexId};
use kecs_domain::resource::ResourceKey;
use kecs_domain::service::Service;
use kecs_domain::task::{DesiredStatus, Task};
use kecs_usecases::ports::{Entity, WakeKey};

use super::{Commit, Ledger, instance_key};
use crate::simulation::shared::Origin;

impl Ledger {
    /// Where the tasks of a commit go that had no place before.
    pub(super) fn check_places(&mut self, commit: &Commit<'_>) {
        let ours = match &*commit.job.origin {
            Origin::Api(operation) => *operation == "RunTask",
            Origin::Reconcile(_) => true,
            _ => false,
        };
        if !ours {
            return;
        }
        let begun = self.begun.get(&commit.job.number).copied().unwrap_or(0);
        let tasks = commit.changes.puts.iter().filter_map(|(entity, _)| match entity {
            Entity::Task(task) => Some(task),
            _ => None,
        });
        let placed = tasks.filter(|task| self.tasks.get(&task.key).is_none_or(|it| it.instance.is_none()));
        let placed: Vec<_> = placed.filter_map(|task| Some((task, task.instance?))).collect();
        let mut wrong = Vec::new();
        for (task, instance) in placed {
            let cluster = &task.key.cluster;
            let state = self.instance_state(cluster, instance);
            if state != InstanceState::Active && self.is_old(&instance_key(cluster, instance), begun) {
                let text = format!("task {} goes to {instance}, which is {state:?}", task.key.id);
                wrong.push(("tasks go where tasks are taken", text));
            }
            if let Some(daemon) = self.comes_before(task, instance, begun) {
                let text = format!("task {} comes to {instance} before daemon {daemon}", task.key.id);
                wrong.push(("daemons come first", text));
            }
        }
        for (promise, text) in wrong {
            self.violate(promise, text);
        }
        self.check_strategies(commit);
    }

    /// Whether a resource has been as it is since a job began, so that the job has seen it so.
    pub(super) fn is_old(&self, key: &ResourceKey, begun: u64) -> bool {
        self.entered.get(key).is_some_and(|entered| *entered <= begun)
    }

    /// The critical daemon that has no task on an instance, if there is one and whoever placed `task` had to know.
    fn comes_before(&self, task: &Task, instance: HexId, begun: u64) -> Option<String> {
        let missing = |daemon: &&Daemon| {
            daemon.key.cluster == task.key.cluster
                && daemon.state == DaemonState::Active
                && daemon.settings.critical
                && self.is_old(&daemon.key.resource(), begun)
                && daemon.serving.binary_search(&instance).is_err()
                && self.belongs(daemon, instance)
        };
        let daemon = self.daemons().filter(|_| task.daemon.is_none()).find(missing)?;
        Some(daemon.key.name.to_string())
    }

    /// Whether an instance is one of a daemon's, whatever other nodes there are at the moment.
    fn belongs(&self, daemon: &Daemon, instance: HexId) -> bool {
        let Some(attributes) = self.nodes.get(&instance) else { return false };
        daemon.settings.capacity_providers.iter().any(|arn| {
            let name = arn.rsplit('/').next().unwrap_or_default();
            let known = self.resources.values().filter_map(|kept| kept.get::<CapacityProvider>());
            let known = known.into_iter().find(|provider| provider.name == name);
            let unknown = Group { provider: name, scaling_group: None };
            let group = known.map_or(unknown, CapacityProvider::group);
            let labelled =
                |attributes: &[Attribute]| attributes.iter().any(|it| it.name == PROVIDER_ATTRIBUTE);
            group.owns(attributes)
                || (!self.nodes.values().any(|node| group.owns(node)) && !labelled(attributes))
        })
    }

    /// Whether the tasks that a service's scheduler starts go to its providers by base and weight. Where a provider
    /// may refuse a task because it has no room, nothing can be said.
    fn check_strategies(&mut self, commit: &Commit<'_>) {
        let Origin::Reconcile(WakeKey::Service(key)) = &*commit.job.origin else { return };
        let Some(seen) = self.sights.get(&commit.job.number) else { return };
        let (Some(service), Some(tasks)) = (&seen.service, &seen.tasks) else { return };
        let mut started: BTreeMap<DeploymentId, Vec<&str>> = BTreeMap::new();
        for (entity, _) in &commit.changes.puts {
            let Entity::Task(task) = entity else { continue };
            let Some(of) = task.service.as_ref().filter(|_| !self.tasks.contains_key(&task.key)) else {
                continue;
            };
            let provider = task.doc.capacity_provider_name.as_deref();
            started.entry(of.deployment).or_default().extend(provider);
        }
        let mut wrong = None;
        for (deployment, providers) in started {
            let strategy = self.strategy_of(service, deployment).unwrap_or_default();
            if strategy.is_empty() || !strategy.iter().all(|item| self.never_refuses(&item.capacity_provider))
            {
                continue;
            }
            let before = |provider: &str| count(tasks, deployment, provider);
            wrong = wrong.or(check_shares(strategy, before, providers).err());
        }
        if let Some(wrong) = wrong {
            self.violate(
                "tasks are shared out",
                format!("service {}/{}: {wrong}", key.cluster.name, key.name),
            );
        }
    }

    /// The strategy of a task set, or of a deployment: of an older one, that of its revision.
    fn strategy_of<'a>(
        &'a self,
        service: &'a Service,
        deployment: DeploymentId,
    ) -> Option<&'a [CapacityProviderStrategyItem]> {
        if let Ok(set) = service.task_set(Some(deployment)) {
            return set.settings.capacity_provider_strategy.as_deref();
        }
        let key = ServiceRevisionKey { service: service.key.clone(), id: deployment };
        let current = service.primary().is_some_and(|primary| primary.id == deployment);
        let older = self.revisions.get(&key).filter(|_| !current);
        let spec = older.map_or(&service.spec, |older| &older.spec);
        spec.capacity_provider_strategy.as_deref()
    }

    fn never_refuses(&self, provider: &str) -> bool {
        let mut own = self.resources.values().filter_map(|kept| kept.get::<CapacityProvider>());
        let own = own.find(|own| own.name == provider);
        own.map_or(provider.starts_with("FARGATE"), CapacityProvider::lets_tasks_wait)
    }
}

/// How many tasks of a deployment a provider has.
fn count(tasks: &[Arc<Task>], deployment: DeploymentId, provider: &str) -> usize {
    let counts = |task: &&Arc<Task>| {
        task.desired == DesiredStatus::Running
            && task.service.as_ref().is_some_and(|of| of.deployment == deployment)
            && task.doc.capacity_provider_name.as_deref() == Some(provider)
    };
    tasks.iter().filter(counts).count()
}
