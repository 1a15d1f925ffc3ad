//! The ledger: everything that was ever committed, as a second book beside the store, and the checks of each entry.
//!
//! It is no store: it never refuses anything. What should not have been committed becomes a violation.

mod check;
mod compare;
pub(crate) mod daemon;
mod place;
mod reach;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use kecs_domain::Timestamp;
use kecs_domain::arn::{
    ClusterKey, ServiceDeploymentKey, ServiceKey, ServiceRevisionKey, TaskDefinitionKey, TaskKey,
};
use kecs_domain::cluster::Cluster;
use kecs_domain::container_instance::{ContainerInstance, InstanceState};
use kecs_domain::daemon::Daemon;
use kecs_domain::idempotency::{TokenKey, TokenRecord};
use kecs_domain::model::Attribute;
use kecs_domain::name::{DeploymentId, HexId};
use kecs_domain::resource::{Resource, ResourceKey};
use kecs_domain::service::{Service, ServiceDeployment, ServiceRevision};
use kecs_domain::task::{Task, TaskStatus};
use kecs_domain::task_definition::{TaskDefinition, TaskDefinitionFamily};
use kecs_usecases::ports::{Changes, Entity, EntityKey, FamilyKey, Version};

use super::shared::JobRef;
use super::trace::Trace;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which promise, in a word or two.
    pub promise: &'static str,
    /// How it was broken, for a person.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.text)
    }
}

/// See the module.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) clusters: BTreeMap<ClusterKey, Arc<Cluster>>,
    pub(crate) families: BTreeMap<FamilyKey, Arc<TaskDefinitionFamily>>,
    pub(crate) definitions: BTreeMap<TaskDefinitionKey, Arc<TaskDefinition>>,
    pub(crate) tasks: BTreeMap<TaskKey, Arc<Task>>,
    pub(crate) services: BTreeMap<ServiceKey, Arc<Service>>,
    pub(crate) records: BTreeMap<ServiceDeploymentKey, Arc<ServiceDeployment>>,
    pub(crate) revisions: BTreeMap<ServiceRevisionKey, Arc<ServiceRevision>>,
    pub(crate) tokens: BTreeMap<TokenKey, Arc<TokenRecord>>,
    pub(crate) resources: BTreeMap<ResourceKey, Arc<Resource>>,
    /// The newest version of every key, also of those that were removed.
    versions: BTreeMap<EntityKey, Version>,
    /// Of each service: tasks that are not STOPPED, or whose end was not accounted for.
    open: BTreeMap<ServiceKey, BTreeSet<TaskKey>>,
    /// What was ever started by whom.
    started: BTreeMap<String, Vec<TaskKey>>,
    /// Every deployment that ever was.
    deployments: BTreeSet<(ServiceKey, DeploymentId)>,
    /// The attributes of every node that there ever is.
    pub(crate) nodes: BTreeMap<HexId, Vec<Attribute>>,
    /// Nodes that were lost, if only for a while.
    pub(crate) lost: BTreeSet<HexId>,
    sights: BTreeMap<u64, Sight>,
    /// How many commits there were when a job began.
    begun: BTreeMap<u64, u64>,
    /// With which commit a resource came to be what it is, or was removed.
    entered: BTreeMap<ResourceKey, u64>,
    /// With which commit a task was made.
    born: BTreeMap<TaskKey, u64>,
    /// The ARNs of daemons that are gone, or were once.
    gone: BTreeSet<String>,
    /// Clusters that something was changed in since they were compared.
    touched: BTreeSet<ClusterKey>,
    /// What happened, and how often: a history that gets nowhere proves nothing.
    pub(crate) reached: BTreeMap<String, u64>,
    /// How many commits there were.
    pub(crate) commits: u64,
    /// What was wrong.
    pub(crate) violations: Vec<Violation>,
}

/// What a job has read last: what it decides on.
#[derive(Default)]
struct Sight {
    service: Option<Arc<Service>>,
    tasks: Option<Vec<Arc<Task>>>,
}

/// A commit that was made.
pub(crate) struct Commit<'a> {
    pub(crate) changes: &'a Changes,
    pub(crate) versions: &'a [Version],
    pub(crate) job: &'a JobRef,
    pub(crate) now: Timestamp,
}

impl Ledger {
    pub(crate) fn violate(&mut self, promise: &'static str, text: impl Into<String>) {
        self.violations.push(Violation { promise, text: text.into() });
    }

    /// Notes that something happened.
    pub(crate) fn reach(&mut self, what: impl Into<String>) {
        *self.reached.entry(what.into()).or_default() += 1;
    }

    /// Notes what a job has read of a service.
    pub(crate) fn saw_service(&mut self, job: u64, service: &Arc<Service>) {
        self.sights.entry(job).or_default().service = Some(Arc::clone(service));
    }

