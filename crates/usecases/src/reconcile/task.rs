//! One task: launch it, stop it, or let go of it.

use kecs_domain::arn::{ServiceKey, TaskKey};
use kecs_domain::model::TaskStopCode;
use kecs_domain::service::{EventWriter, Service};
use kecs_domain::task::{AgentReport, DesiredStatus, Interruption, Task, TaskStatus};

use super::definitions::definition_of;
use super::place::PLACE_AGAIN_AFTER;
use super::{Next, Reconciler};
use crate::context::{Result, retry_conflicts};
use crate::logs;
use crate::ports::{Changes, Launch, PortErrorKind, StopOrder, Versioned, WakeKey};

impl Reconciler<'_> {
    pub(super) async fn task(&self, key: &TaskKey) -> Result<Next> {
        let Some(task) = self.load_task(key).await? else { return Ok(Next::default()) };
        if task.by_agent {
            self.by_agent(&task).await?;
        } else if task.status == TaskStatus::Stopped {
            logs::keep(self.ports, &task).await;
            self.ports.orchestrator.forget(key).await?;
        } else if task.desired == DesiredStatus::Stopped {
            self.stop(&task).await?;
        } else if !task.accepted {
            return self.launch(task).await;
        }
        Ok(Next::default())
    }

    /// A task whose instance's own agent runs it: the agent takes what is asked for from the task itself, and says
    /// what becomes of it. Only for one that it never took up nobody else will say that it has ended.
    async fn by_agent(&self, task: &Versioned<Task>) -> Result<()> {
        if task.desired == DesiredStatus::Running || task.status == TaskStatus::Stopped {
            return Ok(());
        }
        let definition = self.ports.task_definitions.task_definition(&task.definition).await?;
        let doc = definition.map(|found| found.doc.clone()).unwrap_or_default();
        let ended = retry_conflicts(|| async {
            let Some(current) = self.load_task(&task.key).await? else { return Ok(None) };
            let now = self.ports.clock.now();
            let next = if current.accepted {
                current.begin_stopping(now)
            } else {
                current.reported(&AgentReport::gone(), &doc, now)
            };
            let Some(next) = next else { return Ok(None) };
            let service = next.service.clone();
            let mut changes = Changes::new();
            changes.update(next, current.version);
            self.ports.unit_of_work.commit(changes).await?;
            Ok(service)
        })
        .await?;
        if let Some(membership) = ended {
            let key = ServiceKey { cluster: task.key.cluster.clone(), name: membership.name };
            self.ports.wake.wake(vec![WakeKey::Service(key)]);
        }
        Ok(())
    }

    pub(super) async fn load_task(&self, key: &TaskKey) -> Result<Option<Versioned<Task>>> {
        Ok(self.ports.tasks.tasks(std::slice::from_ref(key)).await?.pop().flatten())
    }

    /// Launches a task that the orchestrator hasn't shown yet. If we die before it does, the task is launched
    /// again, which is idempotent.
    async fn launch(&self, task: Versioned<Task>) -> Result<Next> {
        let definition = definition_of(self.ports, &task).await?;
        let Some(definition) = definition else {
            self.fail(&task, "The task's task definition is gone".to_owned()).await?;
            return Ok(Next::default());
        };
        let task = if task.waits_for_capacity() {
            let Some(placed) = self.give_place(&task.key, &definition).await? else {
                return Ok(Next { after: Some(PLACE_AGAIN_AFTER) });
            };
            if placed.desired == DesiredStatus::Stopped {
                self.stop(&placed).await?;
                return Ok(Next::default());
            }
            placed
        } else {
            task
        };
        let launch = Launch { task: task.value.clone(), definition };
        match self.ports.orchestrator.launch(launch.clone()).await {
            Ok(()) => self.tell_untranslated(&launch).await?,
            Err(error) if error.kind == PortErrorKind::Permanent => {
                self.fail(&task, error.message.into_owned()).await?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Next::default())
    }

    /// Lets the task's service say what of it its orchestrator doesn't do. If we die before this, nobody says it of
    /// this task, but of the next one.
    async fn tell_untranslated(&self, launch: &Launch) -> Result<()> {
        let Some(membership) = &launch.task.service else { return Ok(()) };
        let notes = self.ports.orchestrator.untranslated(launch);
        if notes.is_empty() {
            return Ok(());
        }
        let key = ServiceKey { cluster: launch.task.key.cluster.clone(), name: membership.name.clone() };
        let definition =
            format!("{}:{}", launch.definition.key.family.as_str(), launch.definition.key.revision);
        retry_conflicts(|| async {
            let found = self.ports.services.services(std::slice::from_ref(&key)).await?.pop().flatten();
            let Some(found) = found else { return Ok(()) };
            let mut service = Service::clone(&found);
            let mut uuid = || self.ports.ids.uuid();
            let mut events = EventWriter { now: self.ports.clock.now(), uuid: &mut uuid };
            events.untranslated(&mut service, &definition, &notes);
            if service != *found.value {
                let mut changes = Changes::new();
                changes.update(service, found.version);
                self.ports.unit_of_work.commit(changes).await?;
            }
            Ok(())
        })
        .await
    }

    /// A task that can't be launched, ever.
    async fn fail(&self, task: &Versioned<Task>, reason: String) -> Result<()> {
        let why = Interruption::new(TaskStopCode::TaskFailedToStart, reason);
        let stopping = retry_conflicts(|| async {
            let Some(current) = self.load_task(&task.key).await? else { return Ok(None) };
            let Some(interrupted) = current.interrupt(why.clone()) else { return Ok(Some(current)) };
            let mut changes = Changes::new();
            changes.update(interrupted, current.version);
            self.ports.unit_of_work.commit(changes).await?;
            self.load_task(&task.key).await
        })
        .await?;
        match stopping {
            Some(task) => self.stop(&task).await,
            None => Ok(()),
        }
    }

    /// Notes that the containers are told to stop, then tells them. If we die between the two, they are told again.
    async fn stop(&self, task: &Versioned<Task>) -> Result<()> {
        retry_conflicts(|| async {
            let Some(current) = self.load_task(&task.key).await? else { return Ok(()) };
            let now = self.ports.clock.now();
            if let Some(stopping) = current.begin_stopping(now).filter(|_| current.accepted) {
                let mut changes = Changes::new();
                changes.update(stopping, current.version);
                self.ports.unit_of_work.commit(changes).await?;
            }
            Ok(())
        })
        .await?;
        let definition = definition_of(self.ports, task).await?;
        let order = StopOrder { task: task.key.clone(), definition };
        Ok(self.ports.orchestrator.stop(order).await?)
    }
}
