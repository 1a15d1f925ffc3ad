//! What users do with the service of the world, as the use cases would carry it out.

use std::sync::Arc;

use kecs_domain::model::{
    DeploymentControllerType, DeploymentLifecycleHook, DeploymentLifecycleHookAction,
    DeploymentLifecycleHookStage, DeploymentLifecycleHookTargetType, TaskStopCode,
};
use kecs_domain::name::{DeploymentId, TaskId};
use kecs_domain::service::{RecordEvent, ServiceStatus, StopRequest, TaskSet};
use kecs_domain::task::{Interruption, STOPPED_BY_USER, Task};
use kecs_domain::{Timestamp, model};

use super::world::World;
use super::{app, definition};

impl World {
    /// UpdateService with a new revision of the task definition.
    pub(crate) fn update(&mut self) {
        self.revision += 1;
        let definition = Arc::new(definition(self.revision, &[app(self.checked)], false));
        self.definitions.insert(self.revision, Arc::clone(&definition));
        self.service.spec.task_definition = Some(definition.key.arn());
        self.force();
    }

    /// UpdateService with `forceNewDeployment`.
    pub(crate) fn force(&mut self) {
        let definition = self.named_definition();
        if let Some(key) = self.service.current_record()
            && let Some(ended) = self.records[&key.id].after(&RecordEvent::Superseded, self.now)
        {
            self.records.insert(key.id, ended);
        }
        let id = self.deployment_id();
        let record = self.service.record(format!("record-{id}"), id, self.now);
        let record_id = record.key.id.clone();
        self.records.insert(record_id.clone(), record);
        self.open(id, record_id, &definition, None);
    }

    /// A service with an EXTERNAL deployment controller: no deployment, and no task set yet.
    pub(crate) fn externally_controlled(&mut self) {
        self.service.spec.deployment_controller =
            Some(model::DeploymentController { r#type: DeploymentControllerType::External });
        self.service.spec.task_definition = None;
        self.service.deployments.clear();
        self.records.clear();
    }

    /// CreateTaskSet, with a new revision of the task definition after the first.
    pub(crate) fn add_task_set(&mut self, scale: f64) -> DeploymentId {
        if !self.service.task_sets.is_empty() {
            self.revision += 1;
            let definition = Arc::new(definition(self.revision, &[app(self.checked)], false));
            self.definitions.insert(self.revision, definition);
        }
        let key = self.definitions[&self.revision].key.clone();
        let id = self.deployment_id();
        let set = TaskSet::new(id, key, model::TaskSet::default(), scale, Vec::new(), self.now);
        self.service.add_task_set(set).expect("fewer than five");
        id
    }

    /// StopServiceDeployment of the PRIMARY deployment.
    pub(crate) fn stop(&mut self, how: StopRequest) {
        let key = self.service.current_record().expect("a deployment is under way");
        let stopped = self.service.stop_deployment(&self.records[&key.id], how, self.now);
        let (service, record) = stopped.expect("it can be stopped");
        self.service = service;
        self.records.insert(key.id, record);
    }

    /// ContinueServiceDeployment at the hook at which it waits.
    pub(crate) fn resolve_hook(&mut self, action: DeploymentLifecycleHookAction) {
        let key = self.service.current_record().expect("a deployment is under way");
        let waiting = self.service.deployments[0].hooks.waiting.clone().expect("it waits at a hook");
        let resolved = self.service.resolve_hook(&self.records[&key.id], &waiting.id, action, self.now);
        let (service, record) = resolved.expect("it waits at this hook");
        self.service = service;
        self.records.insert(key.id, record);
    }

    /// UpdateService with another desired count.
    pub(crate) fn scale(&mut self, desired: i32) {
        self.service.spec.desired_count = Some(desired);
    }

    /// DeleteService.
    pub(crate) fn delete(&mut self) {
        self.service.spec.desired_count = Some(0);
        self.service.status = ServiceStatus::Draining;
    }

    /// StopTask.
    pub(crate) fn stop_task(&mut self, id: TaskId) {
        self.interrupt(id, Interruption::new(TaskStopCode::UserInitiated, STOPPED_BY_USER));
    }

    /// UpdateTaskProtection.
    pub(crate) fn protect(&mut self, id: TaskId, until: Timestamp) {
        let task = Task { protected_until: Some(until), ..Task::clone(&self.tasks[&id]) };
        self.tasks.insert(id, Arc::new(task));
    }

    /// Takes all protection away.
    pub(crate) fn unprotect(&mut self) {
        for task in self.tasks.values_mut().filter(|task| task.protected_until.is_some()) {
            *task = Arc::new(Task { protected_until: None, ..Task::clone(task) });
        }
    }

    /// PAUSE hooks at these stages, from the next deployment on.
    pub(crate) fn pause_at(&mut self, stages: &[DeploymentLifecycleHookStage]) {
        let hook = |stage: &DeploymentLifecycleHookStage| DeploymentLifecycleHook {
            target_type: Some(DeploymentLifecycleHookTargetType::Pause),
            lifecycle_stages: Some(vec![*stage]),
            ..DeploymentLifecycleHook::default()
        };
        let configuration = self.service.spec.deployment_configuration.as_mut().expect("it has one");
        configuration.lifecycle_hooks = Some(stages.iter().map(hook).collect());
    }
}
