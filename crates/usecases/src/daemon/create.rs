//! CreateDaemon.

use kecs_domain::daemon::{Daemon, DaemonKey, DaemonState, Rollout, configuration};
use kecs_domain::idempotency::{TokenKey, TokenRecord};
use kecs_domain::model::{CreateDaemonRequest, CreateDaemonResponse};
use kecs_domain::name::{DaemonName, DeploymentId};
use kecs_domain::service::LaunchThrottle;
use kecs_domain::{EcsError, tag};

use super::{Daemons, Wanted, begin_deployment, keep, load};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::daemon_task_definition::resolve;
use crate::ports::{Changes, Entity, EntityKey, Expect, WakeKey};
use crate::task::{active_cluster, fingerprint};

/// The longest token. (API reference)
const LONGEST_TOKEN: usize = 36;

impl Daemons<'_> {
    /// Creates a daemon and its first deployment. The same token with the same request answers with the daemon that
    /// it made before.
    ///
    /// # Errors
    /// `InvalidParameterException` for what is wrong with the request, and when the name is taken;
    /// `ClientException` for an unknown daemon task definition; `ClusterNotFoundException`.
    pub async fn create(&self, ctx: &Context, request: CreateDaemonRequest) -> Result<CreateDaemonResponse> {
        check_model(&request)?;
        let (answer, made) = retry_conflicts(|| self.try_create(ctx, &request)).await?;
        if let Some(key) = made {
            self.ports.wake.wake(vec![WakeKey::Daemon(key)]);
        }
        Ok(answer)
    }

    /// One attempt, which reads everything anew: the answer, and the daemon's key if it was made now.
    async fn try_create(
        &self,
        ctx: &Context,
        request: &CreateDaemonRequest,
    ) -> Result<(CreateDaemonResponse, Option<DaemonKey>)> {
        let ports = self.ports;
        let cluster = active_cluster(ports, &ctx.scope, request.cluster_arn.as_deref()).await?;
        let name = DaemonName::parse(&request.daemon_name).ok_or_else(|| {
            EcsError::invalid_parameter(
                "Daemon name must contain only 1 to 255 letters, numbers, hyphens, and underscores.",
            )
        })?;
        let key = DaemonKey { cluster: cluster.key.clone(), name };
        let token = token(&key, request)?;
        if let Some((taken, _)) = load(ports, &key).await? {
            return Ok((self.answer_existing(&taken, token.as_ref()).await?, None));
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
        let now = ports.clock.now();
        let mut daemon = Daemon {
            key: key.clone(),
            state: DaemonState::Active,
            settings: settings.clone(),
            configuration: configuration(request.deployment_configuration.as_ref())?,
            tags: tag::check(request.tags.as_deref().unwrap_or_default())?,
            // What follows is set by the deployment.
            revision: DeploymentId::from_random(0),
            deployment: String::new(),
            rollout: Rollout::Pending,
            last_successful: None,
            counts: Vec::new(),
            serving: Vec::new(),
            failures: 0,
            threshold: 0,
            healthy: 0,
            in_step: false,
            bakes_until: None,
            throttle: LaunchThrottle::default(),
            created_at: now,
            updated_at: now,
        };
        let mut changes = Changes::new();
        // Neither the cluster nor the definition may be gone when the daemon is there.
        changes.require(EntityKey::Cluster(cluster.key.clone()), cluster.version);
        let definition_key = kecs_domain::daemon::definition_key(&definition.key);
        changes.require(EntityKey::Resource(definition_key), definition_version);
        begin_deployment(ports, &mut daemon, settings, &definition.working_copy(), now, &mut changes);
        if let Some((token, fingerprint)) = token {
            let record = TokenRecord {
                key: token,
                fingerprint,
                resources: vec![key.arn()],
                failures: String::new(),
                created_at: now,
            };
            // A token that was used for an earlier daemon of this name is used anew.
            changes.puts.push((Entity::from(record), Expect::Any));
        }
        let answer = answer(&daemon);
        changes.create(keep(key.resource(), daemon));
        ports.unit_of_work.commit(changes).await?;
        Ok((answer, Some(key)))
    }

    /// The answer when the name is taken: the same daemon for the same token and request.
    async fn answer_existing(
        &self,
        existing: &Daemon,
        token: Option<&(TokenKey, String)>,
    ) -> Result<CreateDaemonResponse> {
        if existing.state == DaemonState::Deleting {
            return Err(EcsError::invalid_parameter(
                "Unable to create a daemon that is still being deleted.",
            )
            .into());
        }
        if let Some((key, fingerprint)) = token {
            let used = self.ports.tokens.token(key).await?;
            if used.is_some_and(|record| record.fingerprint == *fingerprint) {
                return Ok(answer(existing));
            }
        }
        Err(EcsError::invalid_parameter("Creation of daemon was not idempotent.").into())
    }
}

fn token(key: &DaemonKey, request: &CreateDaemonRequest) -> Result<Option<(TokenKey, String)>> {
    let Some(token) = request.client_token.as_deref().filter(|token| !token.is_empty()) else {
        return Ok(None);
    };
    if token.len() > LONGEST_TOKEN {
        let message = format!("idempotency token longer than {LONGEST_TOKEN}.");
        return Err(EcsError::invalid_parameter(message).into());
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = "The idempotency token can only have ASCII characters in the range of 33-126.";
        return Err(EcsError::invalid_parameter(message).into());
    }
    let token = TokenKey {
        cluster: key.cluster.clone(),
        operation: format!("CreateDaemon/{}", key.name),
        token: token.to_owned(),
    };
    Ok(Some((token, fingerprint(request)?)))
}

fn answer(daemon: &Daemon) -> CreateDaemonResponse {
    CreateDaemonResponse {
        daemon_arn: Some(daemon.key.arn()),
        status: Some(daemon.status()),
        created_at: Some(daemon.created_at),
        deployment_arn: Some(daemon.deployment_arn()),
    }
}
