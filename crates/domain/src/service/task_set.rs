//! Task sets: the parts of a service whose deployments somebody else controls.

use serde::{Deserialize, Serialize};

use super::{Service, ServiceStatus};
use crate::Timestamp;
use crate::arn::TaskDefinitionKey;
use crate::error::EcsError;
use crate::generated as model;
use crate::model::{DeploymentControllerType, Scale, ScaleUnit, StabilityStatus};
use crate::name::DeploymentId;
use crate::{ErrorCode, tag};

/// How many task sets a service has at most. (recorded)
const MOST_TASK_SETS: usize = 5;

/// `status` of a task set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TaskSetStatus {
    /// It serves production traffic.
    Primary,
    /// It doesn't.
    Active,
    /// It is deleted; its tasks end.
    Draining,
}

impl TaskSetStatus {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "PRIMARY",
            Self::Active => "ACTIVE",
            Self::Draining => "DRAINING",
        }
    }
}

/// A task set of a service with an EXTERNAL deployment controller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskSet {
    /// Its identifier; tasks carry it in `startedBy`.
    pub id: DeploymentId,
    /// Whether it serves production traffic, and whether it is there to stay.
    pub status: TaskSetStatus,
    /// The task definition of its tasks.
    pub definition: TaskDefinitionKey,
    /// What it was made with, as it is shown; counts, states, times, scale and tags are not in here.
    pub settings: model::TaskSet,
    /// The percentage of the service's desired count.
    pub scale: f64,
    /// `computedDesiredCount`, once the scheduler has seen it.
    pub desired: i32,
    /// Its tasks on their way to RUNNING.
    pub pending: i32,
    /// Its RUNNING tasks.
    pub running: i32,
    /// How many were healthy when the scheduler last looked.
    #[serde(default)]
    pub healthy: i32,
    /// Whether its tasks are as they should be.
    pub stable: bool,
    /// Since when that is so, or isn't.
    pub stable_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When anything of it last changed.
    pub updated_at: Timestamp,
    /// Deleted by force: protection of its tasks doesn't hold that up.
    #[serde(default)]
    pub forced: bool,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<model::Tag>,
}

/// The value of a scale; left out, it is the whole of the service.
///
/// # Errors
/// `InvalidParameterException` for a value that is no percentage.
pub fn percentage(scale: Option<&Scale>) -> Result<f64, EcsError> {
    let Some(scale) = scale else { return Ok(100.0) };
    let value = scale.value.unwrap_or(0.0);
    if (0.0..=100.0).contains(&value) {
        return Ok(value);
    }
    Err(EcsError::invalid_parameter("scale value should be between 0 and 100"))
}

impl TaskSet {
    /// A new task set, which the scheduler hasn't seen yet.
    pub fn new(
        id: DeploymentId,
        definition: TaskDefinitionKey,
        settings: model::TaskSet,
        scale: f64,
        tags: Vec<model::Tag>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            status: TaskSetStatus::Active,
            definition,
            settings,
            scale,
            desired: 0,
            pending: 0,
            running: 0,
            healthy: 0,
            stable: false,
            stable_at: now,
            created_at: now,
            updated_at: now,
            forced: false,
            tags,
        }
    }

    /// How many tasks it should have, of a service that wants `desired`: rounded up. (API reference,
    /// computedDesiredCount)
    pub fn goal(&self, desired: i32) -> i32 {
        if self.status == TaskSetStatus::Draining {
            return 0;
        }
        #[allow(clippy::cast_possible_truncation, reason = "at most the desired count, and that fits")]
        let goal = (f64::from(desired) * self.scale / 100.0).ceil() as i32;
        goal
    }

    /// As it is shown; its tags on demand.
    pub fn view(&self, service: &Service, tags: Option<Vec<model::Tag>>) -> model::TaskSet {
        model::TaskSet {
            id: Some(self.id.to_string()),
            task_set_arn: Some(service.key.task_set_arn(self.id)),
            service_arn: Some(service.key.arn()),
            cluster_arn: Some(service.key.cluster.arn()),
            status: Some(self.status.as_str().to_owned()),
            task_definition: Some(self.definition.arn()),
            computed_desired_count: Some(self.desired),
            pending_count: Some(self.pending),
            running_count: Some(self.running),
            created_at: Some(self.created_at),
            updated_at: Some(self.updated_at),
            scale: Some(Scale { value: Some(self.scale), unit: Some(ScaleUnit::Percent) }),
            stability_status: Some(if self.stable {
                StabilityStatus::SteadyState
            } else {
                StabilityStatus::Stabilizing
            }),
            stability_status_at: Some(self.stable_at),
            tags,
            ..self.settings.clone()
        }
    }

    fn unsettle(&mut self, now: Timestamp) {
        self.updated_at = now;
        if self.stable {
            self.stable = false;
            self.stable_at = now;
        }
    }
}

