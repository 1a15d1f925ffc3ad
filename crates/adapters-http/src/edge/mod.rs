//! The edge: an HTTP request in, a call of an operation, an HTTP response out.
//!
//! It owns everything that is the same for each operation: the route, who asks, the deadline, the limit of requests
//! at a time, the request id, the metrics and the log. What operations there are and what they mean it doesn't know.

mod credential;
mod endpoint;
mod page;
mod request_id;
mod respond;
mod route;
mod scope;
mod stack;
mod upgrade;

pub use endpoint::{Endpoint, EndpointOptions};
pub use request_id::RequestId;
pub use scope::{DefaultScope, is_account, is_region};
pub use upgrade::{Serve, Socket};
