//! The checks of each entry: the rules that stand in the domain, asked with what was entered before.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kecs_domain::arn::ServiceKey;
use kecs_domain::daemon::{Daemon, invariant as daemon};
use kecs_domain::service::invariant::{self as service, Sight};
use kecs_domain::service::{Service, ServiceStatus};
use kecs_domain::task::{DesiredStatus, Task, TaskStatus, invariant as task};
use kecs_domain::task_definition::invariant as definition;
use kecs_usecases::ports::{Entity, EntityKey, WakeKey};

use super::daemon::is_of;
use super::{Commit, Ledger, Shown};
use crate::simulation::shared::Origin;

/// The least that a STOPPED task stays describable. (docs of retention: about an hour)
const TASKS_STAY: Duration = Duration::from_secs(60 * 60);
/// The least that a token is remembered. (API reference, clientToken)
const TOKENS_STAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Ledger {
    pub(super) fn check_put(&mut self, entity: &Entity, commit: &Commit<'_>) {
        let (promise, checked) = match entity {
            Entity::Cluster(_) => return,
            Entity::Resource(it) => {
                let before = self.resources.get(&it.key).and_then(|before| before.get::<Daemon>());
                let checked = match (before, it.get::<Daemon>()) {
                    (Some(before), Some(after)) => daemon::check_next(before, after),
                    (None, Some(new)) => daemon::check(new),
                    _ => return,
                };
                ("daemons are sound", checked)
            }
            Entity::Family(it) => {
                let before = self.families.get(&(it.scope.clone(), it.family.clone()));
                let checked = before.map_or(Ok(()), |before| definition::check_next_family(before, it));
                ("revisions are never reused", checked)
            }
            Entity::TaskDefinition(it) => {
                let before = self.definitions.get(&it.key);
                let checked = before.map_or(Ok(()), |before| definition::check_next(before, it));
                ("task definitions stay", checked)
            }
            Entity::Task(it) => {
                let before = self.tasks.get(&it.key);
                let known = self.versions_before(entity);
                let checked = match before {
                    Some(before) => task::check_next(before, it),
                    None if known => Err("a task's id was used again".to_owned()),
                    None => task::check_new(it),
                };
                ("tasks go their way", checked)
            }
            Entity::Service(it) => ("services are sound", self.check_service(it, commit)),
            Entity::ServiceDeployment(it) => {
                let before = self.records.get(&it.key);
                let checked = before.map_or(Ok(()), |before| service::check_next_record(before, it));
                ("finished records stay", checked)
            }
            Entity::ServiceRevision(it) => {
                let before = self.revisions.get(&it.key);
                let checked = before.map_or(Ok(()), |before| service::check_next_revision(before, it));
                ("revisions stay", checked)
            }
            Entity::Token(it) => {
                // CreateService takes a token anew when its earlier service is gone.
                let before = self.tokens.get(&it.key).filter(|_| it.key.operation == "RunTask");
                let checked = before.map_or(Ok(()), |_| Err("it is used a second time".to_owned()));
                ("tokens are used once", checked)
            }
        };
        if let Err(wrong) = checked {
            let job = &commit.job;
            self.violate(promise, format!("{} by {:?}: {wrong}", Shown(entity), job.origin));
        }
    }

    /// Whether the key was ever saved before. Its version is entered already when this is asked.
    fn versions_before(&self, entity: &Entity) -> bool {
        let Entity::Task(task) = entity else { return false };
        let who = task.doc.started_by.as_deref().unwrap_or_default();
        self.started_by(who).contains(&task.key)
    }

    fn check_service(&self, next: &Service, commit: &Commit<'_>) -> Result<(), String> {
        service::check(next)?;
        let before = self.services.get(&next.key);
        if let Some(before) = before {
            service::check_next(before, next)?;
            if matches!(&*commit.job.origin, Origin::Reconcile(WakeKey::Service(_))) {
                service::check_scheduled(before, next)?;
            }
        }
        let known = |id| before.is_some_and(|before| before.deployments.iter().any(|one| one.id == id));
        let mut new = next.deployments.iter().filter(|one| !known(one.id));
        match new.find(|one| self.deployments.contains(&(next.key.clone(), one.id))) {
            Some(again) => Err(format!("deployment {} is there again", again.id)),
            None => Ok(()),
        }
    }

    /// What a scheduler starts and ends, measured by what it saw.
    pub(super) fn check_scheduling(&mut self, commit: &Commit<'_>) {
        let Origin::Reconcile(WakeKey::Service(key)) = &*commit.job.origin else { return };
        let (mut started, mut ended, mut scaled_in) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for (entity, _) in &commit.changes.puts {
            let Entity::Task(task) = entity else { continue };
            match self.tasks.get(&task.key) {
                None => started.push(&**task),
                Some(before) if is_ended(before, task) => {
                    ended.insert(task.key.id);
                    let reason = task.doc.stopped_reason.as_deref().unwrap_or_default();
                    if reason.starts_with("Scaling activity") {
                        scaled_in.insert(task.key.id);
                    }
                }
                Some(_) => {}
            }
        }
        let Some(seen) = self.sights.get(&commit.job.number) else { return };
        let (Some(saw), Some(tasks)) = (&seen.service, &seen.tasks) else { return };
        let find = |key: &_| self.definitions.get(key).cloned();
        let sight = Sight { service: saw, tasks, definition: &find, now: commit.now };
        let least = service::check_ended(&sight, &ended);
        let spared = service::check_spared(&sight, &scaled_in);
        let most = service::check_started(&sight, &started);
        // By what is stored, too: nobody else starts tasks of a service, so what the scheduler did not see can only
        // have been fewer.
        let stored: Vec<Arc<Task>> = self.open_tasks(key).cloned().collect();
        let in_fact = service::check_started(&Sight { tasks: &stored, ..sight }, &started);
        let named = |wrong| format!("service {}/{}: {wrong}", key.cluster.name, key.name);
        if let Err(wrong) = least {
            self.violate("never fewer than the minimum", named(wrong));
        }
        if let Err(wrong) = most.and(in_fact) {
            self.violate("never more than the maximum", named(wrong));
        }
        if let Err(wrong) = spared {
            self.violate("protected tasks stay", named(wrong));
        }
    }

    pub(super) fn check_delete(&mut self, key: &EntityKey, commit: &Commit<'_>) {
        let wrong = match key {
            EntityKey::Task(key) => self.tasks.get(key).and_then(|task| {
                let needed = (task.service.is_some() || task.daemon.is_some())
                    && !task.accounted
                    && self.is_there(task);
                let young = task.doc.stopped_at.is_none_or(|at| commit.now.duration_since(at) < TASKS_STAY);
                (task.status != TaskStatus::Stopped || needed || young).then(|| format!("task {}", key.id))
            }),
            EntityKey::Token(key) => self.tokens.get(key).and_then(|token| {
                let young = commit.now.duration_since(token.created_at) < TOKENS_STAY;
                young.then(|| format!("token {}", key.token))
            }),
            // Their removal is somebody's request.
            EntityKey::Resource(_) => None,
            other => Some(format!("{other:?}")),
        };
        match wrong {
            Some(wrong) => self.violate("nothing is removed too early", wrong),
            None => self.reach(if matches!(key, EntityKey::Task(_)) {
                "a task is removed"
            } else {
                "a token is removed"
            }),
        }
    }

    /// Whether a scheduler may still draw conclusions from the task.
    fn is_there(&self, task: &Task) -> bool {
        if task.daemon.is_some() {
            return self.daemons().any(|daemon| is_of(task, &daemon.key));
        }
        let Some(membership) = &task.service else { return false };
        let key = ServiceKey { cluster: task.key.cluster.clone(), name: membership.name.clone() };
        self.services.get(&key).is_some_and(|service| service.status != ServiceStatus::Inactive)
    }
}

fn is_ended(before: &Task, after: &Task) -> bool {
    before.desired == DesiredStatus::Running && after.desired == DesiredStatus::Stopped
}
