//! A service, its tasks and an obedient executor, without I/O: what the reconciler does with a plan, and what an
//! orchestrator tells of tasks, both in memory and on a clock that only moves when told to.
//!
//! It isn't the simulated orchestrator: nothing happens here by itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kecs_domain::arn::{TaskDefinitionKey, TaskKey};
use kecs_domain::model::{DeploymentConfiguration, HealthStatus, SchedulingStrategy};
use kecs_domain::name::{DeploymentId, HexId, TaskId};
use kecs_domain::service::{
    EventWriter, LaunchThrottle, NewDeployment, Plan, PlanInput, RevisionExtras, Service, ServiceDeployment,
    ServiceRevision, ServiceStatus, Start, plan,
};
use kecs_domain::task::{
    ContainerObservation, ContainerState, Interruption, LaunchSettings, NewTask, ServiceMembership, Task,
    TaskFailure, TaskObservation, TaskStatus,
};
use kecs_domain::task_definition::TaskDefinition;
use kecs_domain::{Timestamp, model};

pub(crate) use super::settings::Settings;
use super::{cluster, counting, service_key};

/// How far a task of the world has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Made, not yet running.
    Starting,
    /// Running.
    Up,
    /// Running, and told to end.
    Told,
    /// Its containers are being stopped.
    Leaving,
    /// STOPPED, until the scheduler has seen it.
    Stopped,
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) tasks: BTreeMap<TaskId, Arc<Task>>,
    pub(crate) records: BTreeMap<String, ServiceDeployment>,
    pub(crate) instances: Vec<HexId>,
    /// Where the tasks of a REPLICA service go, by turns; nowhere if there are none.
    pub(crate) hosts: Vec<HexId>,
    /// Those of `hosts` that are DRAINING.
    pub(crate) draining: Vec<HexId>,
    pub(crate) now: Timestamp,
    /// What each task's orchestrator last told.
    seen: BTreeMap<TaskId, TaskObservation>,
    pub(super) definitions: BTreeMap<i32, Arc<TaskDefinition>>,
    revisions: BTreeMap<DeploymentId, ServiceRevision>,
    pub(super) checked: bool,
    pub(super) revision: i32,
    next_task: u128,
    next_deployment: u64,
    next_uuid: u64,
}

impl World {
    /// A service that was just created, with `web:1`.
    pub(crate) fn new(settings: &Settings) -> Self {
        let service = Service {
            key: service_key(),
            status: ServiceStatus::Active,
            spec: model::Service {
                service_name: Some("web".to_owned()),
                service_arn: Some(service_key().arn()),
                cluster_arn: Some(cluster().arn()),
                desired_count: Some(if settings.daemon_on.is_some() { 0 } else { settings.desired }),
                scheduling_strategy: Some(match settings.daemon_on {
                    Some(_) => SchedulingStrategy::Daemon,
                    None => SchedulingStrategy::Replica,
                }),
                deployment_configuration: Some(DeploymentConfiguration {
                    minimum_healthy_percent: Some(settings.percents.0),
                    maximum_percent: Some(settings.percents.1),
                    deployment_circuit_breaker: settings.breaker.clone(),
                    ..DeploymentConfiguration::default()
                }),
                health_check_grace_period_seconds: Some(settings.grace),
                ..model::Service::default()
            },
            revision_extras: RevisionExtras::default(),
            tags: Vec::new(),
            default_namespace: None,
            deployments: Vec::new(),
            task_sets: Vec::new(),
            events: std::collections::VecDeque::new(),
            running: 0,
            pending: 0,
            last_completed: None,
            steady: false,
            said: BTreeMap::new(),
            throttle: LaunchThrottle::default(),
        };
        let mut world = Self {
            service,
            tasks: BTreeMap::new(),
            records: BTreeMap::new(),
            instances: (1..=settings.daemon_on.unwrap_or(0)).map(|n| HexId::from_bits(n as u128)).collect(),
            hosts: Vec::new(),
            draining: Vec::new(),
            now: super::at(0),
            seen: BTreeMap::new(),
            definitions: BTreeMap::new(),
            revisions: BTreeMap::new(),
            checked: settings.checked,
            revision: 0,
            next_task: 0,
            next_deployment: 0,
            next_uuid: 0,
        };
        world.update();
        world
    }

    // ---- what happens to tasks

    pub(crate) fn stage(&self, id: TaskId) -> Stage {
        let task = &self.tasks[&id];
        let told = task.desired == kecs_domain::task::DesiredStatus::Stopped;
        match task.status {
            TaskStatus::Stopped => Stage::Stopped,
            status if status > TaskStatus::Running => Stage::Leaving,
            _ if told => Stage::Told,
            TaskStatus::Running => Stage::Up,
            _ => Stage::Starting,
        }
    }

