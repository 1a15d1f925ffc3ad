//! Which API and which operation a request is for: by its target, else by its path and the name that it is signed
//! with.

use std::sync::Arc;

use super::AwsApi;
use crate::edge::Serve;

/// The APIs behind one endpoint.
#[derive(Clone, Default)]
pub struct Registry {
    apis: Vec<Entry>,
}

#[derive(Clone)]
struct Entry {
    api: Arc<dyn AwsApi>,
    /// The place of its first operation among the operations of all APIs.
    first: usize,
}

/// An operation of one of the APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OperationId {
    /// Which API.
    api: usize,
    /// Its place in that API's operations.
    pub(crate) operation: usize,
    /// Its place among the operations of all APIs, for the metrics.
    pub(crate) index: usize,
    /// Its name.
    pub(crate) name: &'static str,
}

/// Why a request is for no operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// It doesn't say which.
    #[error(
        "The request names no operation. Send it as `POST /` with the header X-Amz-Target, or to /v1/OPERATION."
    )]
    NoOperation,
    /// No API has the target's prefix, or its API has no such operation.
    #[error("{0:?} is not an operation of this endpoint.")]
    Unknown(String),
}

impl Registry {
    /// No API yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more API. The first one also answers requests that are not signed for any.
    #[must_use]
    pub fn with(mut self, api: Arc<dyn AwsApi>) -> Self {
        let first = self.operations().count();
        self.apis.push(Entry { api, first });
        self
    }

    /// The names of all operations, API by API.
    pub fn operations(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.apis.iter().flat_map(|entry| entry.api.operations().iter().copied())
    }

    pub(crate) fn api(&self, id: OperationId) -> &dyn AwsApi {
        &*self.apis[id.api].api
    }

    /// What serves a WebSocket at `path`.
    pub(crate) fn socket(&self, path: &str) -> Option<Serve> {
        self.apis.iter().find_map(|entry| entry.api.socket(path))
    }

    /// The operation of a target such as `AmazonEC2ContainerServiceV20141113.RunTask`.
    pub(crate) fn by_target(&self, target: &str) -> Result<OperationId, RouteError> {
        let unknown = || RouteError::Unknown(echo(target));
        let (prefix, name) = target.rsplit_once('.').ok_or_else(unknown)?;
        let api =
            self.apis.iter().position(|entry| entry.api.target_prefix() == prefix).ok_or_else(unknown)?;
        self.operation(api, name).ok_or_else(unknown)
    }

    /// The operation of a name, in the API that the request is signed for.
    pub(crate) fn by_name(&self, name: &str, signing_name: Option<&str>) -> Result<OperationId, RouteError> {
        let signed = |entry: &Entry| signing_name.is_some_and(|signed| signed == entry.api.signing_name());
        let api = self.apis.iter().position(signed).unwrap_or(0);
        self.operation(api, name).ok_or_else(|| RouteError::Unknown(echo(name)))
    }

    fn operation(&self, api: usize, name: &str) -> Option<OperationId> {
        let entry = self.apis.get(api)?;
        let operation = entry.api.operation(name)?;
        let name = entry.api.operations()[operation];
        Some(OperationId { api, operation, index: entry.first + operation, name })
    }
}

/// As much of a client's text as is repeated to it.
fn echo(text: &str) -> String {
    text[..text.floor_char_boundary(128)].to_owned()
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;

    use super::*;
    use crate::api::{Call, Reply};

    struct Fake(&'static str, &'static str, &'static [&'static str]);

    impl AwsApi for Fake {
        fn target_prefix(&self) -> &'static str {
            self.0
        }
        fn signing_name(&self) -> &'static str {
            self.1
        }
        fn operations(&self) -> &'static [&'static str] {
            self.2
        }
        fn call(&self, _: usize, _: Call) -> BoxFuture<'static, Reply> {
            unreachable!("only routes are tested")
        }
    }

    fn registry() -> Registry {
        Registry::new().with(Arc::new(Fake("Ecs_1", "ecs", &["Run", "List"]))).with(Arc::new(Fake(
            "Logs.V2",
            "logs",
            &["Put", "List"],
        )))
    }

    #[test]
    fn a_target_names_the_api_and_the_operation() {
        let registry = registry();
        let id = registry.by_target("Logs.V2.List").unwrap();
        assert_eq!((id.api, id.operation, id.index, id.name), (1, 1, 3, "List"));
        for target in ["Logs.V2.Run", "Logs.List", "List", "", "Ecs_1.", ".Run"] {
            assert_eq!(registry.by_target(target), Err(RouteError::Unknown(target.to_owned())));
        }
    }

    #[test]
    fn a_bare_name_is_looked_up_in_the_api_that_the_request_is_signed_for() {
        let registry = registry();
        assert_eq!(registry.by_name("List", Some("logs")).unwrap().index, 3);
        assert_eq!(registry.by_name("List", Some("ecs")).unwrap().index, 1);
        assert_eq!(registry.by_name("List", None).unwrap().index, 1);
        assert_eq!(registry.by_name("List", Some("other")).unwrap().index, 1);
        assert!(registry.by_name("Put", None).is_err());
        assert!(Registry::new().by_name("Put", None).is_err());
    }
}
