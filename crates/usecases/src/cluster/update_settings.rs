//! UpdateClusterSettings.

use kecs_domain::arn::cluster_ref;
use kecs_domain::cluster::{Include, settings};
use kecs_domain::model;

use super::{Clusters, view};
use crate::context::check_model;
use crate::{Context, Result};

impl Clusters<'_> {
    /// Changes settings of a cluster.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `ClientException` for an INACTIVE cluster; then `InvalidParameterException` for
    /// a setting without a name or with a value that is none.
    pub async fn update_settings(
        &self,
        ctx: &Context,
        request: model::UpdateClusterSettingsRequest,
    ) -> Result<model::UpdateClusterSettingsResponse> {
        check_model(&request)?;
        let key = cluster_ref(&ctx.scope, Some(&request.cluster))?;
        let cluster = self.change(&key, |spec| {
            spec.settings = settings::merge(&spec.settings, &request.settings)?;
            Ok(())
        });
        let view = view(self.ports, &cluster.await?, Include::UPDATED).await?;
        Ok(model::UpdateClusterSettingsResponse { cluster: Some(view.into()) })
    }
}