    /// Whether its tasks have a health check.
    pub(crate) fn is_checked(&self) -> bool {
        self.checked
    }

    /// The tasks that are so far, the oldest first.
    pub(crate) fn at_stage(&self, stage: Stage) -> Vec<TaskId> {
        self.tasks.keys().copied().filter(|id| self.stage(*id) == stage).collect()
    }

    /// The task is RUNNING, with `health` if it has a health check.
    pub(crate) fn run(&mut self, id: TaskId, health: HealthStatus) {
        let (now, checked) = (self.now, self.checked);
        self.observe(id, |seen| {
            seen.placed = true;
            seen.pull_stopped_at = Some(now);
            let container = match seen.containers.pop() {
                Some(running) => running,
                None => {
                    ContainerObservation { started_at: Some(now), ..ContainerObservation::pending("app") }
                }
            };
            let health = checked.then_some(health);
            seen.containers =
                vec![ContainerObservation { state: ContainerState::Running, health, ..container }];
        });
    }

    /// Its container ends.
    pub(crate) fn crash(&mut self, id: TaskId, exit_code: i32) {
        let now = self.now;
        self.observe(id, |seen| {
            for container in &mut seen.containers {
                container.state = ContainerState::Stopped;
                container.exit_code = Some(exit_code);
                container.finished_at = Some(now);
            }
            seen.released = true;
        });
    }

    /// It never comes up.
    pub(crate) fn fail_to_start(&mut self, id: TaskId) {
        self.observe(id, |seen| {
            seen.failure = Some(TaskFailure::FailedToStart {
                reason: "CannotPullContainerError: no such image".to_owned(),
            });
            seen.released = true;
        });
    }

    /// Its containers are being told to stop.
    pub(crate) fn leave(&mut self, id: TaskId) {
        if let Some(leaving) = self.tasks[&id].begin_stopping(self.now) {
            self.tasks.insert(id, Arc::new(leaving));
        }
    }

    /// It is gone.
    pub(crate) fn gone(&mut self, id: TaskId) {
        self.leave(id);
        self.observe(id, |seen| seen.released = true);
    }

    /// Whatever starts comes up, with `health`.
    pub(crate) fn all_up(&mut self, health: HealthStatus) {
        for id in self.at_stage(Stage::Starting) {
            self.run(id, health);
        }
    }

    /// Whatever starts fails to.
    pub(crate) fn all_fail_to_start(&mut self) {
        for id in self.at_stage(Stage::Starting) {
            self.fail_to_start(id);
        }
    }

    /// Whatever should end is gone.
    pub(crate) fn all_gone(&mut self) {
        for id in self.at_stage(Stage::Told).into_iter().chain(self.at_stage(Stage::Leaving)) {
            self.gone(id);
        }
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.now = self.now.saturating_add(Duration::from_secs(seconds));
    }

    fn observe(&mut self, id: TaskId, change: impl FnOnce(&mut TaskObservation)) {
        let task = &self.tasks[&id];
        let seen = self.seen.entry(id).or_insert_with(|| TaskObservation::accepted(task.key.clone()));
        change(seen);
        let definition = &self.definitions[&task.definition.revision];
        if let Some(next) = task.observe(seen, &definition.doc, self.now) {
            self.tasks.insert(id, Arc::new(next));
        }
    }

    pub(super) fn interrupt(&mut self, id: TaskId, why: Interruption) {
        if let Some(next) = self.tasks[&id].interrupt(why) {
            self.tasks.insert(id, Arc::new(next));
        }
    }

    // ---- the scheduler

    /// What the scheduler plans now.
    pub(crate) fn plan(&self) -> Plan {
        self.plan_with(&self.service)
    }

    /// What the scheduler would plan for this version of the service.
    pub(crate) fn plan_with(&self, service: &Service) -> Plan {
        let open = |task: &&Arc<Task>| task.status != TaskStatus::Stopped || !task.accounted;
        let tasks: Vec<Arc<Task>> = self.tasks.values().filter(open).cloned().collect();
        let find = |key: &TaskDefinitionKey| self.definitions.get(&key.revision).cloned();
        let input = PlanInput {
            service,
            tasks: &tasks,
            definition: &find,
            instances: &self.instances,
            draining: &self.draining,
            now: self.now,
        };
        let mut uuids = self.next_uuid;
        plan(&input, &mut counting("event-", &mut uuids))
    }

