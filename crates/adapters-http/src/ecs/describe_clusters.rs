//! DescribeClusters, whose bad `include` is an error only if one of the named clusters exists. So it can't be
//! refused before the clusters are looked up.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use kecs_domain::model::{DescribeClustersRequest, Operation};
use kecs_usecases::Ecs;

use super::{exchange, words};
use crate::api::{Call, Reply};
use crate::decode::{self, DecodeError, Fault, Node};

const OPERATION: Operation = Operation::DescribeClusters;

/// Reads the request, calls the use case, writes the answer.
pub(super) async fn call(ecs: Arc<Ecs>, sizes: Arc<[AtomicUsize]>, mut call: Call) -> Reply {
    let body = match call.read().await {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let refused = |error: &DecodeError| Reply::error(&words::error(OPERATION, error));
    let (request, bad_include) = match decode::decode::<DescribeClustersRequest>(&body) {
        Ok(request) => (request, None),
        Err(error) if is_bad_include(&error) => match without_include(&body) {
            Ok(request) => (request, Some(error)),
            Err(error) => return refused(&error),
        },
        Err(error) => return refused(&error),
    };
    let result = ecs.clusters().describe(&call.context, request).await;
    if let (Ok(response), Some(error)) = (&result, &bad_include)
        && response.clusters.as_ref().is_some_and(|clusters| !clusters.is_empty())
    {
        return refused(error);
    }
    exchange::write(OPERATION, call.request_id, result, &sizes[OPERATION as usize])
}

fn is_bad_include(error: &DecodeError) -> bool {
    matches!(error.fault(), Fault::UnknownValue { .. }) && error.member() == Some("include")
}

fn without_include(body: &[u8]) -> Result<DescribeClustersRequest, DecodeError> {
    let mut node = decode::parse(body)?;
    if let Node::Map(members) = &mut node {
        members.retain(|(name, _): &(Cow<'_, str>, _)| name != "include");
    }
    decode::from_node(node)
}
