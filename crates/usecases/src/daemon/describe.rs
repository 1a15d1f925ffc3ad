//! DescribeDaemon.

use kecs_domain::model::{DescribeDaemonRequest, DescribeDaemonResponse};

use super::Daemons;
use crate::context::{Context, Result, check_model};

impl Daemons<'_> {
    /// Describes a daemon, with the counts of its revisions as its scheduler saw them last.
    ///
    /// # Errors
    /// `DaemonNotFoundException`, `ClusterNotFoundException`, `InvalidParameterException` for what is no daemon's
    /// ARN.
    pub async fn describe(
        &self,
        ctx: &Context,
        request: DescribeDaemonRequest,
    ) -> Result<DescribeDaemonResponse> {
        check_model(&request)?;
        let (daemon, _) = self.find(ctx, &request.daemon_arn).await?;
        Ok(DescribeDaemonResponse { daemon: Some(daemon.detail()) })
    }
}
