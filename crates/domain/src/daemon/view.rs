//! What the API shows of daemons and their deployments.

use super::{Daemon, DaemonDeployment, DaemonDeploymentKey, DaemonRevisionKey, DaemonState, RevisionCounts};
use crate::generated as model;
use crate::model::DaemonStatus;
use crate::name::DeploymentId;

impl Daemon {
    /// `status`
    pub fn status(&self) -> DaemonStatus {
        match self.state {
            DaemonState::Active => DaemonStatus::Active,
            DaemonState::Deleting => DaemonStatus::DeleteInProgress,
        }
    }

    /// The ARN of its newest deployment.
    pub fn deployment_arn(&self) -> String {
        DaemonDeploymentKey { daemon: self.key.clone(), id: self.deployment.clone() }.arn()
    }

    /// As DescribeDaemon answers it.
    pub fn detail(&self) -> model::DaemonDetail {
        model::DaemonDetail {
            daemon_arn: Some(self.key.arn()),
            cluster_arn: Some(self.key.cluster.arn()),
            status: Some(self.status()),
            current_revisions: Some(self.counts.iter().map(|counts| self.revision_detail(counts)).collect()),
            deployment_arn: Some(self.deployment_arn()),
            created_at: Some(self.created_at),
            updated_at: Some(self.updated_at),
        }
    }

    /// As ListDaemons answers it.
    pub fn summary(&self) -> model::DaemonSummary {
        model::DaemonSummary {
            daemon_arn: Some(self.key.arn()),
            status: Some(self.status()),
            created_at: Some(self.created_at),
            updated_at: Some(self.updated_at),
        }
    }

    fn revision_detail(&self, counts: &RevisionCounts) -> model::DaemonRevisionDetail {
        let key = DaemonRevisionKey { daemon: self.key.clone(), id: counts.revision };
        let providers = &counts.providers;
        model::DaemonRevisionDetail {
            arn: Some(key.arn()),
            capacity_providers: Some(
                providers
                    .iter()
                    .map(|it| model::DaemonCapacityProvider {
                        arn: Some(it.provider.clone()),
                        running_count: Some(it.running),
                        without_daemon_count: Some(it.without),
                    })
                    .collect(),
            ),
            total_running_count: Some(providers.iter().map(|it| it.running).sum()),
            total_without_daemon_count: Some(providers.iter().map(|it| it.without).sum()),
        }
    }
}

impl DaemonDeployment {
    /// As DescribeDaemonDeployments answers it. The counts of one that goes on are those of its daemon now.
    pub fn view(&self, daemon: Option<&Daemon>) -> model::DaemonDeployment {
        let mut shown = self.clone();
        let current = daemon.filter(|daemon| daemon.deployment == self.key.id && !self.is_finished());
        if let Some(daemon) = current {
            shown.count(daemon);
        }
        shown.doc.into_inner()
    }

    /// As ListDaemonDeployments answers it.
    pub fn summary(&self) -> model::DaemonDeploymentSummary {
        let target = |id| DaemonRevisionKey { daemon: self.key.daemon.clone(), id }.arn();
        model::DaemonDeploymentSummary {
            daemon_deployment_arn: self.doc.daemon_deployment_arn.clone(),
            daemon_arn: Some(self.key.daemon.arn()),
            cluster_arn: self.doc.cluster_arn.clone(),
            status: self.doc.status,
            status_reason: self.doc.status_reason.clone(),
            target_daemon_revision_arn: self.target.map(target),
            created_at: self.doc.created_at,
            started_at: self.doc.started_at,
            stopped_at: self.doc.stopped_at,
            finished_at: self.doc.finished_at,
        }
    }

    /// Writes the counts of now into it.
    pub(super) fn count(&mut self, daemon: &Daemon) {
        let detail = |id: DeploymentId| self.revision(daemon, id);
        let (target, sources) = (self.target.map(detail), self.sources.iter().copied().map(detail).collect());
        let doc = self.doc.make_mut();
        (doc.target_daemon_revision, doc.source_daemon_revisions) = (target, Some(sources));
    }

    fn revision(&self, daemon: &Daemon, id: DeploymentId) -> model::DaemonDeploymentRevisionDetail {
        let counts = daemon.counts.iter().find(|counts| counts.revision == id);
        let providers = counts.map(|counts| counts.providers.as_slice()).unwrap_or_default();
        model::DaemonDeploymentRevisionDetail {
            arn: Some(DaemonRevisionKey { daemon: self.key.daemon.clone(), id }.arn()),
            capacity_providers: Some(
                providers
                    .iter()
                    .map(|it| model::DaemonDeploymentCapacityProvider {
                        arn: Some(it.provider.clone()),
                        running_instance_count: Some(it.running),
                        without_daemon_instance_count: Some(it.without),
                        draining_instance_count: Some(it.draining),
                    })
                    .collect(),
            ),
            total_running_instance_count: Some(providers.iter().map(|it| it.running).sum()),
            total_without_daemon_instance_count: Some(providers.iter().map(|it| it.without).sum()),
            total_draining_instance_count: Some(providers.iter().map(|it| it.draining).sum()),
        }
    }
}
