//! UpdateDaemon.

use kecs_domain::daemon::{DaemonState, configuration, definition_key};
use kecs_domain::model::{UpdateDaemonRequest, UpdateDaemonResponse};

use super::{Daemons, Wanted, begin_deployment, keep, not_active, supersede};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::daemon_task_definition::resolve;
use crate::ports::{Changes, EntityKey, WakeKey};

impl Daemons<'_> {
    /// Updates a daemon, which begins a deployment of a new revision. What the request leaves out has its default
    /// afterwards, whatever it was before. A deployment that is still going on is stopped.
    ///
    /// # Errors
    /// `DaemonNotFoundException`, `DaemonNotActiveException`, `ClusterNotFoundException`; `ClientException` for an
    /// unknown daemon task definition; `InvalidParameterException` for what is wrong with the request.
    pub async fn update(&self, ctx: &Context, request: UpdateDaemonRequest) -> Result<UpdateDaemonResponse> {
        check_model(&request)?;
        let ports = self.ports;
        let daemon = retry_conflicts(|| async {
            let (mut daemon, version) = self.find(ctx, &request.daemon_arn).await?;
            if daemon.state != DaemonState::Active {
                return Err(not_active().into());
            }
            let (definition, definition_version) =
                resolve(ports, &ctx.scope, &request.daemon_task_definition_arn).await?;
            let settings = Wanted {
                providers: &request.capacity_provider_arns,
                propagate_tags: request.propagate_tags,
                managed_tags: request.enable_ecs_managed_tags,
                execute_command: request.enable_execute_command,
                critical: request.critical,
            }
            .settings(&ctx.scope, &definition.key)?;
            let complete = configuration(request.deployment_configuration.as_ref())?;
            let now = ports.clock.now();
            let mut changes = Changes::new();
            changes.require(EntityKey::Resource(definition_key(&definition.key)), definition_version);
            supersede(ports, &daemon, now, &mut changes).await?;
            daemon.configuration = complete;
            begin_deployment(ports, &mut daemon, settings, &definition.working_copy(), now, &mut changes);
            changes.update(keep(daemon.key.resource(), daemon.clone()), version);
            ports.unit_of_work.commit(changes).await?;
            Ok(daemon)
        })
        .await?;
        ports.wake.wake(vec![WakeKey::Daemon(daemon.key.clone())]);
        Ok(UpdateDaemonResponse {
            daemon_arn: Some(daemon.key.arn()),
            status: Some(daemon.status()),
            created_at: Some(daemon.created_at),
            updated_at: Some(daemon.updated_at),
            deployment_arn: Some(daemon.deployment_arn()),
        })
    }
}
