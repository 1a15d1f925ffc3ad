//! DescribeTasks.

use std::collections::BTreeSet;

use kecs_domain::arn::task_ref;
use kecs_domain::model::{DescribeTasksRequest, DescribeTasksResponse, Failure, TaskField};
use kecs_domain::{Doc, EcsError};

use super::{Tasks, existing_cluster};
use crate::context::{Context, Result, check_model};

/// The most tasks in a call. (recorded)
const MOST_TASKS: usize = 100;

impl Tasks<'_> {
    /// Describes tasks by id or ARN; those that don't exist come back as failures.
    ///
    /// # Errors
    /// `InvalidParameterException` for no task, for more than 100, and for what is no identifier of a task of the
    /// cluster; `ClusterNotFoundException`.
    pub async fn describe(
        &self,
        ctx: &Context,
        request: DescribeTasksRequest,
    ) -> Result<DescribeTasksResponse> {
        check_model(&request)?;
        let cluster = existing_cluster(self.ports, &ctx.scope, request.cluster.as_deref()).await?;
        if request.tasks.is_empty() {
            return Err(EcsError::invalid_parameter("Tasks cannot be empty.").into());
        }
        if request.tasks.len() > MOST_TASKS {
            return Err(
                EcsError::invalid_parameter(format!("tasks can have at most {MOST_TASKS} items")).into()
            );
        }
        let mut seen = BTreeSet::new();
        let mut keys = Vec::with_capacity(request.tasks.len());
        for named in &request.tasks {
            let key = task_ref(&cluster, named)?;
            if seen.insert(key.id) {
                keys.push(key);
            }
        }
        let with_tags = request.include.iter().flatten().any(|field| *field == TaskField::Tags);
        let found = self.ports.tasks.tasks(&keys).await?;
        let mut tasks = Vec::with_capacity(keys.len());
        let mut failures = Vec::new();
        for (key, found) in keys.iter().zip(found) {
            match found {
                None => failures.push(Failure {
                    arn: Some(key.arn()),
                    reason: Some("MISSING".to_owned()),
                    ..Default::default()
                }),
                Some(task) if with_tags && !task.tags.is_empty() => {
                    let mut doc = task.doc.clone();
                    doc.make_mut().tags = Some(task.tags.clone());
                    tasks.push(doc);
                }
                Some(task) => tasks.push(Doc::clone(&task.doc)),
            }
        }
        Ok(DescribeTasksResponse { tasks: Some(tasks), failures: Some(failures) })
    }
}
