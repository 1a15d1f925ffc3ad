//! Once the faults stop, everything has to come to rest: services reach their steady state or say why they can't, what
//! should end has ended, and nothing is left behind.

use std::collections::BTreeSet;
use std::sync::Arc;

use kecs_domain::arn::ServiceKey;
use kecs_domain::container_instance::InstanceState;
use kecs_domain::model::{DeploymentControllerType, DeploymentRolloutState, SchedulingStrategy};
use kecs_domain::service::{Deployment, DeploymentStatus, Service, ServiceStatus, invariant};
use kecs_domain::task::{DesiredStatus, Task, TaskStatus};
use kecs_usecases::ports::{Observation, WakeKey};

use super::client::definition::{Kind, has_fixed_port};
use super::fault::Rates;
use super::ledger::Ledger;
use super::settled;
use super::setup::{attributes, instances, spares};
use super::world::World;

/// The virtual time in which everything has to come to rest: the longest wait between two attempts to start a task is
/// 27 minutes.
const PATIENCE: i64 = 40 * 60_000;
/// How long rest is watched: two rounds of every timer.
const WATCH: i64 = 130_000;
/// How long it takes until what has ended is removed at the latest.
const RETENTION: i64 = 65 * 60_000;
/// How many nodes with room for everything are added: as many as a service has tasks at most.
const SPARES: usize = 13;
/// More instants than it takes.
const INSTANTS: usize = 20_000;

impl World {
    /// Ends the faults and waits for rest.
    pub(crate) fn rest(&mut self) {
        self.shared.lock().rates = Rates::none();
        self.log(format_args!("no more faults"));
        self.mend();
        self.settle();
        let calls = self.client.calm(&self.shared.lock().ledger);
        for call in calls {
            self.begin_call(call);
        }
        self.settle();
        let begin = self.shared.millis();
        let mut why = self.restless();
        for _ in 0..INSTANTS {
            // Every reconciler has looked at least once before anything counts as rest.
            let done = why.is_empty() && self.shared.millis() > begin + WATCH;
            let next = self.next_deadline().filter(|next| *next <= begin + PATIENCE && !done);
            let Some(next) = next else { break };
            self.advance(next.max(self.shared.millis()));
            self.settle();
            self.check();
            if self.is_broken() {
                return;
            }
            why = self.restless();
        }
        for one in why {
            self.violate("everything comes to rest", one);
        }
        if !self.is_broken() {
            self.watch();
            self.retire();
            self.check_rest();
        }
    }

    /// Brings every node back, and adds room for everything.
    fn mend(&mut self) {
        let orchestrator = &self.process.orchestrator;
        for node in &self.options.nodes {
            // One that was not lost or drained is as it should be already.
            let _ = orchestrator.add_node(node.clone());
            let _ = orchestrator.activate(&node.name);
        }
        for node in spares(&self.options, SPARES) {
            let _ = orchestrator.add_node(node.clone());
            self.options.nodes.push(node);
        }
        let nodes = attributes(&self.options, &instances(orchestrator, &self.options));
        self.shared.lock().ledger.nodes = nodes;
    }

    /// What still has to happen.
    fn restless(&self) -> Vec<String> {
        let nodes = self.nodes();
        let shared = self.shared.lock();
        let ledger = &shared.ledger;
        let mut why = settled::daemons(ledger, &nodes);
        why.extend(settled::drained(ledger, &nodes));
        for task in ledger.unfinished() {
            if task.waits_for_capacity() {
                why.push(format!("task {} should have a place", task.key.id));
            }
            let lone = task.service.is_none();
            if task.desired == DesiredStatus::Stopped {
                why.push(format!("task {} should have STOPPED, it is {}", task.key.id, task.status));
            } else if lone && task.status.is_pending() && kind_of(ledger, task) == Some(Kind::Steady) {
                why.push(format!("task {} should be RUNNING, it is {}", task.key.id, task.status));
            }
        }
        for service in ledger.services.values() {
            let named = || format!("service {}/{}", service.key.cluster.name, service.key.name);
            match service.status {
                ServiceStatus::Inactive => {}
                ServiceStatus::Draining => why.push(format!("{} should be INACTIVE", named())),
                ServiceStatus::Active => {
                    if let Err(wrong) = is_at_rest(ledger, service) {
                        why.push(format!("{}: {wrong}", named()));
                    }
                }
            }
        }
        why
    }

