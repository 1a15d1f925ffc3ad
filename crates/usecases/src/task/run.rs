//! RunTask.

use kecs_domain::arn::ClusterKey;
use kecs_domain::cluster::Cluster;
use kecs_domain::idempotency::{TokenKey, TokenRecord};
use kecs_domain::model::{self, Failure, PropagateTags, RunTaskRequest, RunTaskResponse};
use kecs_domain::service::configure;
use kecs_domain::task::{Task, check_overrides};
use kecs_domain::task_definition::TaskDefinition;
use kecs_domain::{Doc, EcsError, tag};
use sha2::{Digest, Sha256};

use super::make::{Made, Recipe, launch_settings};
use super::{Tasks, active_cluster, check_network, launch_choice};
use crate::context::{Context, Error, Ports, Result, check_model, retry_conflicts};
use crate::ports::{Changes, EntityKey, Versioned, WakeKey};
use crate::service::check_platform;
use crate::task_definition::resolve::{Accept, resolve};

/// The most tasks in a call. (API reference, RunTask count)
const MOST_TASKS: i32 = 10;
/// The longest token. (API reference, RunTask clientToken)
const LONGEST_TOKEN: usize = 64;
/// The longest `startedBy`. (API reference, RunTask startedBy)
const LONGEST_STARTED_BY: usize = 128;

impl Tasks<'_> {
    /// Runs up to ten tasks of a task definition. Those that can't be placed come back as failures.
    ///
    /// # Errors
    /// `ClientException` and `InvalidParameterException` for what is wrong with the request, the task definition
    /// first; `ClusterNotFoundException`; `ConflictException` for a token that was used with another request.
    pub async fn run(&self, ctx: &Context, request: RunTaskRequest) -> Result<RunTaskResponse> {
        check_model(&request)?;
        let definition = resolve(self.ports, &ctx.scope, &request.task_definition, Accept::Active).await?;
        // A conflict means that the cluster was changed, or that a call with the same token was faster.
        let (response, made) = retry_conflicts(|| self.try_run(ctx, &request, &definition)).await?;
        self.ports.wake.wake(made);
        Ok(response)
    }

    async fn try_run(
        &self,
        ctx: &Context,
        request: &RunTaskRequest,
        definition: &Versioned<TaskDefinition>,
    ) -> Result<(RunTaskResponse, Vec<WakeKey>)> {
        let ports = self.ports;
        let cluster = active_cluster(ports, &ctx.scope, request.cluster.as_deref()).await?;
        let token = Token::of(request, &cluster.key)?;
        if let Some(token) = &token
            && let Some(answer) = token.replay(ports).await?
        {
            return Ok((answer, Vec::new()));
        }
        let count = check_count(request.count)?;
        check_started_by(request.started_by.as_deref())?;
        let both = "You may choose a capacity provider or a launch type but not both.";
        let strategy = request.capacity_provider_strategy.as_ref();
        let place = launch_choice(ports, &cluster, request.launch_type, strategy, both).await?;
        let launch_type = place.launch_type();
        if !definition.supports(launch_type) {
            let message = format!("Task definition does not support launch_type {launch_type}.");
            return Err(EcsError::invalid_parameter(message).into());
        }
        check_network(&definition.doc, request.network_configuration.as_ref(), launch_type)?;
        check_platform(request.platform_version.as_deref(), launch_type)?;
        configure::check_placement(
            request.placement_constraints.as_deref().unwrap_or_default(),
            request.placement_strategy.as_deref().unwrap_or_default(),
        )?;
        let overrides = request.overrides.clone().unwrap_or_default();
        check_overrides(&definition.doc, &overrides, launch_type)?;
        let recipe = Recipe {
            cluster: &cluster.key,
            definition: &definition.value,
            place: &place,
            overrides,
            group: request.group.clone().unwrap_or_else(|| format!("family:{}", definition.key.family)),
            started_by: request.started_by.clone(),
            enable_execute_command: request.enable_execute_command.unwrap_or(false),
            platform_version: request.platform_version.clone(),
            service: None,
            tags: Tagging {
                given: request.tags.as_deref(),
                propagate: request.propagate_tags,
                managed: request.enable_ecs_managed_tags,
            }
            .merged(&cluster.key.name, &definition.tags)?,
            launch: launch_settings(
                request.network_configuration.clone(),
                request.placement_constraints.clone(),
                request.placement_strategy.clone(),
                request.volume_configurations.clone(),
            ),
            instance: None,
            per_provider: &|_| 0,
        };
        let made = recipe.make(ports, count).await?;
        if made.no_instances && made.unplaced > 0 {
            return Err(EcsError::invalid_parameter(format!("{}.", place.no_instances())).into());
        }
        self.save(&cluster, made, token).await
    }

    /// Stores the tasks together with the token.
    async fn save(
        &self,
        cluster: &Versioned<Cluster>,
        made: Made,
        token: Option<Token>,
    ) -> Result<(RunTaskResponse, Vec<WakeKey>)> {
        let failures: Vec<Failure> = made
            .misfits
            .iter()
            .map(|(instance, misfit)| Failure {
                arn: Some(cluster.key.container_instance_arn(*instance)),
                reason: Some(misfit.as_str().to_owned()),
                ..Default::default()
            })
            .collect();
        let docs: Vec<_> = made.tasks.iter().map(with_tags).collect();
        let keys: Vec<_> = made.tasks.iter().map(|task| WakeKey::Task(task.key.clone())).collect();
        let mut changes = Changes::new();
        // A cluster that is deleted meanwhile must not be left with tasks.
        changes.require(EntityKey::Cluster(cluster.key.clone()), cluster.version);
        if let Some(token) = token {
            changes.create(TokenRecord {
                key: token.key,
                fingerprint: token.fingerprint,
                resources: made.tasks.iter().map(|task| task.key.arn()).collect(),
                failures: serde_json::to_string(&failures).unwrap_or_default(),
                created_at: self.ports.clock.now(),
            });
        }
        for task in made.tasks {
            changes.create(task);
        }
        if !changes.is_empty() {
            self.ports.unit_of_work.commit(changes).await?;
        }
        Ok((RunTaskResponse { tasks: Some(docs), failures: Some(failures) }, keys))
    }
}

