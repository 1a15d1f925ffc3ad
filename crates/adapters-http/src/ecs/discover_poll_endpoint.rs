//! DiscoverPollEndpoint, whose answer is the address at which the request came in: only the edge knows it.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use kecs_domain::model::{Operation, op};
use kecs_usecases::Ecs;

use super::exchange;
use crate::api::{Call, Reply};

const OPERATION: Operation = Operation::DiscoverPollEndpoint;

/// Reads the request, calls the use case, writes the answer.
pub(super) async fn call(ecs: Arc<Ecs>, sizes: Arc<[AtomicUsize]>, mut call: Call) -> Reply {
    let request = match exchange::read::<op::DiscoverPollEndpoint>(&mut call).await {
        Ok(request) => request,
        Err(reply) => return reply,
    };
    let instances = ecs.container_instances();
    let result = instances.discover_poll_endpoint(&request, &call.reached_at.url());
    exchange::write(OPERATION, call.request_id, result, &sizes[OPERATION as usize])
}
