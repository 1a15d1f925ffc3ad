//! DescribeDaemonDeployments.

use kecs_domain::EcsError;
use kecs_domain::daemon::{DaemonDeploymentKey, daemon_child_ref};
use kecs_domain::model::{DescribeDaemonDeploymentsRequest, DescribeDaemonDeploymentsResponse, Failure};

use super::{Daemons, load, record};
use crate::context::{Context, Result, check_model};
use crate::task::active_cluster;

/// The most deployments in a call. (API reference)
const MOST_DEPLOYMENTS: usize = 20;

impl Daemons<'_> {
    /// Describes daemon deployments by ARN; those that don't exist come back as failures.
    ///
    /// # Errors
    /// `InvalidParameterException` for no ARN, for more than twenty, and for what is none;
    /// `ClusterNotFoundException`.
    pub async fn describe_deployments(
        &self,
        ctx: &Context,
        request: DescribeDaemonDeploymentsRequest,
    ) -> Result<DescribeDaemonDeploymentsResponse> {
        check_model(&request)?;
        let arns = &request.daemon_deployment_arns;
        if arns.is_empty() {
            return Err(EcsError::invalid_parameter("Daemon Deployment ARNs cannot be empty.").into());
        }
        if arns.len() > MOST_DEPLOYMENTS {
            let message = format!("Daemon Deployment ARN count cannot exceed {MOST_DEPLOYMENTS}");
            return Err(EcsError::invalid_parameter(message).into());
        }
        let mut keys = Vec::with_capacity(arns.len());
        for arn in arns {
            let (daemon, id) = daemon_child_ref(&ctx.scope, "daemon-deployment", arn)
                .ok_or_else(|| EcsError::invalid_parameter("The Daemon Deployment ARN is invalid."))?;
            keys.push((arn, DaemonDeploymentKey { daemon, id: id.to_owned() }));
        }
        let (mut deployments, mut failures) = (Vec::new(), Vec::new());
        for (arn, key) in keys {
            active_cluster(self.ports, &ctx.scope, Some(key.daemon.cluster.name.as_str())).await?;
            match record(self.ports, &key).await? {
                Some((found, _)) => {
                    let daemon = load(self.ports, &key.daemon).await?;
                    deployments.push(found.view(daemon.as_ref().map(|(daemon, _)| daemon)));
                }
                None => failures.push(Failure {
                    arn: Some(arn.clone()),
                    reason: Some("MISSING".to_owned()),
                    ..Default::default()
                }),
            }
        }
        Ok(DescribeDaemonDeploymentsResponse {
            daemon_deployments: Some(deployments),
            failures: Some(failures),
        })
    }
}
