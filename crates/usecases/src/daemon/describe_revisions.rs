//! DescribeDaemonRevisions.

use kecs_domain::EcsError;
use kecs_domain::daemon::{DaemonRevisionKey, daemon_child_ref};
use kecs_domain::model::{DescribeDaemonRevisionsRequest, DescribeDaemonRevisionsResponse, Failure};
use kecs_domain::name::DeploymentId;

use super::{Daemons, revision};
use crate::context::{Context, Result, check_model};
use crate::task::active_cluster;

/// The most revisions in a call. (API reference)
const MOST_REVISIONS: usize = 20;

impl Daemons<'_> {
    /// Describes daemon revisions by ARN; those that don't exist come back as failures.
    ///
    /// # Errors
    /// `InvalidParameterException` for no ARN, for more than twenty, and for what is none;
    /// `ClusterNotFoundException`.
    pub async fn describe_revisions(
        &self,
        ctx: &Context,
        request: DescribeDaemonRevisionsRequest,
    ) -> Result<DescribeDaemonRevisionsResponse> {
        check_model(&request)?;
        let arns = &request.daemon_revision_arns;
        if arns.is_empty() {
            return Err(EcsError::invalid_parameter("Daemon Revision ARNs cannot be empty.").into());
        }
        if arns.len() > MOST_REVISIONS {
            let message = format!("Daemon Revision ARN count cannot exceed {MOST_REVISIONS}");
            return Err(EcsError::invalid_parameter(message).into());
        }
        let mut keys = Vec::with_capacity(arns.len());
        for arn in arns {
            let key = daemon_child_ref(&ctx.scope, "daemon-revision", arn).and_then(|(daemon, digits)| {
                Some(DaemonRevisionKey { daemon, id: DeploymentId::parse_number(digits)? })
            });
            let key =
                key.ok_or_else(|| EcsError::invalid_parameter("The Daemon Revision ARN is invalid."))?;
            keys.push((arn, key));
        }
        let (mut revisions, mut failures) = (Vec::new(), Vec::new());
        for (arn, key) in keys {
            active_cluster(self.ports, &ctx.scope, Some(key.daemon.cluster.name.as_str())).await?;
            match revision(self.ports, &key).await? {
                Some((found, _)) => revisions.push(found.doc.into_inner()),
                None => failures.push(Failure {
                    arn: Some(arn.clone()),
                    reason: Some("MISSING".to_owned()),
                    ..Default::default()
                }),
            }
        }
        Ok(DescribeDaemonRevisionsResponse { daemon_revisions: Some(revisions), failures: Some(failures) })
    }
}