    /// Notes what a job has read of a service's tasks.
    pub(crate) fn saw_tasks(&mut self, job: u64, tasks: Vec<Arc<Task>>) {
        self.sights.entry(job).or_default().tasks = Some(tasks);
    }

    /// The tasks that a job decides on.
    pub(crate) fn sight_of(&self, job: u64) -> Option<&[Arc<Task>]> {
        self.sights.get(&job)?.tasks.as_deref()
    }

    /// A job begins.
    pub(crate) fn begin_of(&mut self, job: u64) {
        self.begun.insert(job, self.commits);
    }

    /// A job is over.
    pub(crate) fn end_of(&mut self, job: u64) {
        self.sights.remove(&job);
        self.begun.remove(&job);
    }

    /// Every job is over: the process has died.
    pub(crate) fn end_of_all(&mut self) {
        self.sights.clear();
        self.begun.clear();
    }

    /// The tasks of a service that are not STOPPED, or whose end was not accounted for.
    pub(crate) fn open_tasks(&self, service: &ServiceKey) -> impl Iterator<Item = &Arc<Task>> {
        self.open.get(service).into_iter().flatten().filter_map(|key| self.tasks.get(key))
    }

    /// Whether there ever was a deployment with this id.
    pub(crate) fn knows_deployment(&self, id: DeploymentId) -> bool {
        self.deployments.iter().any(|(_, known)| *known == id)
    }

    /// The tag `team` of a resource.
    pub(crate) fn tag_of(&self, arn: &str) -> Option<String> {
        let tags = match arn {
            _ if arn.contains(":cluster/") => &self.clusters.values().find(|it| it.key.arn() == arn)?.tags,
            _ if arn.contains(":service/") => &self.services.values().find(|it| it.key.arn() == arn)?.tags,
            _ => &self.definitions.values().find(|it| it.key.arn() == arn)?.tags,
        };
        tags.iter().find(|tag| tag.key.as_deref() == Some("team"))?.value.clone()
    }

    /// The daemons that there are.
    pub(crate) fn daemons(&self) -> impl Iterator<Item = &Daemon> {
        self.resources.values().filter_map(|resource| resource.get::<Daemon>())
    }

    /// Whether a daemon with this ARN was ever removed.
    pub(crate) fn was_deleted(&self, arn: &str) -> bool {
        self.gone.contains(arn)
    }

    /// The state of a container instance, as far as anybody said anything.
    pub(crate) fn instance_state(&self, cluster: &ClusterKey, id: HexId) -> InstanceState {
        let key = instance_key(cluster, id);
        let kept = self.resources.get(&key).and_then(|kept| kept.get::<ContainerInstance>());
        kept.map_or(InstanceState::Active, |kept| kept.state)
    }

    /// Tasks that are not STOPPED.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.tasks.values().filter(|task| task.status != TaskStatus::Stopped)
    }

    /// Every task that was ever made with this `startedBy`.
    pub(crate) fn started_by(&self, who: &str) -> &[TaskKey] {
        self.started.get(who).map(Vec::as_slice).unwrap_or_default()
    }

    /// Enters a commit.
    pub(crate) fn commit(&mut self, commit: &Commit<'_>, trace: &mut Trace) {
        self.commits += 1;
        self.check_scheduling(commit);
        self.check_places(commit);
        self.check_daemon(commit);
        self.check_service_goes_last(commit);
        let number = commit.job.number;
        for ((entity, _), version) in commit.changes.puts.iter().zip(commit.versions) {
            let key = entity.key();
            trace.line(format_args!("  #{number} {version:?} {}", Shown(entity)));
            if self.versions.get(&key).is_some_and(|last| last >= version) {
                self.violate("versions rise", format!("{} is saved again as {version:?}", Shown(entity)));
            }
            self.versions.insert(key, *version);
            self.put(entity, commit);
        }
        for (key, _) in &commit.changes.deletes {
            trace.line(format_args!("  #{number} removes {key:?}"));
            self.delete(key, commit);
        }
    }

    fn put(&mut self, entity: &Entity, commit: &Commit<'_>) {
        self.check_put(entity, commit);
        self.reach_with(entity);
        match entity {
            Entity::Cluster(it) => {
                self.touched.insert(it.key.clone());
                self.clusters.insert(it.key.clone(), Arc::clone(it));
            }
            Entity::Family(it) => {
                self.families.insert((it.scope.clone(), it.family.clone()), Arc::clone(it));
            }
            Entity::TaskDefinition(it) => {
                self.definitions.insert(it.key.clone(), Arc::clone(it));
            }
            Entity::Task(it) => {
                self.touched.insert(it.key.cluster.clone());
                self.index(it);
                let old = self.tasks.insert(it.key.clone(), Arc::clone(it));
                if old.is_none() {
                    self.born.insert(it.key.clone(), self.commits);
                }
                if let (None, Some(who)) = (old, &it.doc.started_by) {
                    self.started.entry(who.clone()).or_default().push(it.key.clone());
                }
            }
            Entity::Service(it) => {
                self.touched.insert(it.key.cluster.clone());
                let ids = it.deployments.iter().map(|one| (it.key.clone(), one.id));
                self.deployments.extend(ids);
                self.services.insert(it.key.clone(), Arc::clone(it));
            }
            Entity::ServiceDeployment(it) => {
                self.records.insert(it.key.clone(), Arc::clone(it));
            }
            Entity::ServiceRevision(it) => {
                self.revisions.insert(it.key.clone(), Arc::clone(it));
            }
            Entity::Token(it) => {
                self.tokens.insert(it.key.clone(), Arc::clone(it));
            }
            Entity::Resource(it) => {
                self.entered.insert(it.key.clone(), self.commits);
                self.resources.insert(it.key.clone(), Arc::clone(it));
            }
        }
    }

    fn index(&mut self, task: &Task) {
        let Some(membership) = &task.service else { return };
        let service = ServiceKey { cluster: task.key.cluster.clone(), name: membership.name.clone() };
        let open = self.open.entry(service).or_default();
        if task.status != TaskStatus::Stopped || !task.accounted {
            open.insert(task.key.clone());
        } else {
            open.remove(&task.key);
        }
    }

    fn delete(&mut self, key: &EntityKey, commit: &Commit<'_>) {
        self.check_delete(key, commit);
        match key {
            EntityKey::Task(key) => {
                self.touched.insert(key.cluster.clone());
                self.tasks.remove(key);
                self.born.remove(key);
                self.open.values_mut().for_each(|open| {
                    open.remove(key);
                });
            }
            EntityKey::Token(key) => {
                self.tokens.remove(key);
            }
            EntityKey::Resource(key) => {
                self.entered.insert(key.clone(), self.commits);
                let removed = self.resources.remove(key);
                let daemon = removed.as_ref().and_then(|removed| removed.get::<Daemon>());
                self.gone.extend(daemon.map(|daemon| daemon.key.arn()));
            }
            _ => {}
        }
    }
}

