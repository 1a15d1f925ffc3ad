//! UpdateCluster: settings, configuration and Service Connect defaults.

use kecs_domain::arn::{ClusterKey, cluster_ref};
use kecs_domain::cluster::{Cluster, ClusterSpec, Include, settings};
use kecs_domain::{EcsError, model};

use super::{Clusters, find_changeable, view};
use crate::context::{check_model, retry_conflicts};
use crate::ports::Changes;
use crate::{Context, Result};

impl Clusters<'_> {
    /// Changes what the request names, and leaves the rest.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `ClientException` for an INACTIVE cluster; then `InvalidParameterException` for
    /// a value that is none.
    pub async fn update(
        &self,
        ctx: &Context,
        request: model::UpdateClusterRequest,
    ) -> Result<model::UpdateClusterResponse> {
        check_model(&request)?;
        let key = cluster_ref(&ctx.scope, Some(&request.cluster))?;
        let cluster = self.change(&key, |spec| {
            if let Some(given) = &request.settings {
                spec.settings = settings::merge(&spec.settings, given)?;
            }
            if let Some(configuration) = &request.configuration {
                settings::check_configuration(configuration)?;
                spec.configuration = Some(configuration.clone());
            }
            if let Some(defaults) = &request.service_connect_defaults {
                spec.service_connect_defaults = settings::service_connect(defaults)?;
            }
            Ok(())
        });
        let view = view(self.ports, &cluster.await?, Include::UPDATED).await?;
        Ok(model::UpdateClusterResponse { cluster: Some(view.into()) })
    }

    /// Loads, changes and saves an ACTIVE cluster, as often as others change it meanwhile.
    pub(super) async fn change(
        &self,
        key: &ClusterKey,
        change: impl Fn(&mut ClusterSpec) -> std::result::Result<(), EcsError>,
    ) -> Result<Cluster> {
        retry_conflicts(|| async {
            let found = find_changeable(self.ports, key).await?;
            let mut cluster = Cluster::clone(&found);
            change(&mut cluster.settings)?;
            if cluster != *found.value {
                let mut changes = Changes::new();
                changes.update(cluster.clone(), found.version);
                self.ports.unit_of_work.commit(changes).await?;
            }
            Ok(cluster)
        })
        .await
    }
}
