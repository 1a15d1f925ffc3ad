//! ECS behind the edge: requests decoded, use cases called, responses written as JSON.

mod describe_clusters;
mod discover_poll_endpoint;
mod exchange;
mod execute_command;
mod list_tasks;
mod table;
pub(crate) mod words;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use futures::FutureExt;
use futures::future::BoxFuture;
use kecs_domain::model::{Operation, SIGNING_NAME, TARGET_PREFIX};
use kecs_usecases::Ecs;

use crate::api::{AwsApi, Call, Reply};
use crate::edge::Serve;
use crate::ssm;

/// The ECS API over the use cases.
pub struct EcsApi {
    ecs: Arc<Ecs>,
    /// The size of each operation's last response: room for the next one.
    sizes: Arc<[AtomicUsize]>,
    /// Where callers reach us, if their requests don't say it right: `ws://` or `wss://`, without a slash at the end.
    public_url: Option<Arc<str>>,
}

/// Where the sessions of ECS Exec are.
const SESSIONS: &str = "/v1/data-channel/";

impl EcsApi {
    /// The API over `ecs`.
    pub fn new(ecs: Ecs) -> Self {
        let sizes = Operation::ALL.iter().map(|_| AtomicUsize::new(0)).collect();
        Self { ecs: Arc::new(ecs), sizes, public_url: None }
    }

    /// With the address of sessions: `ws://HOST:PORT` or `wss://...`, and a path perhaps. Without one it is the address
    /// that a request was sent to.
    #[must_use]
    pub fn with_public_url(self, url: Option<&str>) -> Self {
        Self { public_url: url.map(Arc::from), ..self }
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
        table::call(&self.ecs, &self.sizes, self.public_url.as_ref(), Operation::ALL[operation], call)
    }

    fn socket(&self, path: &str) -> Option<Serve> {
        // A proxy may have put something before it.
        let (_, session) = path.split_once(SESSIONS)?;
        let (ecs, session) = (Arc::clone(&self.ecs), session.to_owned());
        Some(Box::new(move |socket, stop| ssm::serve(ecs, session, socket, stop).boxed()))
    }
}
