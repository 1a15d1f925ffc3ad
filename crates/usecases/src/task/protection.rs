//! What GetTaskProtection and UpdateTaskProtection share: which tasks are meant, and why one can't be helped.

use std::collections::BTreeSet;

use kecs_domain::EcsError;
use kecs_domain::arn::{ClusterKey, TaskKey, task_ref};
use kecs_domain::model::Failure;

use crate::context::Result;

/// The keys of the tasks that a request names, each once.
///
/// # Errors
/// `InvalidParameterException` for no task, for more than `most`, and for what is no identifier of a task of the
/// cluster.
pub(super) fn keys(cluster: &ClusterKey, named: &[String], most: usize) -> Result<Vec<TaskKey>> {
    if named.is_empty() {
        return Err(EcsError::invalid_parameter("Tasks cannot be empty.").into());
    }
    if named.len() > most {
        return Err(EcsError::invalid_parameter(format!("tasks can have at most {most} items")).into());
    }
    let mut seen = BTreeSet::new();
    let mut keys = Vec::with_capacity(named.len());
    for text in named {
        let key = task_ref(cluster, text)?;
        if seen.insert(key.id) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// Why nothing is said of a task, or nothing was changed. (AWS documentation, API failure reasons)
pub(super) fn failure(key: &TaskKey, reason: &str) -> Failure {
    Failure { arn: Some(key.arn()), reason: Some(reason.to_owned()), ..Default::default() }
}
