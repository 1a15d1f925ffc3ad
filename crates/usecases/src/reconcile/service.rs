//! One service: carry out the scheduler's plan, all of it in one commit.

use std::sync::Arc;
use std::time::Duration;

use kecs_domain::arn::{ServiceDeploymentKey, ServiceKey, ServiceRevisionKey, TaskDefinitionKey};
use kecs_domain::model::{LaunchType, PropagateTags, TaskVolumeConfiguration};
use kecs_domain::name::{DeploymentId, TaskId};
use kecs_domain::placement::Misfit;
use kecs_domain::service::{
    EventWriter, NewDeployment, Plan, PlanInput, RecordChange, RecordEvent, Rollback, Service,
    ServiceRevision, ServiceStatus, Start, plan,
};
use kecs_domain::task::{DesiredStatus, LaunchSettings, ServiceMembership, Task};
use kecs_domain::task_definition::TaskDefinition;
use kecs_domain::{Doc, model, tag};

use super::definitions::Definitions;
use super::ends::end_tasks;
use super::instances::{DRAINED_AGAIN_AFTER, ServiceInstances};
use super::place::PLACE_AGAIN_AFTER;
use super::{Next, Reconciler};
use crate::container_instance;
use crate::context::{Error, Result, retry_conflicts};
use crate::gateway::connect::follow;
use crate::ports::{Changes, Versioned, WakeKey};
use crate::service::namespace;
use crate::task::make::{Made, Recipe};
use crate::task::{Strategy, Where};
use crate::task_definition::resolve::{Accept, resolve};