fn instance_key(cluster: &ClusterKey, id: HexId) -> ResourceKey {
    ResourceKey::of::<ContainerInstance>(&cluster.scope, cluster.name.as_str(), id.to_string())
}

/// An entity in a line.
pub(crate) struct Shown<'a>(pub(crate) &'a Entity);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Entity::Cluster(it) => write!(f, "cluster {} {:?}", it.key.name, it.status),
            Entity::Family(it) => write!(f, "family {} up to {}", it.family, it.last_revision),
            Entity::TaskDefinition(it) => {
                write!(f, "definition {}:{} {:?}", it.key.family, it.key.revision, it.state)
            }
            Entity::Task(it) => {
                write!(f, "task {} {} -> {}", it.key.id, it.status, it.desired.as_str())?;
                if let Some(membership) = &it.service {
                    write!(f, " of {}/{}", it.key.cluster.name, membership.name)?;
                }
                let (health, reason) = (it.doc.health_status, it.doc.stopped_reason.as_deref());
                let health = health.map_or("", |health| health.as_str());
                write!(
                    f,
                    " {health} {}{}",
                    reason.unwrap_or_default(),
                    if it.accounted { " accounted" } else { "" }
                )
            }
            Entity::Service(it) => {
                let (key, status) = (&it.key, it.status.as_str());
                write!(
                    f,
                    "service {}/{} {status} {} wanted:",
                    key.cluster.name,
                    key.name,
                    it.desired_count()
                )?;
                it.deployments.iter().try_for_each(|one| {
                    let (status, rollout) = (one.status.as_str(), one.rollout.as_str());
                    write!(
                        f,
                        " [{} {status} {rollout} {}:{}",
                        one.id, one.definition.family, one.definition.revision
                    )?;
                    write!(
                        f,
                        " {}+{}/{} failed {}]",
                        one.running, one.pending, one.desired, one.breaker.failures
                    )
                })
            }
            Entity::ServiceDeployment(it) => {
                write!(f, "record {}/{} {}", it.key.service.name, it.key.id, it.status())
            }
            Entity::ServiceRevision(it) => write!(f, "revision {}/{}", it.key.service.name, it.key.id),
            Entity::Token(it) => write!(f, "token {}/{}", it.key.operation, it.key.token),
            Entity::Resource(it) => {
                write!(f, "{} {}/{}", it.key.kind, it.key.parent, it.key.id)?;
                if let Some(kept) = it.get::<ContainerInstance>() {
                    write!(f, " {}", kept.state.as_str())?;
                }
                let Some(daemon) = it.get::<Daemon>() else { return Ok(()) };
                write!(
                    f,
                    " {:?} {:?} {} serves on {}",
                    daemon.state,
                    daemon.rollout,
                    daemon.revision,
                    daemon.serving.len()
                )
            }
        }
    }
}
