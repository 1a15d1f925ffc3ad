//! DeleteCluster: ACTIVE becomes INACTIVE, if there is nothing in it.

use kecs_domain::arn::{ClusterKey, cluster_ref};
use kecs_domain::cluster::{Cluster, ClusterStatus, Include};
use kecs_domain::pagination::PageRequest;
use kecs_domain::resource::ResourceKind;
use kecs_domain::{EcsError, ErrorCode, model};

use super::{Clusters, find, find_any, view};
use crate::container_instance;
use crate::context::{check_model, retry_conflicts};
use crate::ports::{Changes, EntityKey, ResourceQuery, Version, Versioned};
use crate::{Context, Error, Result};

impl Clusters<'_> {
    /// Deletes a cluster. It stays describable as INACTIVE, with its tags and configuration. Deleting it again
    /// answers the same.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `ClusterContainsServicesException`, `ClusterContainsTasksException` or
    /// `ClusterContainsContainerInstancesException`, in this order; `ClientException` while capacity providers belong
    /// to it.
    pub async fn delete(
        &self,
        ctx: &Context,
        request: model::DeleteClusterRequest,
    ) -> Result<model::DeleteClusterResponse> {
        check_model(&request)?;
        let key = cluster_ref(&ctx.scope, Some(&request.cluster))?;
        let (deleted, repeated) = retry_conflicts(|| async {
            let found = find_any(self.ports, &key).await?;
            if found.is_active() { Ok((self.deactivate(&found).await?, false)) } else { Ok((found, true)) }
        })
        .await?;
        self.give_back(&key, deleted.version).await?;
        // ECS shows attachments only from the second time on.
        let include = Include { attachments: repeated, ..Include::CREATED };
        let view = view(self.ports, &deleted, include).await?;
        Ok(model::DeleteClusterResponse { cluster: Some(view.into()) })
    }

    /// Makes an ACTIVE cluster INACTIVE.
    async fn deactivate(&self, found: &Versioned<Cluster>) -> Result<Versioned<Cluster>> {
        self.check_deletable(&found.key).await?;
        if !found.settings.scoped_providers.is_empty() {
            return Err(EcsError::client(
                "The Cluster cannot be deleted while Cluster Scoped Capacity Providers are attached to the cluster.",
            )
            .into());
        }
        let mut cluster = Cluster::clone(found);
        cluster.status = ClusterStatus::Inactive;
        let version = self.save(cluster.clone(), found.version).await?;

        // A service or a task may have come in between the check and the commit: such a commit requires the
        // cluster to be as it was read, but doesn't change it. From now on none can, so this check is the last
        // word. If we die before it, the cluster is INACTIVE with something in it, which runs on; CreateCluster
        // makes it reachable again.
        if let Err(refused) = self.check_deletable(&found.key).await {
            self.save(Cluster::clone(found), version).await?;
            return Err(refused);
        }
        // Only now: a cluster that is not deleted after all has its instances as they were. If we die before this,
        // they are forgotten when the cluster is created again.
        self.forget_instances(&found.key, version).await?;
        Ok(Versioned { value: cluster.into(), version })
    }

    async fn check_deletable(&self, key: &ClusterKey) -> Result<()> {
        let counts = self.ports.clusters.cluster_counts(key).await?;
        let nodes_count = self.ports.orchestrator.registers_instances();
        let has_instances = container_instance::has_agents(self.ports, key).await?
            || (nodes_count && container_instance::count(self.ports, key).await? > 0);
        counts.check_deletable(has_instances)?;
        let query = ResourceQuery {
            kind: ResourceKind::Daemon,
            scope: key.scope.clone(),
            parent: Some(key.name.to_string()),
        };
        let daemons =
            self.ports.resources.list_resources(&query, PageRequest { after: None, limit: 1 }).await?;
        if daemons.items.is_empty() {
            return Ok(());
        }
        // The API has no exception of its own for daemons.
        let message = "The Cluster cannot be deleted while Daemons are active.";
        Err(EcsError::new(ErrorCode::ClusterContainsServices, message).into())
    }

    async fn forget_instances(&self, key: &ClusterKey, deleted: Version) -> Result<()> {
        let mut changes = Changes::new();
        container_instance::forget_all(self.ports, key, &mut changes).await?;
        if changes.is_empty() {
            return Ok(());
        }
        changes.require(EntityKey::Cluster(key.clone()), deleted);
        match self.ports.unit_of_work.commit(changes).await {
            // It was created again meanwhile, and forgot them then.
            Err(error) if error.is_conflict() => Ok(()),
            outcome => Ok(outcome.map(|_| ())?),
        }
    }

    async fn save(&self, cluster: Cluster, read: Version) -> Result<Version> {
        let mut changes = Changes::new();
        changes.update(cluster, read);
        let versions = self.ports.unit_of_work.commit(changes).await?;
        versions.first().copied().ok_or_else(|| Error::Port(no_version()))
    }

    /// Gives the room of a deleted cluster back, unless it was created again meanwhile. If we die before or in
    /// here, the room stays until DeleteCluster or CreateCluster is asked again: it costs little and harms nothing.
    async fn give_back(&self, key: &ClusterKey, deleted: Version) -> Result<()> {
        let now = find(self.ports, key).await?;
        if now.is_some_and(|now| now.version == deleted) {
            self.ports.orchestrator.delete_cluster(key).await?;
        }
        Ok(())
    }
}

fn no_version() -> crate::ports::PortError {
    crate::ports::PortError::permanent("a commit of one entity answered with no version")
}
