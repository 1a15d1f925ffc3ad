//! ListTasks.

use kecs_domain::EcsError;
use kecs_domain::arn::{ClusterKey, TaskKey, container_instance_ref, service_ref};
use kecs_domain::daemon::DaemonKey;
use kecs_domain::model::{self, ListTasksRequest, ListTasksResponse};
use kecs_domain::name::{DaemonName, FamilyName, TaskId};
use kecs_domain::pagination::{PageSizes, Pager};
use kecs_domain::task::{DesiredStatus, Task};

use super::{Tasks, active_cluster};
use crate::context::{Context, Ports, Result, check_model};
use crate::daemon;
use crate::ports::TaskQuery;

impl Tasks<'_> {
    /// Lists the ARNs of a cluster's tasks; without `desiredStatus`, of those that should run.
    ///
    /// # Errors
    /// As [`Tasks::list_ids`].
    pub async fn list(&self, ctx: &Context, request: ListTasksRequest) -> Result<ListTasksResponse> {
        Ok(self.list_ids(ctx, request).await?.into())
    }

    /// The same list, before its ARNs are written out.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `ServiceNotFoundException`; `InvalidParameterException` for `maxResults` or
    /// `nextToken`, and for a filter that is no name.
    pub async fn list_ids(&self, ctx: &Context, request: ListTasksRequest) -> Result<TaskPage> {
        check_model(&request)?;
        let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?.key.clone();
        let service = match request.service_name.as_deref() {
            None => None,
            Some(named) => {
                let key = service_ref(&cluster, named)?.ok_or_else(EcsError::service_not_found)?;
                let found = self.ports.services.services(std::slice::from_ref(&key)).await?.pop().flatten();
                found.ok_or_else(EcsError::service_not_found)?;
                Some(key.name)
            }
        };
        let family = match request.family.as_deref() {
            None => None,
            Some(family) => Some(
                FamilyName::parse(family)
                    .ok_or_else(|| EcsError::invalid_parameter("Family contains invalid characters."))?,
            ),
        };
        let instance = match request.container_instance.as_deref() {
            None => None,
            Some(named) => Some(container_instance_ref(&cluster, named)?),
        };
        let desired = match request.desired_status {
            None | Some(model::DesiredStatus::Running) => Some(DesiredStatus::Running),
            Some(model::DesiredStatus::Stopped) => Some(DesiredStatus::Stopped),
            // No task is ever meant to stay PENDING: ECS accepts the filter and finds nothing. (API reference)
            Some(model::DesiredStatus::Pending) => None,
        };
        let daemon = match request.daemon_name.as_deref() {
            None => None,
            Some(named) => Some(daemon_of(self.ports, &cluster, named).await?),
        };
        // A daemon's tasks are found by what they carry in `startedBy`.
        let by_daemon = daemon.as_ref().map(DaemonKey::started_by);
        let contradicts =
            by_daemon.is_some() && request.started_by.is_some() && by_daemon != request.started_by;
        let query = TaskQuery {
            cluster,
            family,
            service,
            started_by: by_daemon.or(request.started_by),
            desired,
            launch_type: request.launch_type,
            instance,
        };
        let pager = Pager::new("ListTasks", &ctx.scope, &query);
        let page = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::LIST)?;
        if desired.is_none() || contradicts {
            return Ok(TaskPage { cluster: query.cluster, ids: Vec::new(), next_token: None });
        }
        let page = self.ports.tasks.list_tasks(&query, page).await?;
        let next_token = pager.next_token(&page, |id| *id);
        let ids = match daemon {
            None => page.items,
            Some(daemon) => self.only_of(&daemon, page.items).await?,
        };
        Ok(TaskPage { cluster: query.cluster, ids, next_token })
    }

    /// Those of `ids` that are a daemon's: anybody may have written the same into `startedBy`.
    async fn only_of(&self, daemon: &DaemonKey, ids: Vec<TaskId>) -> Result<Vec<TaskId>> {
        let keys: Vec<_> =
            ids.into_iter().map(|id| TaskKey { cluster: daemon.cluster.clone(), id }).collect();
        let tasks = self.ports.tasks.tasks(&keys).await?.into_iter().flatten();
        let of_daemon =
            |task: &Task| task.daemon.as_ref().is_some_and(|membership| membership.name == daemon.name);
        Ok(tasks.filter(|task| of_daemon(task)).map(|task| task.key.id).collect())
    }
}

/// A page of a cluster's tasks.
///
/// Clients poll this list more than any other, and its answer is nothing but ARNs that differ in their last 32 digits:
/// written from the ids it costs a fifth of what as many strings do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskPage {
    /// Whose tasks.
    pub cluster: ClusterKey,
    /// Their ids.
    pub ids: Vec<TaskId>,
    /// Where the list goes on.
    pub next_token: Option<String>,
}

impl From<TaskPage> for ListTasksResponse {
    fn from(page: TaskPage) -> Self {
        let arn = page.cluster.task_arns();
        let arns = page.ids.iter().map(|id| arn(*id)).collect();
        Self { task_arns: Some(arns), next_token: page.next_token }
    }
}

/// The daemon that is named, which must be there.
async fn daemon_of(ports: &Ports, cluster: &ClusterKey, named: &str) -> Result<DaemonKey> {
    // This operation has no DaemonNotFoundException. (API model)
    let not_found = || EcsError::invalid_parameter("The specified daemon was not found.");
    let name = DaemonName::parse(named).ok_or_else(not_found)?;
    let key = DaemonKey { cluster: cluster.clone(), name };
    daemon::load(ports, &key).await?.ok_or_else(not_found)?;
    Ok(key)
}