/// A task as RunTask and StartTask answer it: always with its tags.
pub(super) fn with_tags(task: &Task) -> Doc<model::Task> {
    let mut doc = Doc::clone(&task.doc);
    if !task.tags.is_empty() {
        doc.make_mut().tags = Some(task.tags.clone());
    }
    doc
}

/// A caller's token, with what it was sent with.
struct Token {
    key: TokenKey,
    fingerprint: String,
}

impl Token {
    /// The token of a request, if it has one.
    fn of(request: &RunTaskRequest, cluster: &ClusterKey) -> Result<Option<Self>> {
        let Some(token) = request.client_token.as_deref().filter(|token| !token.is_empty()) else {
            return Ok(None);
        };
        if token.len() > LONGEST_TOKEN {
            let message = format!("idempotency token longer than {LONGEST_TOKEN}.");
            return Err(EcsError::invalid_parameter(message).into());
        }
        let key =
            TokenKey { cluster: cluster.clone(), operation: "RunTask".to_owned(), token: token.to_owned() };
        Ok(Some(Self { key, fingerprint: fingerprint(request)? }))
    }

    /// The answer to a request that was answered before: the tasks as they are now.
    async fn replay(&self, ports: &Ports) -> Result<Option<RunTaskResponse>> {
        let Some(record) = ports.tokens.token(&self.key).await? else { return Ok(None) };
        if record.fingerprint != self.fingerprint {
            return Err(EcsError::conflict(
                "The RunTask request could not be processed due to conflicts. The provided clientToken is already in \
                 use with a different request.",
                record.resources.clone(),
            )
            .into());
        }
        let keys = record
            .resources
            .iter()
            .map(|arn| kecs_domain::arn::task_ref(&self.key.cluster, arn))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let tasks = ports.tasks.tasks(&keys).await?.into_iter().flatten().map(|task| with_tags(&task));
        let failures = serde_json::from_str(&record.failures).unwrap_or_default();
        Ok(Some(RunTaskResponse { tasks: Some(tasks.collect()), failures: Some(failures) }))
    }
}

/// Requests are compared as they were sent: a member left out is not the same as its default. (recorded)
pub(crate) fn fingerprint(request: &impl serde::Serialize) -> Result<String> {
    let json = serde_json::to_vec(request).map_err(|error| {
        Error::Port(crate::ports::PortError::permanent(format!(
            "a request can't be written as JSON: {error}"
        )))
    })?;
    Ok(Sha256::digest(&json).iter().map(|byte| format!("{byte:02x}")).collect())
}

fn check_count(count: Option<i32>) -> Result<usize> {
    let count = count.unwrap_or(1);
    if count < 1 {
        return Err(EcsError::invalid_parameter("Count should be greater than 0").into());
    }
    if count > MOST_TASKS {
        return Err(EcsError::invalid_parameter(format!("Count can not be greater than {MOST_TASKS}")).into());
    }
    Ok(usize::try_from(count).unwrap_or(1))
}

/// Checks that `startedBy` isn't too long.
pub(super) fn check_started_by(text: Option<&str>) -> Result<()> {
    if text.is_some_and(|text| text.chars().count() > LONGEST_STARTED_BY) {
        let message = format!("startedBy can have at most {LONGEST_STARTED_BY} characters.");
        return Err(EcsError::invalid_parameter(message).into());
    }
    Ok(())
}

/// What a request says of its tasks' tags.
pub(super) struct Tagging<'a> {
    pub(super) given: Option<&'a [model::Tag]>,
    pub(super) propagate: Option<PropagateTags>,
    pub(super) managed: Option<bool>,
}

impl Tagging<'_> {
    /// The request's tags, then those of the task definition if they are propagated, then ECS's own.
    pub(super) fn merged(
        &self,
        cluster: &kecs_domain::name::ClusterName,
        of_definition: &[model::Tag],
    ) -> Result<Vec<model::Tag>> {
        let mut tags = tag::check(self.given.unwrap_or_default())?;
        match self.propagate {
            Some(PropagateTags::TaskDefinition) => tags = tag::inherit(tags, of_definition),
            Some(PropagateTags::Service) => {
                return Err(EcsError::invalid_parameter(
                    "Tags can't be propagated from a service to a task that isn't part of one. Set propagateTags to \
                     TASK_DEFINITION or NONE and try again.",
                )
                .into());
            }
            Some(PropagateTags::None) | None => {}
        }
        if self.managed == Some(true) {
            tag::add_managed(&mut tags, cluster, None);
        }
        Ok(tags)
    }
}