impl Reconciler<'_> {
    pub(super) async fn service(&self, key: &ServiceKey) -> Result<Next> {
        let (next, wake) = retry_conflicts(|| self.try_service(key)).await?;
        self.ports.wake.wake(wake);
        Ok(next)
    }

    async fn try_service(&self, key: &ServiceKey) -> Result<(Next, Vec<WakeKey>)> {
        let ports = self.ports;
        let found = ports.services.services(std::slice::from_ref(key)).await?.pop().flatten();
        let Some(found) = found.filter(|found| found.status != ServiceStatus::Inactive) else {
            return Ok((Next::default(), Vec::new()));
        };
        let stored = ports.tasks.tasks_of_service(key).await?;
        let mut definitions = Definitions::default();
        let of_sets = found.task_sets.iter().map(|set| &set.definition);
        for key in found.deployments.iter().map(|one| &one.definition).chain(of_sets) {
            definitions.load(ports, key).await?;
        }
        let tasks: Vec<Arc<Task>> = stored.iter().map(|task| task.value.clone()).collect();
        let ServiceInstances { fitting, draining, keeps } =
            self.instances(&found, &tasks, &definitions).await?;
        let mut plan = {
            let input = PlanInput {
                service: &found,
                tasks: &tasks,
                definition: &|key| definitions.get(key),
                instances: &fitting,
                draining: &draining,
                now: ports.clock.now(),
            };
            plan(&input, &mut || ports.ids.uuid())
        };
        let mut changes = Changes::new();
        let mut wake = end_tasks(&plan.stop, &plan.account, &stored, &mut changes);
        if let Some(rollback) = plan.rollback.take() {
            self.roll_back(&mut plan, &rollback, &mut changes).await?;
        }
        self.change_records(&plan, key, &mut changes).await?;
        self.note_digests(&mut plan.service, &tasks, &mut changes).await?;
        let (mut started, mut of_sets) = (Vec::new(), Vec::new());
        for start in std::mem::take(&mut plan.start) {
            let made = self.start_tasks(&mut plan, &start, &tasks, &definitions).await?;
            let set = plan.service.task_set(Some(start.deployment)).ok().map(|set| set.id);
            if set.is_some() {
                self.tell_started(&mut plan.service, set, &made);
                of_sets.extend(made);
            } else {
                started.extend(made);
            }
        }
        self.tell_started(&mut plan.service, None, &started);
        started.extend(of_sets);
        for task in started {
            wake.push(WakeKey::Task(task.key.clone()));
            changes.create(task);
        }
        namespace::follow(Some(&found), &plan.service, &mut changes);
        if plan.service != *found.value {
            wake.extend(follow(&found, &plan.service, &mut changes));
            changes.update(plan.service, found.version);
        }
        if !changes.is_empty() {
            ports.unit_of_work.commit(changes).await?;
        }
        let after = plan.again_after.into_iter().chain(keeps.then_some(DRAINED_AGAIN_AFTER)).min();
        Ok((Next { after }, wake))
    }

    /// Lets the service say which tasks were started, of a task set or of a deployment.
    fn tell_started(&self, service: &mut Service, set: Option<DeploymentId>, tasks: &[Task]) {
        if tasks.is_empty() {
            return;
        }
        let ids: Vec<TaskId> = tasks.iter().map(|task| task.key.id).collect();
        EventWriter { now: self.ports.clock.now(), uuid: &mut || self.ports.ids.uuid() }
            .started_of(service, set, &ids);
    }

    async fn change_records(&self, plan: &Plan, service: &ServiceKey, changes: &mut Changes) -> Result<()> {
        let now = self.ports.clock.now();
        let mut ids: Vec<&str> = plan.records.iter().map(|change| change.record.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let key = ServiceDeploymentKey { service: service.clone(), id: id.to_owned() };
            let Some(Versioned { value, version }) = self.ports.services.service_deployment(&key).await?
            else {
                continue;
            };
            let mut record = None;
            for change in plan.records.iter().filter(|change| change.record == id) {
                let current = record.as_ref().unwrap_or(&*value);
                if let Some(next) = current.after(&change.event, now) {
                    record = Some(next);
                }
            }
            if let Some(record) = record {
                changes.update(record, version);
            }
        }
        Ok(())
    }

    /// Begins a deployment of an earlier revision. Its record is that of the deployment that failed; if there is
    /// nothing to go back to any more, that record ends with the failure of the rollback.
    async fn roll_back(&self, plan: &mut Plan, rollback: &Rollback, changes: &mut Changes) -> Result<()> {
        let ports = self.ports;
        let key = ServiceRevisionKey { service: plan.service.key.clone(), id: rollback.to };
        let revision = ports.services.service_revision(&key).await?;
        let definition = match &revision {
            None => None,
            Some(revision) => self.definition_of(revision).await?,
        };
        let (Some(revision), Some(definition)) = (revision, definition) else {
            tracing::warn!(service = %plan.service.key.arn(), "no rollback: the earlier revision is gone");
            plan.records.push(RecordChange {
                record: rollback.record.clone(),
                event: RecordEvent::Failed {
                    failures: plan.service.primary().map_or(0, |primary| primary.breaker.failures),
                    reason: "No rollback candidate was found to run the rollback.".to_owned(),
                },
            });
            return Ok(());
        };
        let service = &mut plan.service;
        service.restore_revision(&revision);
        let (id, now) = (ports.ids.deployment(), ports.clock.now());
        changes.create(service.revision(id, &definition, now));
        service.open_deployment(NewDeployment {
            id,
            record: rollback.record.clone(),
            definition: &definition,
            rolls_back: Some(rollback.from),
            reason: Some(rollback.reason.clone()),
            now,
        });
        plan.again_after = Some(Duration::ZERO);
        Ok(())
    }

    /// The task definition of a revision, in whatever state; None if it is gone.
    async fn definition_of(&self, revision: &ServiceRevision) -> Result<Option<Versioned<TaskDefinition>>> {
        let scope = &revision.key.service.cluster.scope;
        let named = revision.doc.task_definition.as_deref().unwrap_or_default();
        match resolve(self.ports, scope, named, Accept::Any).await {
            Ok(found) => Ok(Some(found)),
            Err(Error::Ecs(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where the tasks of a source run.
    async fn place_of(&self, service: &Service, source: &Source<'_>) -> Result<Where> {
        match source.strategy {
            Some(items) if !items.is_empty() => {
                let scope = &service.key.cluster.scope;
                let strategy = Strategy::load(self.ports, scope, items.to_vec(), source.launch_type).await?;
                Ok(Where::Strategy(strategy))
            }
            _ => Ok(Where::LaunchType(source.launch_type)),
        }
    }

    async fn start_tasks(
        &self,
        plan: &mut Plan,
        start: &Start,
        tasks: &[Arc<Task>],
        definitions: &Definitions,
    ) -> Result<Vec<Task>> {
        let Some(mut source) = Source::of(&plan.service, start.deployment) else { return Ok(Vec::new()) };
        let current = plan.service.primary().is_none_or(|primary| primary.id == start.deployment);
        let key = ServiceRevisionKey { service: plan.service.key.clone(), id: start.deployment };
        let older = if current { None } else { self.ports.services.service_revision(&key).await? };
        if let Some(older) = &older {
            source.go_back(older);
        }
        let Some(definition) = definitions.get(source.definition) else {
            tracing::warn!(service = %plan.service.key.arn(), "no tasks are started: the task definition is gone");
            return Ok(Vec::new());
        };
        let place = self.place_of(&plan.service, &source).await?;
        // Base and weight are about the tasks of a deployment or task set: those of another one are its own.
        let counts = |task: &Task| {
            task.desired == DesiredStatus::Running
                && task.service.as_ref().is_some_and(|of| of.deployment == start.deployment)
        };
        let per_provider = |provider: &str| {
            let on = |task: &Task| task.doc.capacity_provider_name.as_deref() == Some(provider);
            tasks.iter().filter(|task| counts(task) && on(task)).count()
        };
        let recipe = recipe(&plan.service, &source, &definition, &place, start, &per_provider);
        let mut made = recipe.make(self.ports, start.count).await?;
        if let Some(id) = start.instance {
            let member = container_instance::find(self.ports, &plan.service.key.cluster, id).await?;
            let by_agent = member.is_some_and(|member| member.by_agent());
            made.tasks.iter_mut().for_each(|task| task.by_agent = by_agent);
        }
        let now = self.ports.clock.now();
        if made.unplaced > 0 {
            EventWriter { now, uuid: &mut || self.ports.ids.uuid() }
                .unplaced(&mut plan.service, &why_unplaced(&made, &place));
            plan.again_after = Some(PLACE_AGAIN_AFTER);
        }
        let started = i32::try_from(made.tasks.len()).unwrap_or(i32::MAX);
        plan.service.pending += started;
        if let Some(deployment) = plan.service.deployments.iter_mut().find(|one| one.id == start.deployment) {
            deployment.pending += started;
            deployment.updated_at = now;
        }
        if let Some(set) = plan.service.task_sets.iter_mut().find(|set| set.id == start.deployment) {
            set.pending += started;
            set.updated_at = now;
        }
        Ok(made.tasks)
    }
}

/// What the tasks of a deployment or of a task set are made of.
struct Source<'a> {
    definition: &'a TaskDefinitionKey,
    strategy: Option<&'a [model::CapacityProviderStrategyItem]>,
    launch_type: LaunchType,
    platform_version: Option<String>,
    network: Option<model::NetworkConfiguration>,
}

impl<'a> Source<'a> {
    fn of(service: &'a Service, id: DeploymentId) -> Option<Self> {
        if let Ok(set) = service.task_set(Some(id)) {
            let settings = &set.settings;
            return Some(Self {
                definition: &set.definition,
                strategy: settings.capacity_provider_strategy.as_deref(),
                launch_type: settings.launch_type.unwrap_or(LaunchType::Ec2),
                platform_version: settings.platform_version.clone(),
                network: settings.network_configuration.clone(),
            });
        }
        let deployment = service.deployments.iter().find(|one| one.id == id)?;
        let spec = &service.spec;
        Some(Self {
            definition: &deployment.definition,
            strategy: spec.capacity_provider_strategy.as_deref(),
            launch_type: service.effective_launch_type(),
            platform_version: spec.platform_version.clone(),
            network: spec.network_configuration.clone(),
        })
    }
}

impl<'a> Source<'a> {
    /// An earlier revision's tasks run where that revision said, whatever the service says now.
    fn go_back(&mut self, revision: &'a ServiceRevision) {
        let spec = &revision.spec;
        self.strategy = spec.capacity_provider_strategy.as_deref();
        self.launch_type =
            spec.launch_type.or(revision.extras.provider_launch_type).unwrap_or(LaunchType::Fargate);
        self.platform_version.clone_from(&spec.platform_version);
        self.network.clone_from(&spec.network_configuration);
    }
}

fn recipe<'a>(
    service: &'a Service,
    source: &'a Source<'_>,
    definition: &'a Arc<TaskDefinition>,
    place: &'a Where,
    start: &Start,
    per_provider: &'a (dyn Fn(&str) -> usize + Sync),
) -> Recipe<'a> {
    let spec = &service.spec;
    let mut tags = match spec.propagate_tags {
        Some(PropagateTags::Service) => service.tags.clone(),
        Some(PropagateTags::TaskDefinition) => definition.tags.clone(),
        Some(PropagateTags::None) | None => Vec::new(),
    };
    if spec.enable_ecs_managed_tags == Some(true) {
        tag::add_managed(&mut tags, &service.key.cluster.name, Some(&service.key.name));
    }
    Recipe {
        cluster: &service.key.cluster,
        definition,
        place,
        overrides: Doc::default(),
        group: format!("service:{}", service.key.name),
        started_by: Some(start.deployment.to_string()),
        enable_execute_command: spec.enable_execute_command.unwrap_or(false),
        platform_version: source.platform_version.clone(),
        service: Some(ServiceMembership { name: service.key.name.clone(), deployment: start.deployment }),
        tags,
        launch: Arc::new(LaunchSettings {
            network: source.network.clone(),
            placement_constraints: spec.placement_constraints.clone().unwrap_or_default(),
            placement_strategy: spec.placement_strategy.clone().unwrap_or_default(),
            volumes: task_volumes(service),
        }),
        instance: start.instance,
        per_provider,
    }
}

