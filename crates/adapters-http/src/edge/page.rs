//! What somebody sees who opens the endpoint in a browser: what this is, and how it is used.

use bytes::Bytes;

use crate::api::Registry;

/// The page, as plain text.
pub(super) fn page(registry: &Registry) -> Bytes {
    let version = env!("CARGO_PKG_VERSION");
    let operations = registry.operations().count();
    Bytes::from(format!(
        "kecs {version}: an Amazon ECS compatible control plane.\n\
         \n\
         This is the API endpoint. It speaks the AWS JSON protocol ({operations} operations are routed) and has no\n\
         pages of its own. Point an AWS tool at it:\n\
         \n\
         \x20   export AWS_ENDPOINT_URL_ECS=<the address of this page>\n\
         \x20   export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1\n\
         \x20   aws ecs list-clusters\n\
         \n\
         Signatures are not verified. Health: GET /health. Metrics: the admin address.\n"
    ))
}