    /// At rest nothing is written any more, whatever timers come; and a needless hint changes nothing.
    fn watch(&mut self) {
        let (services, busy) = {
            let shared = self.shared.lock();
            let ledger = &shared.ledger;
            let services: Vec<ServiceKey> = ledger.services.keys().cloned().collect();
            let restless = |task: &Task| task.daemon.is_none() && kind_of(ledger, task) != Some(Kind::Steady);
            let busy = ledger.unfinished().any(|task| restless(task));
            let moving =
                |service: &Service| service.status == ServiceStatus::Active && !is_steady(ledger, service);
            (services, busy || ledger.services.values().any(|service| moving(service)))
        };
        let before = self.shared.lock().ledger.commits;
        for key in services {
            self.wake(WakeKey::Service(key));
        }
        let end = self.shared.millis() + WATCH;
        for _ in 0..INSTANTS {
            let Some(next) = self.next_deadline().filter(|next| *next <= end && !busy) else { break };
            self.advance(next.max(self.shared.millis()));
            self.settle();
        }
        let shared = &mut *self.shared.lock();
        let written = shared.ledger.commits - before;
        // Retention removes what is old, in its own time.
        if written > 2 && !busy {
            shared.ledger.violate("rest is rest", format!("{written} commits were made at rest"));
        }
    }

    /// Lets so much time go by that what has ended is removed.
    fn retire(&mut self) {
        let end = self.shared.millis() + RETENTION;
        self.advance(end);
        self.settle();
        for _ in 0..INSTANTS {
            let Some(next) = self.next_deadline().filter(|next| *next <= end + WATCH) else { break };
            self.advance(next.max(self.shared.millis()));
            self.settle();
        }
    }

    /// What holds at rest.
    fn check_rest(&mut self) {
        let snapshot = self.snapshot();
        let shared = &mut *self.shared.lock();
        let ledger = &mut shared.ledger;
        ledger.compare_unfinished(&self.store);
        let mut wrong = Vec::new();
        for service in ledger.services.values().filter(|it| it.status == ServiceStatus::Active) {
            let tasks: Vec<Arc<Task>> = ledger.open_tasks(&service.key).cloned().collect();
            if let Err(count) = invariant::check_counts(service, tasks.iter().map(|task| &**task)) {
                wrong.push(("counts add up", format!("service {}: {count}", service.key.name)));
            }
        }
        for key in &snapshot {
            match ledger.tasks.get(key) {
                None => wrong
                    .push(("nothing is left behind", format!("task {} runs, and nobody knows it", key.id))),
                Some(task) if task.status == TaskStatus::Stopped => {
                    wrong.push((
                        "nothing is left behind",
                        format!("task {} has STOPPED and is not forgotten", key.id),
                    ));
                }
                Some(_) => {}
            }
        }
        for task in ledger.unfinished().filter(|task| !snapshot.contains(&task.key)) {
            wrong.push((
                "nothing is lost",
                format!("task {} is {}, and runs nowhere", task.key.id, task.status),
            ));
        }
        for (promise, text) in wrong {
            ledger.violate(promise, text);
        }
    }

    /// What the orchestrator has.
    fn snapshot(&mut self) -> BTreeSet<kecs_domain::arn::TaskKey> {
        self.process.observe();
        let observed = self.process.observed().unwrap_or_default();
        let keys = observed.into_iter().flat_map(|observation| match observation {
            Observation::Snapshot(keys) => keys,
            Observation::Changed(tasks) => tasks.into_iter().map(|task| task.key).collect(),
            Observation::Instances => Vec::new(),
        });
        keys.collect()
    }
}

fn kind_of(ledger: &Ledger, task: &Task) -> Option<Kind> {
    ledger.definitions.get(&task.definition).map(|definition| Kind::of(definition))
}

