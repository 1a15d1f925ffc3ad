//! StartTask: a task on each of the named instances. Nothing is placed.

use kecs_domain::EcsError;
use kecs_domain::arn::container_instance_ref;
use kecs_domain::model::{Failure, LaunchType, StartTaskRequest, StartTaskResponse};
use kecs_domain::placement::Candidate;
use kecs_domain::task::{Task, check_overrides};
use kecs_domain::task_definition::TaskDefinition;

use super::make::{Recipe, candidate, launch_settings};
use super::run::{Tagging, check_started_by, with_tags};
use super::{Tasks, Where, active_cluster, check_network};
use crate::container_instance::{self, Member};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, EntityKey, Versioned, WakeKey};
use crate::task_definition::resolve::{Accept, resolve};

/// The most instances in a call. (API reference, StartTask)
const MOST_INSTANCES: usize = 10;

impl Tasks<'_> {
    /// Starts a task of a task definition on each of up to ten instances, as often as each is named. Where that can't
    /// be, a failure says why.
    ///
    /// # Errors
    /// `ClientException` and `InvalidParameterException` for what is wrong with the request, the task definition
    /// first; `ClusterNotFoundException`.
    pub async fn start(&self, ctx: &Context, request: StartTaskRequest) -> Result<StartTaskResponse> {
        check_model(&request)?;
        let definition = resolve(self.ports, &ctx.scope, &request.task_definition, Accept::Active).await?;
        let (response, made) = retry_conflicts(|| self.try_start(ctx, &request, &definition)).await?;
        self.ports.wake.wake(made);
        Ok(response)
    }

    async fn try_start(
        &self,
        ctx: &Context,
        request: &StartTaskRequest,
        definition: &Versioned<TaskDefinition>,
    ) -> Result<(StartTaskResponse, Vec<WakeKey>)> {
        let ports = self.ports;
        let cluster = active_cluster(ports, &ctx.scope, request.cluster.as_deref()).await?;
        let named = &request.container_instances;
        if named.is_empty() {
            return Err(EcsError::invalid_parameter("Container instances cannot be empty.").into());
        }
        if named.len() > MOST_INSTANCES {
            let message = format!("instanceIds can have at most {MOST_INSTANCES} items");
            return Err(EcsError::invalid_parameter(message).into());
        }
        check_started_by(request.started_by.as_deref())?;
        let ids = named
            .iter()
            .map(|text| container_instance_ref(&cluster.key, text))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let launch_type = LaunchType::Ec2;
        if !definition.supports(launch_type) {
            let message = format!("Task definition does not support launch_type {launch_type}.");
            return Err(EcsError::invalid_parameter(message).into());
        }
        check_network(&definition.doc, request.network_configuration.as_ref(), launch_type)?;
        let overrides = request.overrides.clone().unwrap_or_default();
        check_overrides(&definition.doc, &overrides, launch_type)?;
        let tags = Tagging {
            given: request.tags.as_deref(),
            propagate: request.propagate_tags,
            managed: request.enable_ecs_managed_tags,
        }
        .merged(&cluster.key.name, &definition.tags)?;
        let launch = launch_settings(
            request.network_configuration.clone(),
            None,
            None,
            request.volume_configurations.clone(),
        );
        let group = request.group.clone().unwrap_or_else(|| format!("family:{}", definition.key.family));

        let members = container_instance::members(ports, &cluster.key).await?;
        let mut candidates: Vec<Candidate> = members.iter().map(|member| candidate(member, 0)).collect();
        let place = Where::LaunchType(launch_type);
        let mut tasks: Vec<Task> = Vec::new();
        let mut failures: Vec<Failure> = Vec::new();
        for id in ids {
            let recipe = Recipe {
                cluster: &cluster.key,
                definition: &definition.value,
                place: &place,
                overrides: overrides.clone(),
                group: group.clone(),
                started_by: request.started_by.clone(),
                enable_execute_command: request.enable_execute_command.unwrap_or(false),
                platform_version: None,
                service: None,
                tags: tags.clone(),
                launch: launch.clone(),
                instance: Some(id),
                per_provider: &|_| 0,
            };
            let Some(at) = members.iter().position(|member| member.id() == id) else {
                failures.push(container_instance::failure(&cluster.key, id, "MISSING"));
                continue;
            };
            let mut demand = recipe.demand();
            // Constraints and strategies are for placement, and nothing is placed here.
            demand.definition_expressions.clear();
            let refused = refusal(&members[at])
                .or_else(|| candidates[at].check(&demand).err().map(kecs_domain::placement::Misfit::as_str));
            if let Some(reason) = refused {
                failures.push(container_instance::failure(&cluster.key, id, reason));
                continue;
            }
            candidates[at].take(&demand);
            let by_agent = members[at].by_agent();
            let zone = Some(members[at].instance.availability_zone.clone()).filter(|zone| !zone.is_empty());
            for task in recipe.make_at(ports, zone).await?.tasks {
                tasks.push(Task { by_agent, ..task });
            }
        }
        let docs: Vec<_> = tasks.iter().map(with_tags).collect();
        let keys = tasks.iter().map(|task| WakeKey::Task(task.key.clone())).collect();
        let mut changes = Changes::new();
        changes.require(EntityKey::Cluster(cluster.key.clone()), cluster.version);
        for task in tasks {
            changes.create(task);
        }
        if !changes.is_empty() {
            ports.unit_of_work.commit(changes).await?;
        }
        Ok((StartTaskResponse { tasks: Some(docs), failures: Some(failures) }, keys))
    }
}

/// What the state of an instance says against a task on it.
fn refusal(member: &Member) -> Option<&'static str> {
    use kecs_domain::container_instance::InstanceState;
    match member.state {
        InstanceState::Active => None,
        InstanceState::Draining => Some("DRAINING"),
        InstanceState::Inactive => Some("INACTIVE"),
    }
}
