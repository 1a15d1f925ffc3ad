//! A plain model of a store: every answer is a scan over a list. Slow, and easy to believe.

use std::collections::BTreeMap;

use kecs_domain::arn::{ClusterKey, ServiceKey, TaskKey};
use kecs_domain::cluster::{ClusterCounts, ClusterStatus};
use kecs_domain::name::{ClusterName, FamilyName, ServiceName, TaskId};
use kecs_domain::service::{Service, ServiceDeployment, ServiceStatus};
use kecs_domain::task::{Task, TaskStatus};
use kecs_domain::task_definition::{TaskDefinition, TaskDefinitionFamily, TaskDefinitionState};
use kecs_domain::{Scope, Timestamp};
use kecs_usecases::ports::store::{Entity, EntityKey, FamilyKey, FamilyQuery, ServiceDeploymentQuery};
use kecs_usecases::ports::{Changes, Expect, ServiceQuery, TaskDefinitionQuery, TaskQuery, Version};

/// Everything that is stored.
#[derive(Default)]
pub(super) struct Model {
    pub(super) entities: BTreeMap<EntityKey, (Entity, Version)>,
}

impl Model {
    /// Whether the commit should be made.
    pub(super) fn allows(&self, changes: &Changes) -> bool {
        let holds = |key: &EntityKey, expect: Expect| match expect {
            Expect::Any => true,
            Expect::Absent => !self.entities.contains_key(key),
            Expect::Version(version) => self.entities.get(key).is_some_and(|(_, stored)| *stored == version),
        };
        changes.puts.iter().all(|(entity, expect)| holds(&entity.key(), *expect))
            && changes.deletes.iter().chain(&changes.requires).all(|(key, expect)| holds(key, *expect))
    }

    /// Takes over a commit that was made.
    pub(super) fn apply(&mut self, changes: Changes, versions: &[Version]) {
        for ((entity, _), version) in changes.puts.into_iter().zip(versions) {
            self.entities.insert(entity.key(), (entity, *version));
        }
        for (key, _) in changes.deletes {
            self.entities.remove(&key);
        }
    }

    pub(super) fn version(&self, key: &EntityKey) -> Option<Version> {
        self.entities.get(key).map(|(_, version)| *version)
    }

    fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.entities
            .values()
            .filter_map(|(entity, _)| if let Entity::Task(it) = entity { Some(&**it) } else { None })
    }

    fn services(&self) -> impl Iterator<Item = &Service> {
        self.entities
            .values()
            .filter_map(|(entity, _)| if let Entity::Service(it) = entity { Some(&**it) } else { None })
    }

    fn definitions(&self) -> impl Iterator<Item = &TaskDefinition> {
        let all = self.entities.values();
        all.filter_map(|(entity, _)| if let Entity::TaskDefinition(it) = entity { Some(&**it) } else { None })
    }

    fn families(&self) -> impl Iterator<Item = &TaskDefinitionFamily> {
        self.entities
            .values()
            .filter_map(|(entity, _)| if let Entity::Family(it) = entity { Some(&**it) } else { None })
    }

    fn deployments(&self) -> impl Iterator<Item = &ServiceDeployment> {
        let all = self.entities.values();
        all.filter_map(
            |(entity, _)| if let Entity::ServiceDeployment(it) = entity { Some(&**it) } else { None },
        )
    }

    pub(super) fn list_clusters(&self, scope: &Scope) -> Vec<ClusterName> {
        let mut names: Vec<_> = self
            .entities
            .values()
            .filter_map(|(entity, _)| match entity {
                Entity::Cluster(it) if it.status == ClusterStatus::Active && it.key.scope == *scope => {
                    Some(it.key.name.clone())
                }
                _ => None,
            })
            .collect();
        names.sort();
        names
    }

    pub(super) fn counts(&self, cluster: &ClusterKey) -> ClusterCounts {
        let mut counts = ClusterCounts::default();
        for task in self.tasks().filter(|task| task.key.cluster == *cluster) {
            match task.status {
                TaskStatus::Provisioning | TaskStatus::Pending | TaskStatus::Activating => {
                    *counts.pending_tasks.of(task.doc.launch_type) += 1;
                }
                TaskStatus::Running => *counts.running_tasks.of(task.doc.launch_type) += 1,
                _ => {}
            }
            counts.unfinished_tasks += i32::from(task.status != TaskStatus::Stopped);
        }
        for service in self.services().filter(|service| service.key.cluster == *cluster) {
            match service.status {
                ServiceStatus::Active => *counts.active_services.of(service.launch_type()) += 1,
                ServiceStatus::Draining => *counts.draining_services.of(service.launch_type()) += 1,
                ServiceStatus::Inactive => {}
            }
        }
        counts
    }

    pub(super) fn list_definitions(&self, query: &TaskDefinitionQuery) -> Vec<(FamilyName, i32)> {
        let found = self.definitions().filter(|it| {
            it.key.scope == query.scope
                && it.state == query.state
                && query.family.as_ref().is_none_or(|family| it.key.family == *family)
        });
        let mut found: Vec<_> = found.map(|it| (it.key.family.clone(), it.key.revision)).collect();
        found.sort();
        if query.descending {
            found.reverse();
        }
        found
    }

    pub(super) fn latest_active(&self, (scope, family): &FamilyKey) -> Option<i32> {
        let of = |it: &&TaskDefinition| it.key.scope == *scope && it.key.family == *family;
        let active = self.definitions().filter(of).filter(|it| it.state == TaskDefinitionState::Active);
        active.map(|it| it.key.revision).max()
    }

    pub(super) fn list_families(&self, query: &FamilyQuery) -> Vec<FamilyName> {
        let found = self.families().filter(|it| {
            let active = self.latest_active(&(it.scope.clone(), it.family.clone())).is_some();
            it.scope == query.scope
                && it.family.as_str().starts_with(&query.prefix)
                && query.active.is_none_or(|asked| asked == active)
        });
        let mut found: Vec<_> = found.map(|it| it.family.clone()).collect();
        found.sort();
        found
    }

    pub(super) fn list_tasks(&self, query: &TaskQuery) -> Vec<TaskId> {
        let found = self.tasks().filter(|task| {
            let service = task.service.as_ref().map(|service| &service.name);
            task.key.cluster == query.cluster
                && (query.family.is_none() || query.family.as_ref() == Some(&task.definition.family))
                && (query.service.is_none() || query.service.as_ref() == service)
                && (query.started_by.is_none() || query.started_by == task.doc.started_by)
                && (query.desired.is_none() || query.desired == Some(task.desired))
                && (query.launch_type.is_none() || query.launch_type == task.doc.launch_type)
                && (query.instance.is_none() || query.instance == task.instance)
        });
        let mut found: Vec<_> = found.map(|task| task.key.id).collect();
        found.sort();
        found
    }

    pub(super) fn tasks_of_service(&self, service: &ServiceKey) -> Vec<TaskKey> {
        let found = self.tasks().filter(|task| {
            task.key.cluster == service.cluster
                && task.service.as_ref().is_some_and(|it| it.name == service.name)
                && (task.status != TaskStatus::Stopped || !task.accounted)
        });
        let mut found: Vec<_> = found.map(|task| task.key.clone()).collect();
        found.sort();
        found
    }

    pub(super) fn unfinished_tasks(&self) -> Vec<TaskKey> {
        let mut found: Vec<_> = self
            .tasks()
            .filter(|task| task.status != TaskStatus::Stopped)
            .map(|task| task.key.clone())
            .collect();
        found.sort();
        found
    }

    /// With the time, by which they are sorted.
    pub(super) fn stopped_before(&self, before: Timestamp) -> Vec<(Timestamp, TaskKey)> {
        let stopped = self.tasks().filter(|task| task.status == TaskStatus::Stopped);
        let mut found: Vec<_> = stopped
            .map(|task| (task.doc.stopped_at.expect("samples have it"), task.key.clone()))
            .filter(|(at, _)| *at < before)
            .collect();
        found.sort();
        found
    }

    pub(super) fn list_services(&self, query: &ServiceQuery) -> Vec<ServiceName> {
        let found = self.services().filter(|it| {
            it.key.cluster == query.cluster
                && it.status == ServiceStatus::Active
                && query.launch_type.is_none_or(|asked| it.launch_type() == Some(asked))
                && query.scheduling_strategy.is_none_or(|asked| it.scheduling_strategy() == asked)
                && query.management.is_none_or(|asked| it.management() == asked)
        });
        let mut found: Vec<_> = found.map(|it| it.key.name.clone()).collect();
        found.sort();
        found
    }

    pub(super) fn unfinished_services(&self) -> Vec<ServiceKey> {
        let mut found: Vec<_> = self
            .services()
            .filter(|it| it.status != ServiceStatus::Inactive)
            .map(|it| it.key.clone())
            .collect();
        found.sort();
        found
    }

    pub(super) fn list_deployments(&self, query: &ServiceDeploymentQuery) -> Vec<(Timestamp, String)> {
        let found = self.deployments().filter(|it| {
            it.key.service == query.service
                && (query.status.is_empty() || query.status.contains(&it.status()))
                && query.created_after.is_none_or(|after| it.created_at() >= after)
                && query.created_before.is_none_or(|before| it.created_at() <= before)
        });
        let mut found: Vec<_> = found.map(|it| (it.created_at(), it.key.id.clone())).collect();
        found.sort();
        found.reverse();
        found
    }

    pub(super) fn tokens_before(&self, before: Timestamp) -> usize {
        let old = |entity: &Entity| matches!(entity, Entity::Token(token) if token.created_at < before);
        self.entities.values().filter(|(entity, _)| old(entity)).count()
    }
}