/// Whether an ACTIVE service is steady, or has a good reason not to be.
fn is_at_rest(ledger: &Ledger, service: &Service) -> Result<(), String> {
    if service.controller() == DeploymentControllerType::External {
        return settled::sets(ledger, service);
    }
    let Some(primary) = service.primary() else { return Err("it has no PRIMARY deployment".to_owned()) };
    let definition = ledger.definitions.get(&primary.definition).ok_or("its task definition is gone")?;
    // The circuit breaker has spoken: nothing more is started.
    if primary.rollout == DeploymentRolloutState::Failed || Kind::of(definition) != Kind::Steady {
        return Ok(());
    }
    if is_stuck(ledger, service) {
        return Ok(());
    }
    // A node holds one task with a port of its own; where old and new ones meet there may be too few nodes.
    let crowded = service.deployments.iter().any(|one| {
        ledger.definitions.get(&one.definition).is_some_and(|definition| has_fixed_port(definition))
    });
    // A daemon belongs on every instance, also on one that is full: there it waits.
    let daemon = service.scheduling_strategy() == SchedulingStrategy::Daemon;
    // On an instance that is drained it stays as long as others do.
    let kept = ledger.open_tasks(&service.key).filter(|task| {
        let state = task.instance.map(|at| ledger.instance_state(&service.key.cluster, at));
        task.status <= TaskStatus::Running && state == Some(InstanceState::Draining)
    });
    let kept = i32::try_from(kept.count()).unwrap_or(i32::MAX);
    let waits = daemon && service.running + service.pending == service.desired_count() + kept;
    if crowded || waits {
        return Ok(());
    }
    steady(service, primary)
}

/// Whether a service has all its tasks, and they stay.
fn is_steady(ledger: &Ledger, service: &Service) -> bool {
    if service.controller() == DeploymentControllerType::External {
        return settled::sets(ledger, service).is_ok();
    }
    let primary = service.primary().filter(|one| steady(service, one).is_ok());
    let definition = primary.and_then(|one| ledger.definitions.get(&one.definition));
    definition.is_some_and(|definition| Kind::of(definition) == Kind::Steady)
}

fn steady(service: &Service, primary: &Deployment) -> Result<(), String> {
    let shown = || {
        let all = service.deployments.iter().map(|one| {
            format!("{} {} {}+{}/{}", one.status.as_str(), one.rollout, one.running, one.pending, one.desired)
        });
        format!("{} wanted, {:?}", service.desired_count(), all.collect::<Vec<_>>())
    };
    if service.deployments.len() != 1 || primary.rollout != DeploymentRolloutState::Completed {
        return Err(format!("its deployment is not completed: {}", shown()));
    }
    if service.running != service.desired_count() || service.pending != 0 {
        return Err(format!("it has {} running tasks: {}", service.running, shown()));
    }
    if !service.steady {
        return Err(format!("it has not said that it is steady: {}", shown()));
    }
    Ok(())
}

/// Whether the limits leave no move: as many healthy tasks must stay as there may be, and they are of an older
/// deployment or on an instance that is drained. The service must have said so.
pub(super) fn is_stuck(ledger: &Ledger, service: &Service) -> bool {
    let limits = service.limits(service.desired_count());
    let drained = |task: &Arc<Task>| {
        let state = task.instance.map(|at| ledger.instance_state(&service.key.cluster, at));
        state == Some(InstanceState::Draining)
    };
    let older =
        service.deployments.iter().any(|one| one.status != DeploymentStatus::Primary && one.running > 0)
            || ledger.open_tasks(&service.key).any(drained);
    let tight = limits.least_healthy >= limits.most || limits.most <= i64::from(service.running);
    let healthy = ledger.open_tasks(&service.key).filter(|task| task.status == TaskStatus::Running).count();
    let none_to_spare = i64::try_from(healthy).unwrap_or(i64::MAX) <= limits.least_healthy;
    let said = service
        .events
        .iter()
        .flat_map(|event| event.message.as_deref())
        .any(|message| message.contains("unable to stop or start"));
    let replica = service.scheduling_strategy() == SchedulingStrategy::Replica;
    older && tight && none_to_spare && said && (replica || healthy > 0)
}
