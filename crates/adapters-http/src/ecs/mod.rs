//! ECS behind the edge: requests decoded, use cases called, responses written as JSON.

mod describe_clusters;
mod discover_poll_endpoint;
mod exchange;
mod table;
pub(crate) mod words;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use futures::future::BoxFuture;
use kecs_domain::model::{Operation, SIGNING_NAME, TARGET_PREFIX};
use kecs_usecases::Ecs;

use crate::api::{AwsApi, Call, Reply};

/// The ECS API over the use cases.
pub struct EcsApi {
    ecs: Arc<Ecs>,
    /// The size of each operation's last response: room for the next one.
    sizes: Arc<[AtomicUsize]>,
}

impl EcsApi {
    /// The API over `ecs`.
    pub fn new(ecs: Ecs) -> Self {
        let sizes = Operation::ALL.iter().map(|_| AtomicUsize::new(0)).collect();
        Self { ecs: Arc::new(ecs), sizes }
    }
}

impl AwsApi for EcsApi {
    fn target_prefix(&self) -> &'static str {
        TARGET_PREFIX
    }

    fn signing_name(&self) -> &'static str {
        SIGNING_NAME
    }

    fn operations(&self) -> &'static [&'static str] {
        Operation::VALUES
    }

    fn operation(&self, name: &str) -> Option<usize> {
        // The names are in the order of the alphabet, which a test of the table checks.
        Operation::VALUES.binary_search(&name).ok()
    }

    fn call(&self, operation: usize, call: Call) -> BoxFuture<'static, Reply> {
        table::call(&self.ecs, &self.sizes, Operation::ALL[operation], call)
    }
}
