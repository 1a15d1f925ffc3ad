//! StopTask.

use kecs_domain::arn::task_ref;
use kecs_domain::model::{StopTaskRequest, StopTaskResponse, TaskStopCode};
use kecs_domain::task::{Interruption, STOPPED_BY_USER, TaskStatus};
use kecs_domain::{Doc, EcsError};

use super::{Tasks, existing_cluster};
use crate::context::{Context, Result, check_model, retry_conflicts};
use crate::ports::{Changes, WakeKey};

impl Tasks<'_> {
    /// Asks for the end of a task. One that is STOPPED, or is ending already, keeps its first reason.
    ///
    /// # Errors
    /// `ClusterNotFoundException`; `InvalidParameterException` for what is no identifier, and for a task that
    /// isn't there.
    pub async fn stop(&self, ctx: &Context, request: StopTaskRequest) -> Result<StopTaskResponse> {
        check_model(&request)?;
        let cluster = existing_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
        let key = task_ref(&cluster, &request.task)?;
        let reason = request.reason.filter(|reason| !reason.is_empty());
        let why =
            Interruption::new(TaskStopCode::UserInitiated, reason.as_deref().unwrap_or(STOPPED_BY_USER));
        let (doc, changed) = retry_conflicts(|| async {
            let found = self.ports.tasks.tasks(std::slice::from_ref(&key)).await?.pop().flatten();
            let found =
                found.ok_or_else(|| EcsError::invalid_parameter("The referenced task was not found."))?;
            if found.status == TaskStatus::Stopped {
                // A STOPPED task is shown bare. (recorded)
                let mut doc = found.doc.clone();
                let bare = doc.make_mut();
                bare.tags = Some(Vec::new());
                bare.attachments = Some(Vec::new());
                bare.containers = Some(Vec::new());
                return Ok((doc, false));
            }
            let Some(task) = found.interrupt(why.clone()) else {
                return Ok((Doc::clone(&found.doc), false));
            };
            let doc = Doc::clone(&task.doc);
            let mut changes = Changes::new();
            changes.update(task, found.version);
            self.ports.unit_of_work.commit(changes).await?;
            Ok((doc, true))
        })
        .await?;
        if changed {
            self.ports.wake.wake(vec![WakeKey::Task(key)]);
        }
        Ok(StopTaskResponse { task: Some(doc) })
    }
}
