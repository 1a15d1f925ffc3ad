//! One daemon: carry out its scheduler's plan, all of it in one commit.

use std::sync::Arc;
use std::time::Duration;

use kecs_domain::Doc;
use kecs_domain::container_instance::InstanceState;
use kecs_domain::daemon::{
    Daemon, DaemonDeploymentKey, DaemonInput, DaemonKey, DaemonPlan, DaemonRevisionKey, Rollout, Station,
    StationState, plan,
};
use kecs_domain::model::{LaunchType, TaskStopCode};
use kecs_domain::name::DeploymentId;
use kecs_domain::pagination::PageRequest;
use kecs_domain::tag;
use kecs_domain::task::{
    DaemonMembership, DesiredStatus, Interruption, LaunchSettings, NewTask, Task, TaskStatus,
};

use super::definitions::Definitions;
use super::ends::end_tasks;
use super::instances::DRAINED_AGAIN_AFTER;
use super::{Next, Reconciler};
use crate::container_instance::{self, Member};
use crate::context::{Result, retry_conflicts};
use crate::daemon::{instances_of, keep, load, record, revision};
use crate::daemon_task_definition::find;
use crate::ports::{Changes, EntityKey, Expect, TaskQuery, Versioned, WakeKey};

impl Reconciler<'_> {
    pub(super) async fn daemon(&self, key: &DaemonKey) -> Result<Next> {
        let (next, wake) = retry_conflicts(|| self.try_daemon(key)).await?;
        self.ports.wake.wake(wake);
        Ok(next)
    }

    async fn try_daemon(&self, key: &DaemonKey) -> Result<(Next, Vec<WakeKey>)> {
        let ports = self.ports;
        let Some((daemon, version)) = load(ports, key).await? else {
            return Ok((Next::default(), Vec::new()));
        };
        let stored = self.tasks_of_daemon(key).await?;
        let mut definitions = Definitions::default();
        for task in &stored {
            definitions.load_of(ports, task).await?;
        }
        let tasks: Vec<Arc<Task>> = stored.iter().map(|task| task.value.clone()).collect();
        let members = container_instance::open(ports, &key.cluster).await?;
        let (stations, drained) = self.stations(&daemon, &members, &tasks).await?;
        let mut plan = plan(&DaemonInput {
            daemon: &daemon,
            tasks: &tasks,
            checked: &|task| definitions.is_checked(task),
            stations: &stations,
            now: ports.clock.now(),
        });
        let mut changes = Changes::new();
        let mut wake = end_tasks(&plan.stop, &plan.account, &stored, &mut changes);
        wake.extend(self.evict(&plan, &mut changes).await?);
        self.note_events(&plan, &mut changes).await?;
        if let Some(to) = plan.rollback.take() {
            self.roll_daemon_back(&mut plan, to, &mut changes).await?;
        }
        self.note_daemon_digests(&daemon, &tasks, &mut changes).await?;
        for task in self.daemon_tasks(&plan, &members).await? {
            wake.push(WakeKey::Task(task.key.clone()));
            changes.create(task);
        }
        if plan.gone {
            changes.deletes.push((EntityKey::Resource(key.resource()), Expect::Version(version)));
        } else if plan.daemon != daemon {
            changes.update(keep(key.resource(), plan.daemon), version);
        } else if !changes.is_empty() {
            // What was planned is only right for the daemon as it was read: it may be deleted by now.
            changes.require(EntityKey::Resource(key.resource()), version);
        }
        if !changes.is_empty() {
            ports.unit_of_work.commit(changes).await?;
        }
        let drained = drained.then_some(DRAINED_AGAIN_AFTER);
        let after = [plan.again_after, drained].into_iter().flatten().min();
        Ok((Next { after }, wake))
    }

    /// The daemon's tasks that aren't STOPPED, and those whose end it has not accounted for.
    async fn tasks_of_daemon(&self, key: &DaemonKey) -> Result<Vec<Versioned<Task>>> {
        let query = TaskQuery { started_by: Some(key.started_by()), ..TaskQuery::of_cluster(&key.cluster) };
        let mut tasks = self.all_tasks(&query).await?;
        // Anybody may have written the same into `startedBy`.
        tasks.retain(|task| {
            task.daemon.as_ref().is_some_and(|membership| membership.name == key.name)
                && (task.status != TaskStatus::Stopped || !task.accounted)
        });
        Ok(tasks)
    }

    pub(super) async fn all_tasks(&self, query: &TaskQuery) -> Result<Vec<Versioned<Task>>> {
        let page = PageRequest { after: None, limit: usize::MAX - 1 };
        let ids = self.ports.tasks.list_tasks(query, page).await?.items;
        let cluster = &query.cluster;
        let keys: Vec<_> =
            ids.into_iter().map(|id| kecs_domain::arn::TaskKey { cluster: cluster.clone(), id }).collect();
        Ok(self.ports.tasks.tasks(&keys).await?.into_iter().flatten().collect())
    }

    /// What each instance is to the daemon, and whether one is drained that still has other tasks.
    async fn stations(
        &self,
        daemon: &Daemon,
        members: &[Member],
        tasks: &[Arc<Task>],
    ) -> Result<(Vec<Station>, bool)> {
        let (mut stations, mut drained) = (Vec::with_capacity(members.len()), false);
        let mut own = instances_of(self.ports, daemon, members).await?;
        for member in members {
            let Some(provider) = own.remove(&member.id()) else { continue };
            let has_task = || tasks.iter().any(|task| task.instance == Some(member.id()));
            let state = match (member.state, member.instance.connected) {
                (_, false) => StationState::Kept,
                (InstanceState::Active, true) => StationState::Open,
                // A daemon's task goes last.
                (InstanceState::Draining | InstanceState::Inactive, true) => {
                    if has_task() && self.has_others(daemon, member).await? {
                        drained = true;
                        StationState::Kept
                    } else {
                        StationState::Drained
                    }
                }
            };
            stations.push(Station { instance: member.id(), provider, state });
        }
        Ok((stations, drained))
    }

    /// Whether any task that is no daemon's is left on an instance.
    async fn has_others(&self, daemon: &Daemon, member: &Member) -> Result<bool> {
        let query = TaskQuery { instance: Some(member.id()), ..TaskQuery::of_cluster(&daemon.key.cluster) };
        let here = self.all_tasks(&query).await?;
        Ok(here.iter().any(|task| task.daemon.is_none() && task.status != TaskStatus::Stopped))
    }

    /// Ends what else runs on instances that have lost the task of a critical daemon.
    async fn evict(&self, plan: &DaemonPlan, changes: &mut Changes) -> Result<Vec<WakeKey>> {
        let mut wake = Vec::new();
        let mut instances = plan.evict.clone();
        instances.sort_unstable();
        instances.dedup();
        for instance in instances {
            let query = TaskQuery {
                instance: Some(instance),
                desired: Some(DesiredStatus::Running),
                ..TaskQuery::of_cluster(&plan.daemon.key.cluster)
            };
            let others = self.all_tasks(&query).await?;
            for task in others.iter().filter(|task| task.daemon.is_none()) {
                let why = Interruption::new(
                    TaskStopCode::TerminationNotice,
                    format!(
                        "The critical daemon {} has stopped on the container instance",
                        plan.daemon.key.name
                    ),
                );
                if let Some(interrupted) = task.interrupt(why) {
                    changes.update(interrupted, task.version);
                    wake.push(WakeKey::Task(task.key.clone()));
                    wake.extend(task.service.as_ref().map(|membership| {
                        WakeKey::Service(kecs_domain::arn::ServiceKey {
                            cluster: task.key.cluster.clone(),
                            name: membership.name.clone(),
                        })
                    }));
                }
            }
        }
        Ok(wake)
    }

    /// Writes what happened into the record of the newest deployment.
    async fn note_events(&self, plan: &DaemonPlan, changes: &mut Changes) -> Result<()> {
        if plan.events.is_empty() {
            return Ok(());
        }
        let daemon = &plan.daemon;
        let key = DaemonDeploymentKey { daemon: daemon.key.clone(), id: daemon.deployment.clone() };
        let Some((before, version)) = record(self.ports, &key).await? else { return Ok(()) };
        let now = self.ports.clock.now();
        let mut after = before.clone();
        for event in &plan.events {
            after = after.after(event, daemon, now).unwrap_or(after);
        }
        if after != before {
            changes.update(keep(key.resource(), after), version);
        }
        Ok(())
    }

    /// Turns the daemon back to an earlier revision.
    async fn roll_daemon_back(
        &self,
        plan: &mut DaemonPlan,
        to: DeploymentId,
        changes: &mut Changes,
    ) -> Result<()> {
        let daemon = &mut plan.daemon;
        let key = DaemonRevisionKey { daemon: daemon.key.clone(), id: to };
        if let Some((earlier, version)) = revision(self.ports, &key).await? {
            daemon.turn_to(to, earlier.settings, Rollout::RollingBack);
            changes.require(EntityKey::Resource(key.resource()), version);
            plan.again_after = Some(Duration::ZERO);
        } else {
            // Revisions are never removed, so this is for a store that somebody else has changed.
            tracing::warn!(daemon = %daemon.key.arn(), "no rollback: the earlier revision is gone");
            daemon.rollout = Rollout::Stalled;
        }
        Ok(())
    }

    /// Writes the digests of images into the revision, from its first task that knows them.
    async fn note_daemon_digests(
        &self,
        daemon: &Daemon,
        tasks: &[Arc<Task>],
        changes: &mut Changes,
    ) -> Result<()> {
        if !daemon.is_rolling() {
            return Ok(());
        }
        let knows = |task: &&Arc<Task>| {
            task.doc.pull_stopped_at.is_some()
                && task.daemon.as_ref().is_some_and(|membership| membership.revision == daemon.revision)
        };
        let Some(task) = tasks.iter().find(knows) else { return Ok(()) };
        let key = DaemonRevisionKey { daemon: daemon.key.clone(), id: daemon.revision };
        let Some((found, version)) = revision(self.ports, &key).await? else { return Ok(()) };
        if let Some(known) = found.with_digests(&task.doc) {
            // A rollback may have required the revision to be as it is; then this waits for the next time.
            if !changes.requires.iter().any(|(required, _)| *required == EntityKey::Resource(key.resource()))
            {
                changes.update(keep(key.resource(), known), version);
            }
        }
        Ok(())
    }

    /// The tasks that are started now, one for each instance of the plan.
    async fn daemon_tasks(&self, plan: &DaemonPlan, members: &[Member]) -> Result<Vec<Task>> {
        let (ports, daemon) = (self.ports, &plan.daemon);
        if plan.start.is_empty() {
            return Ok(Vec::new());
        }
        let Some((definition, _)) = find(ports, &daemon.settings.definition).await? else {
            tracing::warn!(daemon = %daemon.key.arn(), "no tasks are started: the definition is gone");
            return Ok(Vec::new());
        };
        let definition = definition.working_copy();
        let mut tags = if daemon.settings.propagate_tags { daemon.tags.clone() } else { Vec::new() };
        if daemon.settings.managed_tags {
            tag::add_managed(&mut tags, &daemon.key.cluster.name, None);
        }
        let launch = Arc::new(LaunchSettings::default());
        let now = ports.clock.now();
        let made = plan.start.iter().map(|station| {
            let member = members.iter().find(|member| member.id() == station.instance);
            let new = NewTask {
                key: kecs_domain::arn::TaskKey { cluster: daemon.key.cluster.clone(), id: ports.ids.hex() },
                definition: &definition,
                launch_type: Some(LaunchType::ManagedInstances),
                capacity_provider: station.provider.rsplit('/').next().map(str::to_owned),
                overrides: Doc::default(),
                group: daemon.key.group(),
                started_by: Some(daemon.started_by()),
                enable_execute_command: daemon.settings.execute_command,
                platform_version: None,
                service: None,
                daemon: Some(DaemonMembership { name: daemon.key.name.clone(), revision: daemon.revision }),
                instance: Some(station.instance),
                availability_zone: member.map(|member| member.instance.availability_zone.clone()),
                tags: tags.clone(),
                launch: Arc::clone(&launch),
                created_at: now,
            };
            new.create(&mut || ports.ids.uuid())
        });
        Ok(made.collect())
    }
}
