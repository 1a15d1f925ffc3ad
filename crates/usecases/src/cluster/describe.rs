//! DescribeClusters.

use futures::future::try_join_all;
use kecs_domain::arn::{ClusterKey, cluster_ref};
use kecs_domain::cluster::Include;
use kecs_domain::{EcsError, ErrorCode, model};

use super::{Clusters, view};
use crate::context::check_model;
use crate::{Context, Result};

/// The most clusters in one call. (API model)
const MOST: usize = 100;

impl Clusters<'_> {
    /// Describes clusters; without names, `default`. A cluster that is named twice is shown once. One that never
    /// was becomes a failure MISSING, also when it is another account's.
    ///
    /// # Errors
    /// `InvalidParameterException` for more than 100 names and for an illegal one.
    pub async fn describe(
        &self,
        ctx: &Context,
        request: model::DescribeClustersRequest,
    ) -> Result<model::DescribeClustersResponse> {
        check_model(&request)?;
        let named = request.clusters.unwrap_or_default();
        if named.len() > MOST {
            return Err(EcsError::invalid_parameter(format!("clusters can have at most {MOST} items")).into());
        }
        let mut keys: Vec<ClusterKey> = Vec::with_capacity(named.len().max(1));
        let mut missing: Vec<String> = Vec::new();
        if named.is_empty() {
            keys.push(cluster_ref(&ctx.scope, None)?);
        }
        for name in named {
            match cluster_ref(&ctx.scope, Some(&name)) {
                Ok(key) if keys.contains(&key) => {}
                Ok(key) => keys.push(key),
                Err(error) if error.code == ErrorCode::ClusterNotFound => missing.push(name),
                Err(error) => return Err(error.into()),
            }
        }

        let include = Include::requested(request.include.as_deref().unwrap_or_default());
        let mut found = Vec::with_capacity(keys.len());
        for (key, cluster) in keys.iter().zip(self.ports.clusters.clusters(&keys).await?) {
            match cluster {
                Some(cluster) => found.push(cluster),
                None => missing.push(key.arn()),
            }
        }
        let views = found.iter().map(|cluster| view(self.ports, cluster, include));
        let clusters = try_join_all(views).await?.into_iter().map(Into::into).collect();

        missing.sort_unstable();
        missing.dedup();
        let failures = missing.into_iter().map(|arn| model::Failure {
            arn: Some(arn),
            reason: Some("MISSING".to_owned()),
            detail: None,
        });
        Ok(model::DescribeClustersResponse { clusters: Some(clusters), failures: Some(failures.collect()) })
    }
}