impl Service {
    /// Whether task sets can be managed: what every operation on them asks first.
    ///
    /// # Errors
    /// `ServiceNotActiveException`; `InvalidParameterException` for another deployment controller.
    pub fn check_task_sets(&self, draining_too: bool) -> Result<(), EcsError> {
        let active =
            self.status == ServiceStatus::Active || (draining_too && self.status == ServiceStatus::Draining);
        if !active {
            return Err(EcsError::new(ErrorCode::ServiceNotActive, "Service was not ACTIVE."));
        }
        if self.controller() != DeploymentControllerType::External {
            return Err(EcsError::invalid_parameter(
                "Amazon ECS only supports task set management on services configured to use external deployment \
                 controllers.",
            ));
        }
        Ok(())
    }

    /// Adds a task set.
    ///
    /// # Errors
    /// `InvalidParameterException` if there are five already.
    pub fn add_task_set(&mut self, set: TaskSet) -> Result<(), EcsError> {
        let have = self.task_sets.len();
        if have >= MOST_TASK_SETS {
            return Err(EcsError::invalid_parameter(format!(
                "{have} deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum \
                 limit."
            )));
        }
        self.steady = false;
        self.task_sets.insert(0, set);
        Ok(())
    }

    /// Scales a task set.
    ///
    /// # Errors
    /// `TaskSetNotFoundException`; `InvalidParameterException` for one that is being deleted.
    pub fn scale_task_set(
        &mut self,
        id: Option<DeploymentId>,
        scale: f64,
        now: Timestamp,
    ) -> Result<&TaskSet, EcsError> {
        let set = self.changeable(id)?;
        set.scale = scale;
        set.unsettle(now);
        self.task_set(id)
    }

    /// Makes a task set the PRIMARY one. The service takes over what it was made with. (API reference,
    /// UpdateServicePrimaryTaskSet)
    ///
    /// # Errors
    /// `TaskSetNotFoundException`; `InvalidParameterException` for one that is being deleted.
    pub fn promote_task_set(
        &mut self,
        id: Option<DeploymentId>,
        now: Timestamp,
    ) -> Result<&TaskSet, EcsError> {
        let promoted = self.changeable(id)?.id;
        for set in &mut self.task_sets {
            let status = match set.status {
                _ if set.id == promoted => TaskSetStatus::Primary,
                TaskSetStatus::Primary => TaskSetStatus::Active,
                other => other,
            };
            if set.status != status {
                set.status = status;
                set.updated_at = now;
            }
            if set.id == promoted {
                let (spec, settings) = (&mut self.spec, &set.settings);
                spec.task_definition = Some(set.definition.arn());
                spec.launch_type = settings.launch_type;
                spec.capacity_provider_strategy.clone_from(&settings.capacity_provider_strategy);
                spec.platform_version.clone_from(&settings.platform_version);
                spec.platform_family.clone_from(&settings.platform_family);
                spec.network_configuration.clone_from(&settings.network_configuration);
                spec.load_balancers.clone_from(&settings.load_balancers);
                spec.service_registries.clone_from(&settings.service_registries);
            }
        }
        self.task_set(id)
    }

    /// Deletes a task set: its tasks end, and then it is gone. Deleting it again changes nothing.
    ///
    /// # Errors
    /// `TaskSetNotFoundException`; `InvalidParameterException` for the PRIMARY one, and without `force` for one that
    /// is scaled above zero.
    pub fn delete_task_set(
        &mut self,
        id: Option<DeploymentId>,
        force: bool,
        now: Timestamp,
    ) -> Result<&TaskSet, EcsError> {
        let set = self.task_sets.iter_mut().find(|set| Some(set.id) == id).ok_or_else(not_found)?;
        if set.status == TaskSetStatus::Primary {
            return Err(EcsError::invalid_parameter("Primary TaskSet cannot be deleted"));
        }
        if set.status == TaskSetStatus::Active && set.scale > 0.0 && !force {
            return Err(EcsError::invalid_parameter(
                "The task set cannot be deleted while it is scaled above 0.",
            ));
        }
        set.forced |= force;
        if set.status == TaskSetStatus::Active {
            set.status = TaskSetStatus::Draining;
            set.unsettle(now);
        }
        self.task_set(id)
    }

    /// Changes the tags of a task set.
    ///
    /// # Errors
    /// `TaskSetNotFoundException`.
    pub fn tag_task_set(&mut self, id: DeploymentId, tags: Vec<model::Tag>) -> Result<(), EcsError> {
        let set = self.task_sets.iter_mut().find(|set| set.id == id).ok_or_else(not_found)?;
        set.tags = tags;
        Ok(())
    }

