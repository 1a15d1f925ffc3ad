//! ListTasks, whose answer is written from the tasks' ids, without a string for each.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use kecs_domain::model::{Operation, op};
use kecs_usecases::Ecs;
use kecs_usecases::task::TaskPage;

use super::exchange;
use crate::api::{Call, Reply};

const OPERATION: Operation = Operation::ListTasks;

/// Reads the request, calls the use case, writes the answer.
pub(super) async fn call(ecs: Arc<Ecs>, sizes: Arc<[AtomicUsize]>, mut call: Call) -> Reply {
    let request = match exchange::read::<op::ListTasks>(&mut call).await {
        Ok(request) => request,
        Err(reply) => return reply,
    };
    let result = ecs.tasks().list_ids(&call.context, request).await;
    exchange::write_by(OPERATION, call.request_id, result, &sizes[OPERATION as usize], write)
}

/// Writes what the page's `ListTasksResponse` is as JSON.
fn write(page: &TaskPage, body: &mut Vec<u8>) -> io::Result<()> {
    body.extend_from_slice(b"{\"taskArns\":[");
    // With the quotes, and whatever a name may have that JSON escapes.
    let prefix = serde_json::to_string(&page.cluster.task_arns_prefix())?;
    let prefix = prefix.trim_end_matches('"').as_bytes();
    body.reserve(page.ids.len() * (prefix.len() + 34));
    for (at, id) in page.ids.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        body.extend_from_slice(prefix);
        body.extend_from_slice(&id.digits());
        body.push(b'"');
    }
    body.push(b']');
    if let Some(token) = &page.next_token {
        body.extend_from_slice(b",\"nextToken\":");
        serde_json::to_writer(&mut *body, token)?;
    }
    body.write_all(b"}")
}

#[cfg(test)]
mod tests {
    use kecs_domain::Scope;
    use kecs_domain::arn::ClusterKey;
    use kecs_domain::model::ListTasksResponse;
    use kecs_domain::name::{ClusterName, HexId};

    use super::*;

    #[test]
    fn it_is_the_same_text_as_that_of_the_response() {
        let cluster = ClusterKey::new(
            Scope::new("123456789012", "us-gov-\"west"),
            ClusterName::parse("main_1").expect("a name"),
        );
        for (count, next_token) in [(0, None), (1, None), (3, Some("a\"b".to_owned()))] {
            let ids = (0..count).map(|n: u128| HexId::from_bits((n + 1) << 61)).collect();
            let page = TaskPage { cluster: cluster.clone(), ids, next_token };
            let mut body = Vec::new();
            write(&page, &mut body).unwrap();
            let response = serde_json::to_string(&ListTasksResponse::from(page)).unwrap();
            assert_eq!(String::from_utf8(body).unwrap(), response);
        }
    }
}
