//! DescribeContainerInstances.

use kecs_domain::arn::container_instance_ref;
use kecs_domain::container_instance::Shown;
use kecs_domain::model::{DescribeContainerInstancesRequest, DescribeContainerInstancesResponse};
use kecs_domain::{Doc, EcsError};

use super::{ContainerInstances, Viewer, failure, members};
use crate::context::{Context, Result, check_model};
use crate::task::active_cluster;

/// The most instances in a call. (recorded)
const MOST: usize = 100;

impl ContainerInstances<'_> {
    /// Describes container instances by id or ARN, each once; those that aren't there come back as failures.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for no instance, for more than 100, and for what is no
    /// identifier of an instance of the cluster.
    pub async fn describe(
        &self,
        ctx: &Context,
        request: DescribeContainerInstancesRequest,
    ) -> Result<DescribeContainerInstancesResponse> {
        check_model(&request)?;
        let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?.key.clone();
        let named = &request.container_instances;
        if named.is_empty() {
            return Err(EcsError::invalid_parameter("Container instances cannot be empty.").into());
        }
        if named.len() > MOST {
            let message = format!("instanceIds can have at most {MOST} items");
            return Err(EcsError::invalid_parameter(message).into());
        }
        let mut ids = Vec::with_capacity(named.len());
        for text in named {
            let id = container_instance_ref(&cluster, text)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let include = request.include.as_deref().unwrap_or_default();
        let shown = Shown::requested(include, self.ports.clock.now());
        let members = members(self.ports, &cluster).await?;
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        let viewer = Viewer::of(self.ports, &cluster).await?;
        for id in ids {
            match members.iter().find(|member| member.id() == id) {
                Some(member) => found.push(Doc::new(viewer.view(member, shown).await?)),
                None => failures.push(failure(&cluster, id, "MISSING")),
            }
        }
        Ok(DescribeContainerInstancesResponse { container_instances: Some(found), failures: Some(failures) })
    }
}
