//! How calls go to the API: not too many at once, none for ever, and again where the server asks for it.

use std::time::Duration;

use kube::Client;
use kube::client::retry::{InvalidBackoff, RetryPolicy};
use tower::{BoxError, ServiceBuilder};

/// How many calls may be under way at once. A server that is told more only queues them, and one with priority and
/// fairness refuses them. An open watch or session is no call: it is over with the head of its answer.
pub(crate) const AT_ONCE: usize = 32;

/// How long a call may take, its repetitions included. Whoever made it tries again later.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// How often a call is repeated after 429, 503 and 504, and the pauses, unless the server names one (`Retry-After`).
const REPEATED: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The same API, called with care.
pub(crate) fn careful(client: Client) -> Client {
    let namespace = client.default_namespace().to_owned();
    let policy: Result<RetryPolicy, InvalidBackoff> =
        RetryPolicy::new(FIRST_PAUSE, LONGEST_PAUSE, REPEATED, true);
    let service = ServiceBuilder::new()
        .timeout(DEADLINE)
        // Pauses that can't be are pauses that aren't: then nothing is repeated here.
        .option_layer(policy.ok().map(tower::retry::RetryLayer::new))
        .concurrency_limit(AT_ONCE)
        .service(tower::service_fn(move |request| {
            let client = client.clone();
            async move { client.send(request).await.map_err(BoxError::from) }
        }));
    Client::new(service, namespace)
}
