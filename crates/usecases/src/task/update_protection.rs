//! UpdateTaskProtection.

use std::collections::{BTreeMap, BTreeSet};

use kecs_domain::Timestamp;
use kecs_domain::arn::{ServiceKey, TaskKey};
use kecs_domain::model::{UpdateTaskProtectionRequest, UpdateTaskProtectionResponse};
use kecs_domain::name::TaskId;
use kecs_domain::task::{Task, protection::expiry};

use super::protection::{failure, keys};
use super::{Tasks, existing_cluster};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, WakeKey};

/// The most tasks in a call. (API reference)
const MOST_TASKS: usize = 10;

impl Tasks<'_> {
    /// Gives tasks of services protection for a time, or takes it from them. Those for which it can't be done come
    /// back as failures, and the others are changed together.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for a time out of range, for no task, for more than
    /// ten, and for what is no identifier of a task of the cluster.
    pub async fn update_protection(
        &self,
        ctx: &Context,
        request: UpdateTaskProtectionRequest,
    ) -> Result<UpdateTaskProtectionResponse> {
        check_model(&request)?;
        let cluster = existing_cluster(self.ports, &ctx.scope, Some(&request.cluster)).await?;
        let keys = keys(&cluster, &request.tasks, MOST_TASKS)?;
        let now = self.ports.clock.now();
        let until = expiry(request.protection_enabled, request.expires_in_minutes, now)?;
        let (answer, services) = retry_conflicts(|| self.try_protect(&keys, until, now)).await?;
        // Tasks that may go now are waited for.
        self.ports.wake.wake(services.into_iter().map(WakeKey::Service).collect());
        Ok(answer)
    }

    /// One attempt: the answer, and the services whose tasks were changed.
    async fn try_protect(
        &self,
        keys: &[TaskKey],
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(UpdateTaskProtectionResponse, BTreeSet<ServiceKey>)> {
        let mut changes = Changes::new();
        let (mut protected, mut failures, mut services) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut room = Room::default();
        for (key, found) in keys.iter().zip(self.ports.tasks.tasks(keys).await?) {
            let Some(found) = found else {
                failures.push(failure(key, "MISSING"));
                continue;
            };
            let Some(service) = service_of(&found).filter(|_| found.is_protectable()) else {
                failures.push(failure(key, "TASK_NOT_VALID"));
                continue;
            };
            if until.is_some() && !self.has_room(&mut room, &service, &found, now).await? {
                failures.push(failure(key, "DEPLOYMENT_BLOCKED"));
                continue;
            }
            let changed = found.protect(until);
            protected.push(changed.as_ref().unwrap_or(&*found).protection_view(now));
            if let Some(task) = changed {
                changes.update(task, found.version);
                services.insert(service);
            }
        }
        if !changes.is_empty() {
            self.ports.unit_of_work.commit(changes).await?;
        }
        let answer =
            UpdateTaskProtectionResponse { protected_tasks: Some(protected), failures: Some(failures) };
        Ok((answer, services))
    }

    /// Whether `task` may be protected beside those that are: a service never has more protected tasks than it wants
    /// tasks, or its deployments could not end. (AWS documentation, task scale-in protection)
    async fn has_room(&self, room: &mut Room, key: &ServiceKey, task: &Task, now: Timestamp) -> Result<bool> {
        if !room.0.contains_key(key) {
            let found = self.ports.services.services(std::slice::from_ref(key)).await?.pop().flatten();
            let desired = found.map_or(0, |service| service.desired_count());
            let tasks = self.ports.tasks.tasks_of_service(key).await?;
            let protected = tasks
                .iter()
                .filter(|task| task.is_protectable() && task.protection(now).is_some())
                .map(|task| task.key.id)
                .collect();
            room.0.insert(key.clone(), (usize::try_from(desired).unwrap_or(0), protected));
        }
        let Some((desired, protected)) = room.0.get_mut(key) else { return Ok(false) };
        let fits = protected.contains(&task.key.id) || protected.len() < *desired;
        if fits {
            protected.insert(task.key.id);
        }
        Ok(fits)
    }
}

/// Of each service: how many tasks it wants, and which are protected.
#[derive(Default)]
struct Room(BTreeMap<ServiceKey, (usize, BTreeSet<TaskId>)>);

fn service_of(task: &Task) -> Option<ServiceKey> {
    let membership = task.service.as_ref()?;
    Some(ServiceKey { cluster: task.key.cluster.clone(), name: membership.name.clone() })
}
