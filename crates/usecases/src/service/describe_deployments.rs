//! DescribeServiceDeployments.

use kecs_domain::EcsError;
use kecs_domain::arn::{ServiceDeploymentKey, service_child_ref};
use kecs_domain::model::{DescribeServiceDeploymentsRequest, DescribeServiceDeploymentsResponse, Failure};

use super::Services;
use crate::context::{Context, Result, check_model};

/// The most deployments in a call. (recorded)
const MOST_DEPLOYMENTS: usize = 20;

impl Services<'_> {
    /// Describes service deployments by ARN; those that don't exist come back as failures.
    ///
    /// # Errors
    /// `InvalidParameterException` for no ARN, for more than twenty, and for what is none.
    pub async fn describe_deployments(
        &self,
        ctx: &Context,
        request: DescribeServiceDeploymentsRequest,
    ) -> Result<DescribeServiceDeploymentsResponse> {
        check_model(&request)?;
        let arns = &request.service_deployment_arns;
        if arns.is_empty() {
            return Err(EcsError::invalid_parameter("Service Deployment ARNs cannot be empty.").into());
        }
        if arns.len() > MOST_DEPLOYMENTS {
            let message = format!("Service Deployment ARN count cannot exceed {MOST_DEPLOYMENTS}");
            return Err(EcsError::invalid_parameter(message).into());
        }
        let (mut deployments, mut failures) = (Vec::new(), Vec::new());
        for arn in arns {
            let (service, id) = service_child_ref(&ctx.scope, "service-deployment", arn)
                .ok_or_else(|| EcsError::invalid_parameter("The Service Deployment ARN is invalid."))?;
            let key = ServiceDeploymentKey { service, id: id.to_owned() };
            match self.ports.services.service_deployment(&key).await? {
                None => failures.push(Failure {
                    arn: Some(arn.clone()),
                    reason: Some("MISSING".to_owned()),
                    ..Default::default()
                }),
                Some(record) => {
                    let service = self.load(&key.service).await?;
                    deployments.push(record.view(service.as_deref()).into());
                }
            }
        }
        Ok(DescribeServiceDeploymentsResponse {
            service_deployments: Some(deployments),
            failures: Some(failures),
        })
    }
}