    /// Lets go of tasks that the store no longer gives to the scheduler.
    fn forget_accounted(&mut self) {
        self.tasks.retain(|_, task| task.status != TaskStatus::Stopped || !task.accounted);
        self.seen.retain(|id, _| self.tasks.contains_key(id));
    }

    /// Does what the plan says, like the reconciler.
    pub(crate) fn execute(&mut self, plan: Plan) {
        // At least one uuid per event that the plan may have written.
        self.next_uuid += 100_000;
        self.service = plan.service;
        for (key, why) in plan.stop {
            self.interrupt(key.id, why);
        }
        for key in plan.account {
            if let Some(task) = self.tasks.get_mut(&key.id) {
                Arc::make_mut(task).accounted = true;
            }
        }
        self.forget_accounted();
        for change in plan.records {
            if let Some(next) = self.records[&change.record].after(&change.event, self.now) {
                self.records.insert(change.record, next);
            }
        }
        if let Some(rollback) = plan.rollback {
            let revision = self.revisions[&rollback.to].clone();
            self.service.restore_revision(&revision);
            let definition = self.named_definition();
            let id = self.deployment_id();
            self.open(id, rollback.record, &definition, Some(rollback.from));
        }
        for start in plan.start {
            self.start(&start);
        }
    }

    fn start(&mut self, start: &Start) {
        let set = self.service.task_set(Some(start.deployment)).ok().map(|set| set.id);
        let deployments = self.service.deployments.iter().map(|one| (one.id, &one.definition));
        let sets = self.service.task_sets.iter().map(|set| (set.id, &set.definition));
        let of = deployments.chain(sets).find(|(id, _)| *id == start.deployment);
        let revision = of.expect("it is the service's").1.revision;
        let definition = Arc::clone(&self.definitions[&revision]);
        let launch = Arc::new(LaunchSettings::default());
        let mut ids = Vec::new();
        for _ in 0..start.count {
            self.next_task += 1;
            let open: Vec<HexId> =
                self.hosts.iter().filter(|host| !self.draining.contains(host)).copied().collect();
            let turn = open.get(self.next_task as usize % open.len().max(1)).copied();
            let new = NewTask {
                key: TaskKey { cluster: cluster(), id: HexId::from_bits(self.next_task) },
                definition: &definition,
                launch_type: None,
                capacity_provider: None,
                overrides: kecs_domain::Doc::default(),
                group: "service:web".to_owned(),
                started_by: Some(start.deployment.to_string()),
                enable_execute_command: false,
                platform_version: None,
                service: Some(ServiceMembership { name: service_key().name, deployment: start.deployment }),
                daemon: None,
                instance: start.instance.or(turn),
                availability_zone: Some(["a", "b"][(self.next_task % 2) as usize].to_owned()),
                tags: Vec::new(),
                launch: Arc::clone(&launch),
                created_at: self.now,
            };
            let task = new.create(&mut counting("uuid-", &mut self.next_uuid));
            ids.push(task.key.id);
            self.tasks.insert(task.key.id, Arc::new(task));
        }
        let mut uuid = counting("event-", &mut self.next_uuid);
        EventWriter { now: self.now, uuid: &mut uuid }.started_of(&mut self.service, set, &ids);
        let started = i32::try_from(ids.len()).expect("a few");
        self.service.pending += started;
        for deployment in self.service.deployments.iter_mut().filter(|one| one.id == start.deployment) {
            deployment.pending += started;
        }
        for set in self.service.task_sets.iter_mut().filter(|set| set.id == start.deployment) {
            set.pending += started;
        }
    }

    pub(super) fn open(
        &mut self,
        id: DeploymentId,
        record: String,
        definition: &TaskDefinition,
        rolls_back: Option<DeploymentId>,
    ) {
        self.revisions.insert(id, self.service.revision(id, definition, self.now));
        self.service.open_deployment(NewDeployment {
            id,
            record,
            definition,
            rolls_back,
            reason: None,
            now: self.now,
        });
    }

    pub(super) fn deployment_id(&mut self) -> DeploymentId {
        self.next_deployment += 1;
        DeploymentId::from_random(self.next_deployment)
    }

    pub(super) fn named_definition(&self) -> Arc<TaskDefinition> {
        let arn = self.service.spec.task_definition.as_deref().expect("it has one");
        let revision: i32 =
            arn.rsplit(':').next().and_then(|digits| digits.parse().ok()).expect("a revision");
        Arc::clone(&self.definitions[&revision])
    }
}