/// The volumes of a service's tasks: a service's volume configuration without a say in what becomes of it.
fn task_volumes(service: &Service) -> Vec<TaskVolumeConfiguration> {
    let volumes = service.revision_extras.volumes.iter().flatten();
    volumes
        .map(|volume| TaskVolumeConfiguration {
            name: volume.name.clone(),
            managed_ebs_volume: volume.managed_ebs_volume.as_ref().map(|ebs| {
                model::TaskManagedEBSVolumeConfiguration {
                    encrypted: ebs.encrypted,
                    kms_key_id: ebs.kms_key_id.clone(),
                    volume_type: ebs.volume_type.clone(),
                    size_in_gib: ebs.size_in_gib,
                    snapshot_id: ebs.snapshot_id.clone(),
                    volume_initialization_rate: ebs.volume_initialization_rate,
                    iops: ebs.iops,
                    throughput: ebs.throughput,
                    tag_specifications: ebs.tag_specifications.clone(),
                    role_arn: ebs.role_arn.clone(),
                    // The volumes of a service's tasks always end with them. (AWS documentation, EBS volumes)
                    termination_policy: None,
                    filesystem_type: ebs.filesystem_type,
                }
            }),
        })
        .collect()
}

/// The reason in the event of a task that found no place.
fn why_unplaced(made: &Made, place: &Where) -> String {
    if made.no_instances {
        return format!("Reason: {}.", place.no_instances());
    }
    // The closest match is the one that lacks the least: a resource rather than a constraint.
    let closest = made.misfits.iter().min_by_key(|(_, misfit)| match misfit {
        Misfit::Cpu | Misfit::Memory | Misfit::Ports => 0,
        Misfit::Agent | Misfit::Attribute => 1,
        Misfit::MemberOf | Misfit::DistinctInstance => 2,
    });
    closest.map_or_else(String::new, |(instance, misfit)| {
        format!("The closest matching (container-instance {instance}) {}.", misfit.as_event())
    })
}
