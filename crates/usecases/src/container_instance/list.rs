//! ListContainerInstances.

use kecs_domain::EcsError;
use kecs_domain::container_instance::InstanceState;
use kecs_domain::expression::{Expression, Subject};
use kecs_domain::model::{
    ContainerInstanceStatus, ListContainerInstancesRequest, ListContainerInstancesResponse,
};
use kecs_domain::name::HexId;
use kecs_domain::pagination::{Page, PageSizes, Pager};
use kecs_domain::task::TaskStatus;

use super::{ContainerInstances, Member, members, tasks_on};
use crate::context::{Context, Result, check_model};
use crate::task::active_cluster;

impl ContainerInstances<'_> {
    /// The ARNs of a cluster's instances, by id; without `status`, of all but the INACTIVE ones.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for a filter that makes no sense, for `maxResults` and
    /// for `nextToken`.
    pub async fn list(
        &self,
        ctx: &Context,
        request: ListContainerInstancesRequest,
    ) -> Result<ListContainerInstancesResponse> {
        check_model(&request)?;
        let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?.key.clone();
        let filter = request.filter.as_deref().filter(|filter| !filter.trim().is_empty());
        let expression = filter
            .map(Expression::parse)
            .transpose()
            .map_err(|error| EcsError::invalid_parameter(format!("Invalid expression: {error}")))?;
        let filters = (&cluster.name, filter, request.status);
        let pager: Pager<HexId> = Pager::new("ListContainerInstances", &ctx.scope, &filters);
        let page = pager.request(request.next_token.as_deref(), request.max_results, PageSizes::LIST)?;

        let mut ids = Vec::new();
        for member in members(self.ports, &cluster).await? {
            let later = page.after.is_none_or(|after| member.id() > after);
            if !later || !is_wanted(member.state, request.status) {
                continue;
            }
            if let Some(expression) = &expression
                && !self.matches(&cluster, &member, expression).await?
            {
                continue;
            }
            ids.push(member.id());
            if ids.len() > page.limit {
                break;
            }
        }
        let page = Page::take(ids, page.limit);
        let arns = page.items.iter().map(|id| cluster.container_instance_arn(*id)).collect();
        let next_token = pager.next_token(&page, |id| *id);
        Ok(ListContainerInstancesResponse { container_instance_arns: Some(arns), next_token })
    }

    /// Whether an instance is one of those that are meant.
    async fn matches(
        &self,
        cluster: &kecs_domain::arn::ClusterKey,
        member: &Member,
        expression: &Expression,
    ) -> Result<bool> {
        let tasks = tasks_on(self.ports, cluster, member.id()).await?;
        let running = tasks.iter().filter(|task| task.status == TaskStatus::Running).count();
        let groups: Vec<String> = tasks.iter().filter_map(|task| task.doc.group.clone()).collect();
        let instance = &member.instance;
        Ok(expression.matches(&Subject {
            attributes: &instance.attributes,
            instance: &instance.host,
            zone: &instance.availability_zone,
            agent_connected: Some(instance.connected),
            agent_version: instance.versions.agent_version.as_deref(),
            registered_at: instance.registered_at,
            running_tasks: i64::try_from(running).ok(),
            groups: Some(&groups),
        }))
    }
}

fn is_wanted(state: InstanceState, asked: Option<ContainerInstanceStatus>) -> bool {
    match asked {
        None => state != InstanceState::Inactive,
        Some(status) => status.as_str() == state.as_str(),
    }
}
