//! ListTasks.

use kecs_domain::EcsError;
use kecs_domain::arn::{ClusterKey, service_ref};
use kecs_domain::model::{self, ListTasksRequest, ListTasksResponse};
use kecs_domain::name::{FamilyName, HexId, TaskId};
use kecs_domain::pagination::{PageSizes, Pager};
use kecs_domain::task::DesiredStatus;

use super::{Tasks, active_cluster};
use crate::context::{Context, Result, check_model};
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
            Some(named) => Some(instance_id(named)?),
        };
        let desired = match request.desired_status {
            None | Some(model::DesiredStatus::Running) => Some(DesiredStatus::Running),
            Some(model::DesiredStatus::Stopped) => Some(DesiredStatus::Stopped),
            // No task is ever meant to stay PENDING: ECS accepts the filter and finds nothing. (API reference)
            Some(model::DesiredStatus::Pending) => None,
        };
        let query = TaskQuery {
            cluster,
            family,
            service,
            started_by: request.started_by,
            desired,
            launch_type: request.launch_type,
            instance,
        };
        let pager = Pager::new("ListTasks", &ctx.scope, &query);
        let page = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::LIST)?;
        if desired.is_none() {
            return Ok(TaskPage { cluster: query.cluster, ids: Vec::new(), next_token: None });
        }
        let page = self.ports.tasks.list_tasks(&query, page).await?;
        let next_token = pager.next_token(&page, |id| *id);
        Ok(TaskPage { cluster: query.cluster, ids: page.items, next_token })
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

/// The id behind a container instance's ARN or id.
fn instance_id(named: &str) -> Result<HexId> {
    let id = named.rsplit('/').next().unwrap_or(named);
    Ok(id.parse().map_err(|_| {
        EcsError::invalid_parameter("containerInstance must be a container instance ID or ARN")
    })?)
}
