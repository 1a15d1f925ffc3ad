//! ExecuteCommand.

use std::time::Duration;

use kecs_domain::arn::task_ref;
use kecs_domain::model::{ExecuteCommandRequest, ExecuteCommandResponse, Session};
use kecs_domain::{EcsError, ErrorCode, exec};

use super::{Execs, Ticket};
use crate::context::{Context, Result, check_model};
use crate::task::existing_cluster;

/// The longest command in bytes. ECS's own limit isn't known; a program takes no longer argument on Linux than twice
/// this.
const LONGEST_COMMAND: usize = 64 * 1024;

/// How long a session may wait to be opened. Clients do that at once; it must outlast a slow start of the plugin.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the random part of a session's id consists of.
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

impl Execs<'_> {
    /// Promises a session in which the command runs. Nothing runs yet: the caller opens the session with the token, at
    /// `base` (such as `ws://127.0.0.1:5373`), where it reaches us.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for a command that can't be one, for a task or
    /// container that isn't there, doesn't run or has ECS Exec off; `TargetNotConnectedException` for a container
    /// that should run and can't be reached; `ThrottlingException` when too many sessions wait.
    pub async fn execute(
        &self,
        ctx: &Context,
        request: ExecuteCommandRequest,
        base: &str,
    ) -> Result<ExecuteCommandResponse> {
        check_model(&request)?;
        if !request.interactive {
            // (recorded)
            return Err(
                EcsError::invalid_parameter("Interactive is the only mode supported currently.").into()
            );
        }
        if request.command.trim().is_empty() {
            return Err(EcsError::invalid_parameter("command cannot be empty.").into());
        }
        if request.command.len() > LONGEST_COMMAND || request.command.contains('\0') {
            return Err(EcsError::invalid_parameter(format!(
                "command must have at most {LONGEST_COMMAND} bytes, none of them zero."
            ))
            .into());
        }
        let cluster = existing_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
        let key = task_ref(&cluster, &request.task)?;
        let found = self.ports.tasks.tasks(std::slice::from_ref(&key)).await?.pop().flatten();
        let task = found.ok_or_else(|| EcsError::invalid_parameter("The referenced task was not found."))?;
        let container = exec::target(&task, request.container.as_deref())?;
        let name = container.name.clone().unwrap_or_default();
        match self.ports.shell.is_connected(&task, &name).await {
            Ok(true) => {}
            Ok(false) => return Err(exec::not_connected().into()),
            Err(cause) => {
                tracing::warn!(task = %key.id, container = name, %cause, "the container can't be reached");
                return Err(exec::not_connected().into());
            }
        }
        let id = self.session_id();
        let token = format!("{:032x}{:032x}", self.ports.ids.bits(), self.ports.ids.bits());
        let ticket = Ticket { task: key, container: name.clone(), command: request.command };
        let now = self.ports.clock.now();
        if !self.ports.exec_sessions.promise(now, now.saturating_add(PATIENCE), &id, &token, ticket) {
            return Err(EcsError::new(ErrorCode::Throttling, "Rate exceeded").into());
        }
        Ok(ExecuteCommandResponse {
            cluster_arn: Some(cluster.arn()),
            container_arn: container.container_arn.clone(),
            container_name: Some(name),
            interactive: Some(true),
            session: Some(Session {
                stream_url: Some(format!("{base}/v1/data-channel/{id}?role=publish_subscribe")),
                session_id: Some(id),
                token_value: Some(token),
            }),
            task_arn: Some(task.key.arn()),
        })
    }

    /// Such as `ecs-execute-command-h58qgzkd8fpy9j6gkxa7rrkkii`. (recorded)
    fn session_id(&self) -> String {
        let mut id = "ecs-execute-command-".to_owned();
        for mut number in [self.ports.ids.bits(), self.ports.ids.bits()] {
            for _ in 0..13 {
                id.push(char::from(DIGITS[(number % 36) as usize]));
                number /= 36;
            }
        }
        id
    }
}
