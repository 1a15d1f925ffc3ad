//! DescribeServices.

use kecs_domain::arn::service_ref;
use kecs_domain::model::{DescribeServicesRequest, DescribeServicesResponse, Failure, ServiceField};
use kecs_domain::{Doc, EcsError};

use super::Services;
use crate::context::{Context, Result, check_model};
use crate::task::active_cluster;

/// The most services in a call. (recorded)
const MOST_SERVICES: usize = 10;

impl Services<'_> {
    /// Describes services by name or ARN; those that don't exist come back as failures.
    ///
    /// # Errors
    /// `InvalidParameterException` for no service, for more than ten, and for an ARN of elsewhere;
    /// `ClusterNotFoundException`.
    pub async fn describe(
        &self,
        ctx: &Context,
        request: DescribeServicesRequest,
    ) -> Result<DescribeServicesResponse> {
        check_model(&request)?;
        let cluster = active_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
        if request.services.is_empty() {
            return Err(EcsError::invalid_parameter("Services cannot be empty.").into());
        }
        if request.services.len() > MOST_SERVICES {
            let message = format!("service names can have at most {MOST_SERVICES} items");
            return Err(EcsError::invalid_parameter(message).into());
        }
        let with_tags = request.include.iter().flatten().any(|field| *field == ServiceField::Tags);
        let missing = |arn: String| Failure {
            arn: Some(arn),
            reason: Some("MISSING".to_owned()),
            ..Default::default()
        };
        let (mut keys, mut failures) = (Vec::new(), Vec::new());
        for named in &request.services {
            match service_ref(&cluster.key, named)? {
                Some(key) if keys.contains(&key) => {}
                Some(key) => keys.push(key),
                None => failures.push(missing(named.clone())),
            }
        }
        let mut services = Vec::with_capacity(keys.len());
        for (key, found) in keys.iter().zip(self.ports.services.services(&keys).await?) {
            match found {
                Some(service) => services.push(Doc::new(service.view(with_tags))),
                None => failures.push(missing(key.arn())),
            }
        }
        Ok(DescribeServicesResponse { services: Some(services), failures: Some(failures) })
    }
}
