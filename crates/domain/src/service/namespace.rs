//! The Service Connect namespace of a service: what ListServicesByNamespace asks for.
//!
//! Namespaces are Cloud Map's. Here one exists once a service or a cluster's default has named it.

use serde::{Deserialize, Serialize};

use super::{Service, ServiceStatus};
use crate::arn::ServiceKey;
use crate::generated as model;

/// A namespace that a service has named once. Kept under its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceNamespace {}

/// A service in a namespace. Belongs to the namespace's name; its id is `CLUSTER/SERVICE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceMember {
    /// The service.
    pub service: ServiceKey,
}

impl Service {
    /// The namespace that it is associated with at present: its own, or the default that its cluster had when Service
    /// Connect was turned on. A service that is being deleted has left it.
    pub fn namespace(&self) -> Option<&str> {
        let connect = self.revision_extras.service_connect.as_ref().filter(|connect| connect.enabled)?;
        let own = connect.namespace.as_deref().filter(|name| !name.is_empty());
        own.or(self.default_namespace.as_deref()).filter(|_| self.status == ServiceStatus::Active)
    }

    /// Notes the default of its cluster, where Service Connect is turned on or set anew: a later change of the default
    /// doesn't reach it. (API reference, ClusterServiceConnectDefaults)
    pub fn take_default_namespace(&mut self, defaults: Option<&model::ClusterServiceConnectDefaults>) {
        self.default_namespace = defaults.and_then(|defaults| defaults.namespace.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;
    use crate::arn::{cluster_ref, service_ref};
    use crate::service::RevisionExtras;

    fn service(connect: serde_json::Value) -> Service {
        let cluster = cluster_ref(&Scope::new("123456789012", "eu-central-1"), Some("main")).unwrap();
        let key = service_ref(&cluster, "web").unwrap().unwrap();
        let service_connect = serde_json::from_value(connect).unwrap();
        let extras = RevisionExtras { service_connect, ..RevisionExtras::default() };
        let mut service = Service::new(key, model::Service::default(), extras, Vec::new());
        service.take_default_namespace(Some(&serde_json::from_str(r#"{"namespace": "internal"}"#).unwrap()));
        service
    }

    #[test]
    fn its_own_namespace_comes_before_the_default_of_its_cluster() {
        for (connect, expected) in [
            (serde_json::json!(null), None),
            (serde_json::json!({"enabled": false, "namespace": "own"}), None),
            (serde_json::json!({"enabled": true}), Some("internal")),
            (serde_json::json!({"enabled": true, "namespace": "own"}), Some("own")),
        ] {
            assert_eq!(service(connect.clone()).namespace(), expected, "{connect}");
        }
    }

    #[test]
    fn a_service_that_is_deleted_has_left_its_namespace() {
        let mut service = service(serde_json::json!({"enabled": true}));
        service.status = ServiceStatus::Draining;
        assert_eq!(service.namespace(), None);
    }
}