    /// One of its task sets.
    ///
    /// # Errors
    /// `TaskSetNotFoundException`.
    pub fn task_set(&self, id: Option<DeploymentId>) -> Result<&TaskSet, EcsError> {
        self.task_sets.iter().find(|set| Some(set.id) == id).ok_or_else(not_found)
    }

    fn changeable(&mut self, id: Option<DeploymentId>) -> Result<&mut TaskSet, EcsError> {
        let set = self.task_sets.iter_mut().find(|set| Some(set.id) == id).ok_or_else(not_found)?;
        if set.status == TaskSetStatus::Draining {
            return Err(EcsError::invalid_parameter("The task set is being deleted."));
        }
        Ok(set)
    }
}

fn not_found() -> EcsError {
    EcsError::new(ErrorCode::TaskSetNotFound, "TaskSet not found.")
}

/// The tags of a new task set.
///
/// # Errors
/// What [`tag::check`] refuses.
pub fn tags(given: Option<&Vec<model::Tag>>) -> Result<Vec<model::Tag>, EcsError> {
    tag::check(given.map(Vec::as_slice).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;
    use crate::arn::{cluster_ref, service_ref};
    use crate::name::FamilyName;
    use crate::service::RevisionExtras;

    fn set(number: u64, scale: f64) -> TaskSet {
        let definition = TaskDefinitionKey {
            scope: Scope::new("123456789012", "eu-central-1"),
            family: FamilyName::parse("web").unwrap(),
            revision: 1,
        };
        let now = Timestamp::from_millis(0);
        TaskSet::new(
            DeploymentId::from_random(number),
            definition,
            model::TaskSet::default(),
            scale,
            Vec::new(),
            now,
        )
    }

    fn service() -> Service {
        let cluster = cluster_ref(&Scope::new("123456789012", "eu-central-1"), Some("main")).unwrap();
        let key = service_ref(&cluster, "web").unwrap().unwrap();
        Service::new(key, model::Service::default(), RevisionExtras::default(), Vec::new())
    }

    #[test]
    fn a_share_of_the_tasks_rounds_up() {
        for (desired, scale, goal) in
            [(10, 30.0, 3), (4, 30.0, 2), (1, 0.1, 1), (3, 0.0, 0), (0, 50.0, 0), (7, 100.0, 7)]
        {
            assert_eq!(set(1, scale).goal(desired), goal, "{scale} % of {desired}");
        }
        let draining = TaskSet { status: TaskSetStatus::Draining, ..set(1, 100.0) };
        assert_eq!(draining.goal(7), 0);
    }

    #[test]
    fn a_scale_is_a_percentage() {
        let scale = |value| percentage(Some(&Scale { value, unit: None }));
        assert_eq!(percentage(None), Ok(100.0));
        assert_eq!(scale(None), Ok(0.0));
        assert_eq!(scale(Some(12.5)), Ok(12.5));
        for bad in [-0.1, 100.1] {
            assert_eq!(scale(Some(bad)).unwrap_err().message, "scale value should be between 0 and 100");
        }
    }

    #[test]
    fn there_are_five_task_sets_at_most() {
        let mut service = service();
        for number in 0..5 {
            service.add_task_set(set(number, 100.0)).unwrap();
        }
        assert_eq!(
            service.add_task_set(set(9, 1.0)).unwrap_err().message,
            "5 deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum limit."
        );
    }

    #[test]
    fn one_task_set_is_the_primary_one_and_is_not_deleted() {
        let mut service = service();
        let (one, two) = (set(1, 100.0), set(2, 0.0));
        let (first, second) = (Some(one.id), Some(two.id));
        service.add_task_set(one).unwrap();
        service.add_task_set(two).unwrap();
        let now = Timestamp::from_millis(1);
        assert_eq!(service.promote_task_set(first, now).unwrap().status, TaskSetStatus::Primary);
        let refused = service.delete_task_set(first, true, now).unwrap_err();
        assert_eq!(refused.message, "Primary TaskSet cannot be deleted");
        assert_eq!(service.promote_task_set(second, now).unwrap().status, TaskSetStatus::Primary);
        assert_eq!(service.task_set(first).unwrap().status, TaskSetStatus::Active);
        assert!(service.delete_task_set(first, false, now).is_err(), "it is scaled above 0");
        assert_eq!(service.delete_task_set(first, true, now).unwrap().status, TaskSetStatus::Draining);
        assert!(service.scale_task_set(first, 10.0, now).is_err());
        assert_eq!(service.task_set(None).unwrap_err().code, ErrorCode::TaskSetNotFound);
    }
}
