//! DeleteDaemon.

use kecs_domain::EcsError;
use kecs_domain::daemon::{DaemonDeployment, DaemonState, Rollout};
use kecs_domain::model::{DeleteDaemonRequest, DeleteDaemonResponse};

use super::{Daemons, keep, supersede};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, WakeKey};

impl Daemons<'_> {
    /// Deletes a daemon: its tasks end, and then it is gone. The record of the deployment that does this stays.
    ///
    /// # Errors
    /// `DaemonNotFoundException`, `ClusterNotFoundException`; `InvalidParameterException` for what is no daemon's ARN,
    /// and for one that is being deleted.
    pub async fn delete(&self, ctx: &Context, request: DeleteDaemonRequest) -> Result<DeleteDaemonResponse> {
        check_model(&request)?;
        let ports = self.ports;
        let daemon = retry_conflicts(|| async {
            let (mut daemon, version) = self.find(ctx, &request.daemon_arn).await?;
            if daemon.state != DaemonState::Active {
                // Clients that delete it again know by these words that there is only the end to wait for.
                let ongoing = "The daemon's deployment deletion is ongoing.";
                return Err(EcsError::invalid_parameter(ongoing).into());
            }
            let now = ports.clock.now();
            let mut changes = Changes::new();
            supersede(ports, &daemon, now, &mut changes).await?;
            let record = DaemonDeployment::new(&daemon, ports.ids.record(), None, now);
            daemon.state = DaemonState::Deleting;
            daemon.rollout = Rollout::Pending;
            daemon.deployment.clone_from(&record.key.id);
            daemon.updated_at = now;
            changes.create(keep(record.key.resource(), record));
            changes.update(keep(daemon.key.resource(), daemon.clone()), version);
            ports.unit_of_work.commit(changes).await?;
            Ok(daemon)
        })
        .await?;
        ports.wake.wake(vec![WakeKey::Daemon(daemon.key.clone())]);
        Ok(DeleteDaemonResponse {
            daemon_arn: Some(daemon.key.arn()),
            status: Some(daemon.status()),
            created_at: Some(daemon.created_at),
            updated_at: Some(daemon.updated_at),
            deployment_arn: Some(daemon.deployment_arn()),
        })
    }
}
